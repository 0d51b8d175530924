"""The card as a page, see `mlops.pages`."""

from __future__ import annotations

from html import escape

from mlops.data_pipeline.card.content import Card, CardColumn
from mlops.data_pipeline.tables.summaries import text
from mlops.pages import badge, name, prose, table, tiles, whole

MOST = 200
"""With more columns, only the first get a row with a distribution; the page says so, and JSON has all."""


def render(card: Card) -> str:
    """The whole page."""
    return whole(f"{card.title}, version {card.version}", [
        _top(card), _facts(card), _columns(card), _quality(card), _limits(card), _origin(card), _history(card),
    ])


def _top(card: Card) -> str:
    good = card.validation.success
    verdict = badge("suite passed" if good else "suite failed", "good" if good else "bad")
    note = '<p class="note">These rows are simulated: no figure here says anything of the real world.</p>'
    return (
        f"<header><h1>{escape(card.title)}</h1><p class=soft><code>{escape(card.dataset)}</code> version "
        f"<code>{escape(card.version)}</code> {badge('simulated', 'warn') if card.simulated else ''} {verdict}</p>"
        f"<p>{prose(card.description)}</p>{note if card.simulated else ''}</header>"
    )


def _facts(card: Card) -> str:
    held = f"{card.validation.successful} of {card.validation.evaluated} expectations hold"
    return tiles([
        ("Rows", f"{card.rows:,}", ", ".join(f"{escape(each.name)} {each.rows:,}" for each in card.splits)),
        ("Columns", f"{len(card.columns)}", f"target {name(card.target)}" if card.target else "no target"),
        ("Quality", f"{card.quality:.3f}", held),
        ("Licence", escape(card.licence) or "not stated", ""),
    ])


def _columns(card: Card) -> str:
    shown = card.columns[:MOST]
    more = f"<p class=soft>and {len(card.columns) - MOST} further columns</p>" if len(card.columns) > MOST else ""
    head = ("Column", "Type", "Empty", "Distinct", "Least", "Median", "Most", "Distribution")
    listed = table(head, map(_column, shown), numbers=range(2, 7), kind="columns")
    return f"<section><h2>Columns</h2>{listed}{more}</section>"


def _column(column: CardColumn) -> tuple[str, ...]:
    figures = column.figures
    share = figures.missing / figures.rows if figures.rows else 0.0
    empty = f"{share:.2%}" if figures.missing else "0"
    if column.source_missing and not figures.missing:
        empty += f"<br><span class=soft>{column.source_missing:.2%} in the source</span>"
    target = f" {badge('target')}" if column.target else ""
    small = [each for each in (column.unit, "may be empty" if column.nullable else "") if each]
    kind = "<br>".join([escape(figures.type), *(f"<span class=soft>{escape(each)}</span>" for each in small)])
    median = text(figures.quantiles[2]) if figures.quantiles else ""
    told = f"<p class=soft>{prose(column.description)}</p>" if column.description else ""
    return (
        f"{name(column.name)}{target}{told}", kind, empty, f"{figures.distinct:,}",
        *(escape(each or "") for each in (figures.minimum, median, figures.maximum)), _plot(column),
    )


def _plot(column: CardColumn) -> str:
    figures = column.figures
    if figures.minimum is None or len(figures.bars) <= 1:
        return _values(column)
    most = max(bar.rows for bar in figures.bars) or 1
    width, height = 192, 40
    step = width / len(figures.bars)
    bars = "".join(
        f'<rect x="{number * step:.1f}" y="{height - size:.1f}" width="{step - 1:.1f}" height="{size:.1f}">'
        f"<title>from {escape(bar.label)}: {bar.rows:,} rows</title></rect>"
        for number, bar in enumerate(figures.bars)
        if (size := max(bar.rows / most * height, 1.0 if bar.rows else 0.0))
    )
    label = f"{column.name} from {figures.minimum} to {figures.maximum}"
    box = f'viewBox="0 0 {width} {height}" preserveAspectRatio=none'
    return f'<svg role=img {box} aria-label="{escape(label)}">{bars}</svg>'


