"""A difference of two data versions, as lines for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlops.data_pipeline.versioning.differences import Difference

MOST = 30  # lines of one kind; --format json has all


def told(found: Difference) -> Iterator[str]:
    """The lines, from what matters most to where it comes from."""
    yield f"{found.dataset}: {found.before} → {found.after}" + (", the same rows" if found.same else "")
    rows = found.rows
    changed = [] if rows.changed is None else [f"{rows.changed} changed (key {', '.join(rows.key)})"]
    counts = ", ".join([f"{rows.added} added", f"{rows.removed} removed", *changed])
    yield f"rows     {rows.before} → {rows.after}: {counts}; {rows.moved} on another side of the split"
    if any(each.change != "nullable" for each in found.columns):
        yield f"         compared in {', '.join(rows.compared) or 'no column'}"
    yield from (f"         {count} rows changed in {name}" for name, count in rows.cells.items())
    yield from (f"  {_example(each)}" for each in rows.examples)
    yield from (f"column   {_column(each)}" for each in found.columns)
    yield from _most([
        f"figure   {each.column}: {each.figure} {_value(each.before)} → {_value(each.after)}" for each in found.figures
    ])
    yield from _most(
        [f"verdict  {each.what}: {each.before or 'not asked'} → {each.after or 'not asked'}" for each in found.verdicts]
    )
    if found.quality[0] != found.quality[1]:
        yield f"quality  {found.quality[0]:.3f} → {found.quality[1]:.3f}"
    yield from (f"{name:<8} {pair[0] or 'unknown'} → {pair[1] or 'unknown'}" for name, pair in found.origin.items())


def _most(lines: list[str]) -> Iterator[str]:
    yield from lines[:MOST]
    if len(lines) > MOST:
        yield f"         and {len(lines) - MOST} more; --format json tells all"


def _column(change: Any) -> str:
    if change.change in ("added", "removed"):
        return f"{change.column} {change.change} ({change.before or change.after})"
    return f"{change.column}: {change.before} → {change.after}"


def _example(example: dict[str, Any]) -> str:
    if example["change"] == "changed":
        cells = ", ".join(f"{name} {_shown(old)} → {_shown(new)}" for name, (old, new) in example["cells"].items())
        return f"~ {_cells(example['key'])}: {cells}"
    return f"{'+' if example['change'] == 'added' else '-'} {_cells(example['row'])}"


def _cells(row: dict[str, str | None]) -> str:
    return ", ".join(f"{name} {_shown(value)}" for name, value in row.items())


def _shown(cell: str | None) -> str:
    return "empty" if cell is None else cell


def _value(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else "none" if value is None else str(value)
