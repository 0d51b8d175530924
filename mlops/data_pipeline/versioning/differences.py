"""What two versions of a data set differ in: columns, rows, figures, the suite's verdicts, and where they come from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from mlops import documents
from mlops.data_pipeline.tables import summaries
from mlops.data_pipeline.versioning import row_differences
from mlops.data_pipeline.versioning.versions import DECLARATION, RESULT, Found
from mlops.records.base import Document, Record


class ColumnChange(Record, frozen=True, kw_only=True):
    """A column that is not as it was: `change` is added, removed, type or nullable."""

    column: str
    change: str
    before: str = ""
    after: str = ""


class FigureChange(Record, frozen=True, kw_only=True):
    """One figure of a column's summary, before and after."""

    column: str
    figure: str
    before: float | str | None
    after: float | str | None


class VerdictChange(Record, frozen=True, kw_only=True):
    """An expectation or a check whose outcome differs; empty where it was not asked."""

    what: str
    before: str
    after: str


class Difference(Document, frozen=True, kw_only=True):
    """The whole answer. `same` is true where both have the same rows in the same columns on the same sides.

    Attributes:
        origin: Source, suite, config, code or commit → before and after, for those that differ.
    """

    dataset: str
    before: str
    after: str
    same: bool
    columns: list[ColumnChange]
    rows: row_differences.RowDifference
    figures: list[FigureChange]
    verdicts: list[VerdictChange]
    quality: list[float]
    origin: dict[str, list[str]]


def compare(before: Found, after: Found, key: Sequence[str] = ()) -> Difference:
    """What `after` has otherwise than `before`.

    Args:
        key: The columns that name a row; those that the newer version's declaration names when empty.

    Raises:
        UsageError: a key column is not in both versions, or the key does not name rows.
        MissingInputError, IntegrityError: the bytes of a version are not there, or not its own.
    """
    before.verify()
    after.verify()
    columns = _columns(before, after)
    return Difference(
        dataset=after.record.dataset, before=before.record.version, after=after.record.version,
        same=before.record.fingerprint == after.record.fingerprint and not columns,
        columns=columns, rows=row_differences.compare(before, after, list(key) or _declared_key(after)),
        figures=_figures(before, after), verdicts=_verdicts(before, after),
        quality=[before.record.quality, after.record.quality], origin=_origins(before, after),
    )


def _columns(before: Found, after: Found) -> list[ColumnChange]:
    old = {each.name: each for each in before.record.columns}
    new = {each.name: each for each in after.record.columns}
    found = [ColumnChange(column=name, change="removed", before=old[name].type) for name in old if name not in new]
    found += [ColumnChange(column=name, change="added", after=new[name].type) for name in new if name not in old]
    for name in (each for each in old if each in new):
        if old[name].type != new[name].type:
            found.append(ColumnChange(column=name, change="type", before=old[name].type, after=new[name].type))
        if old[name].nullable != new[name].nullable:
            told = ["may be empty" if each[name].nullable else "never empty" for each in (old, new)]
            found.append(ColumnChange(column=name, change="nullable", before=told[0], after=told[1]))
    return found


def _declared_key(found: Found) -> list[str]:
    path = found.folder / DECLARATION
    if not path.is_file():
        return []
    keys = (documents.mapping(path).get("checks") or {}).get("keys") or []
    columns = keys[0].get("columns") if keys and isinstance(keys[0], dict) else None
    names = {each.name for each in found.record.columns}
    return list(columns) if columns and set(columns) <= names else []


def _figures(before: Found, after: Found) -> list[FigureChange]:
    old, new = (
        {each.name: each for each in summaries.summarise([one.part(split) for split in one.record.splits],
                                                         one.record.columns)}
        for one in (before, after)
    )
    changes = []
    for name in (each for each in new if each in old and old[each].type == new[each].type):
        for figure in ("missing", "distinct", "minimum", "maximum", "mean", "deviation"):
            one, other = getattr(old[name], figure), getattr(new[name], figure)
            equal = summaries.same(one, other) if figure in ("mean", "deviation") else one == other
            if not equal:
                changes.append(FigureChange(column=name, figure=figure, before=one, after=other))
        if old[name].type in ("float", "integer") and len(old[name].quantiles) == len(new[name].quantiles) > 0:
            one, other = old[name].quantiles[2], new[name].quantiles[2]
            if not summaries.same(one, other):
                changes.append(FigureChange(column=name, figure="median", before=one, after=other))
    return changes


def _verdicts(before: Found, after: Found) -> list[VerdictChange]:
    old, new = _outcomes(before), _outcomes(after)
    return [
        VerdictChange(what=what, before=old.get(what, ""), after=new.get(what, ""))
        for what in {**old, **new} if old.get(what) != new.get(what)
    ]


def _outcomes(found: Found) -> dict[str, str]:
    """Expectation or check → pass or fail."""
    outcomes = {f"check {each.name}": _told(each.success) for each in found.record.checks}
    path = found.folder / RESULT
    results = json.loads(path.read_bytes()).get("results", []) if path.is_file() else []
    for each in results:
        outcomes[expectation(each)] = _told(bool(each.get("success")))
    return outcomes


def expectation(result: dict[str, Any]) -> str:
    """An expectation in one line, from its result: its type with what it was asked."""
    config = result.get("expectation_config", {})
    asked = {name: each for name, each in config.get("kwargs", {}).items() if name != "batch_id" and each is not None}
    return f"{config.get('type', '?')}({', '.join(f'{name}={_short(value)}' for name, value in asked.items())})"


def _short(value: Any) -> str:
    told = json.dumps(value, ensure_ascii=False, default=str)
    return told if len(told) <= 80 else f"{told[:77]}..."


def _told(success: bool) -> str:
    return "pass" if success else "fail"


def _origins(before: Found, after: Found) -> dict[str, list[str]]:
    pairs = {
        "source": [each.record.source.sha256 for each in (before, after)],
        "location": [each.record.source.location for each in (before, after)],
        "suite": [each.record.validation.suite_sha256 for each in (before, after)],
    }
    for name in ("config", "code", "commit"):
        pairs[name] = [_made(each, name) for each in (before, after)]
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _made(found: Found, name: str) -> str:
    made = found.provenance.made if found.provenance else []
    return str(getattr(made[-1], name) or "") if made else ""