def _values(column: CardColumn) -> str:
    figures = column.figures
    filled = max(figures.rows - figures.missing, 1)
    rows = [(bar.label, bar.rows) for bar in figures.bars[:5]]
    others = filled - sum(count for _, count in rows) if rows else 0
    if others > 0:
        rows.append((f"{max(figures.distinct - len(rows), 1):,} others", others))
    return "<ul class=values>" + "".join(
        f"<li><span>{escape(label) or '<i>empty text</i>'}</span><meter value={count / filled:.4f}></meter>"
        f"<span class=soft>{count / filled:.1%}</span></li>" for label, count in rows
    ) + "</ul>"


def _quality(card: Card) -> str:
    parts = table(("Part", "Asked", "Hold", "Score"), [
        (escape(each.name), f"{each.asked}", f"{each.held}",
         f"<meter value={each.score:.4f}></meter> {each.score:.3f}") for each in card.aspects
    ], numbers=(1, 2, 3))
    failures = [(f"<code>{escape(each.expectation)}</code>", "suite", escape(each.found)) for each in card.failures]
    failures += [
        (escape(each.name), each.severity, escape(each.message)) for each in card.checks if not each.success
    ]
    if failures:
        told = "<h3>What does not hold</h3>" + table(("Question", "Severity", "Found"), failures)
    else:
        told = f"<p>Every expectation of the suite and each of {len(card.checks)} checks holds.</p>"
    return f"<section><h2>Quality</h2>{parts}{told}</section>"


def _limits(card: Card) -> str:
    if not card.limits:
        return ""
    listed = "".join(f"<li>{prose(each)}</li>" for each in card.limits)
    return f"<section><h2>Known limits</h2><ul>{listed}</ul></section>"


def _origin(card: Card) -> str:
    source = card.source
    rows = [
        ("Origin", prose(card.origin) or "<span class=soft>not stated</span>"),
        ("Source", f"<code>{escape(source.location)}</code>, {source.rows:,} rows<br>{_digest(source.sha256)}"),
        *([("Set aside", f"{source.quarantined:,} rows: {escape(source.why_aside())}")] if source.quarantined else []),
        ("Suite", f"<code>{escape(card.validation.suite)}</code>, {escape(card.validation.engine)}<br>"
                  f"{_digest(card.validation.suite_sha256)}"),
        ("Fingerprint", _digest(card.fingerprint)),
    ]
    if card.by_hand:
        rows.append(("More", f"<code>{escape(card.by_hand)}</code>"))
    listed = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in rows)
    made = table(("Made", "Commit", "Source", "Suite", "Declaration", "Code"), [
        (escape(each.created[:19].replace("T", " ")),
         _short(each.commit or "none") + ("" if each.clean else " <span class=soft>with changes</span>"),
         *(_short(digest) for digest in (each.source, each.suite, each.config, each.code))) for each in card.made
    ]) if card.made else ""
    return f"<section><h2>Where it comes from</h2><dl>{listed}</dl>{made}</section>"


def _history(card: Card) -> str:
    rows = [
        (f"{'<b>' if each.this else ''}<code>{escape(each.version)}</code>{' this one</b>' if each.this else ''}",
         escape(each.created[:19].replace("T", " ")), f"{each.rows:,}", f"{each.quality:.3f}", escape(each.source))
        for each in card.history
    ]
    listed = table(("Version", "Made", "Rows", "Quality", "Source"), rows, numbers=(2, 3))
    return f"<section><h2>Versions</h2>{listed}</section>"


def _digest(value: str) -> str:
    return f"<code class=digest>{escape(value)}</code>"


def _short(digest: str) -> str:
    return f'<code title="{escape(digest)}">{escape(digest.removeprefix("sha256:")[:12])}</code>'
