"""The card as Markdown, for a repository's own pages and for pull requests."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from mlops.data_pipeline.card.content import Card, CardColumn
from mlops.data_pipeline.tables.summaries import text
from mlops.markdown import table


def render(card: Card) -> str:
    """The whole card."""
    return "\n".join(_lines(card)).rstrip() + "\n"


def _lines(card: Card) -> Iterator[str]:
    yield f"# {_safe(card.title)}\n"
    if card.simulated:
        yield "**These rows are simulated.**\n"
    yield f"{_code(card.dataset)} version {_code(card.version)}. {_safe(card.description)}\n"
    yield from _table(("", ""), [
        ("Rows", ", ".join([f"{card.rows:,}", *(f"{each.name} {each.rows:,}" for each in card.splits)])),
        ("Target", _code(card.target)), ("Quality", f"{card.quality:.3f}"),
        ("Suite", f"{card.validation.successful} of {card.validation.evaluated} expectations hold"),
        ("Source", f"{_code(card.source.location)}, {card.source.rows:,} rows"),
        *((("Set aside", f"{card.source.quarantined:,} rows: {_safe(card.source.why_aside())}"),)
          if card.source.quarantined else ()),
        *((("Origin", _safe(card.origin)),) if card.origin else ()),
        ("Licence", _safe(card.licence) or "not stated"), ("Fingerprint", _code(card.fingerprint)),
        *((("More", _code(card.by_hand)),) if card.by_hand else ()),
    ])
    yield "\n## Columns\n"
    head = ("Column", "Type", "Unit", "Empty", "Distinct", "Least", "Median", "Most", "What it is")
    yield from _table(head, map(_column, card.columns))
    yield "\n## Quality\n"
    yield from _table(
        ("Part", "Asked", "Hold", "Score"),
        [(each.name, str(each.asked), str(each.held), f"{each.score:.3f}") for each in card.aspects],
    )
    if card.failures:
        yield "\n### Expectations that do not hold\n"
        yield from (f"- {_code(each.expectation)}: {_safe(each.found)}" for each in card.failures)
    failed = [each for each in card.checks if not each.success]
    if failed:
        yield "\n### Checks that do not hold\n"
        yield from (f"- {_safe(each.name)} ({each.severity}): {_safe(each.message)}" for each in failed)
    if card.limits:
        yield "\n## Known limits\n"
        yield from (f"- {_safe(each)}" for each in card.limits)
    yield "\n## Made from\n"
    yield from _table(("When", "Commit", "Source", "Suite", "Declaration", "Code"), [
        (each.created[:19], _short(each.commit or "none") + ("" if each.clean else " with changes"),
         *(_short(digest) for digest in (each.source, each.suite, each.config, each.code))) for each in card.made
    ])
    yield "\n## Versions\n"
    yield from _table(("Version", "Made", "Rows", "Quality", "Source"), [
        (f"{_code(each.version)}{' (this one)' if each.this else ''}", each.created[:19], f"{each.rows:,}",
         f"{each.quality:.3f}", _safe(each.source)) for each in card.history
    ])


def _column(column: CardColumn) -> tuple[str, ...]:
    figures = column.figures
    share = figures.missing / figures.rows if figures.rows else 0.0
    median = text(figures.quantiles[2]) if figures.quantiles else ""
    name = _code(column.name) + (" (target)" if column.target else "")
    return (
        name, figures.type, _safe(column.unit), f"{share:.2%}" if figures.missing else "0", f"{figures.distinct:,}",
        _safe(figures.minimum or ""), median, _safe(figures.maximum or ""), _safe(column.description),
    )


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return table(header, ([cell.replace("|", r"\|") for cell in row] for row in rows))


def _short(digest: str) -> str:
    return _code(digest.removeprefix("sha256:")[:12])


def _code(value: str) -> str:
    """A code span that backquotes in the value do not end (CommonMark, "Code spans")."""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", value)), default=0))
    space = " " if "`" in value else ""
    return f"{fence}{space}{value.replace(chr(10), ' ')}{space}{fence}"


def _safe(value: str) -> str:
    """Text of the data set as text: no HTML of its own."""
    return value.replace("&", "&amp;").replace("<", "&lt;").replace("\n", " ")
