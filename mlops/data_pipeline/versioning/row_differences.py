"""Which rows two versions differ in, by 128 bits of hash for each row, so that rows beyond memory can be compared.

Without a key a changed row is one removed and one added. With a key, rows of the same key are held
against each other column by column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops.data_pipeline.tables.summaries import text
from mlops.data_pipeline.versioning.versions import Found
from mlops.errors import UsageError
from mlops.records.base import Record

if TYPE_CHECKING:
    import polars

SHOWN = 5
_HASH = ("__one", "__two")
_COUNT = "__rows"
_SEEDS = (0x5357, 0x4259)  # two different ones give two independent hashes


class RowDifference(Record, frozen=True, kw_only=True):
    """Rows that are only in one of two versions.

    Attributes:
        compared: The columns that rows are compared in: those that both versions have, with the same type.
        key: The columns that name a row; empty for none.
        changed: Rows whose key is in both and whose other cells differ; None without a key.
        moved: Rows in both that are on another side of the split.
        cells: Column → how many of the changed rows differ in it.
        examples: Up to five each: `{"change", "row"}` or, for a changed one, `{"change", "key", "cells"}`.
    """

    before: int
    after: int
    compared: list[str]
    key: list[str]
    added: int
    removed: int
    changed: int | None
    moved: int
    cells: dict[str, int]
    examples: list[dict[str, Any]]


def compare(before: Found, after: Found, key: list[str]) -> RowDifference:
    """The rows of `after` that `before` has not, and the reverse.

    Raises:
        UsageError: a key column is not in both versions, or the key does not name one row.
    """
    import polars as pl

    columns = _shared(before, after)
    _check_key(key, columns, before, after)
    old, new = _rows(before, columns), _rows(after, columns)
    counts = _counts(old).join(_counts(new), on=list(_HASH), how="full", coalesce=True, suffix="_after").with_columns(
        pl.col(_COUNT, f"{_COUNT}_after").fill_null(0)
    ).collect(engine="streaming")
    gone, come = _only(counts, _COUNT, f"{_COUNT}_after"), _only(counts, f"{_COUNT}_after", _COUNT)
    removed, added = _total(gone), _total(come)
    out, into = _pick(old, gone, columns), _pick(new, come, columns)
    changed, cells, examples = (None, {}, []) if not key else _changed(out, into, key, columns)
    if changed:
        out = out.join(into, on=key, how="anti", nulls_equal=True)
        into = into.join(_pick(old, gone, columns), on=key, how="anti", nulls_equal=True)
        removed, added = removed - changed, added - changed
    examples += _examples("removed", out) + _examples("added", into)
    return RowDifference(
        before=before.record.rows, after=after.record.rows, compared=columns, key=key, added=added, removed=removed,
        changed=changed, moved=_moved(before, after, columns), cells=cells, examples=examples,
    )


def _shared(before: Found, after: Found) -> list[str]:
    old = {each.name: each.type for each in before.record.columns}
    return [each.name for each in after.record.columns if old.get(each.name) == each.type]


def _rows(found: Found, columns: list[str], parts: tuple[str, ...] = ()) -> polars.LazyFrame:
    """The rows of a version, or of some of its parts, with their hashes; equal values of one type hash equally."""
    import polars as pl

    files = [found.part(split) for split in found.record.splits if not parts or split.name in parts]
    types = {each.name: each.type for each in found.record.columns}
    frame = pl.scan_parquet(files).select(_plain(name, types[name]) for name in columns)
    whole = pl.struct(columns) if columns else pl.lit(0)
    return frame.with_columns(
        whole.hash(seed).alias(name) for name, seed in zip(_HASH, _SEEDS, strict=True)
    )


def _plain(name: str, kind: str) -> polars.Expr:
    """A column in the widest form of its type: the same value may be stored narrower in one version."""
    import polars as pl

    wide: dict[str, Any] = {
        "float": pl.Float64, "integer": pl.Int64, "boolean": pl.Boolean, "string": pl.String,
        "datetime": pl.Datetime("us"),
    }
    return pl.col(name).cast(wide[kind])


def _counts(rows: polars.LazyFrame) -> polars.LazyFrame:
    import polars as pl

    return rows.group_by(_HASH).agg(pl.len().cast(pl.Int64).alias(_COUNT))


def _only(counts: polars.DataFrame, here: str, there: str) -> polars.DataFrame:
    """Hashes that one side has more often, and how much more often."""
    import polars as pl

    return counts.filter(pl.col(here) > pl.col(there)).select(*_HASH, (pl.col(here) - pl.col(there)).alias(_COUNT))


def _total(counts: polars.DataFrame) -> int:
    return int(counts[_COUNT].sum())


def _pick(rows: polars.LazyFrame, hashes: polars.DataFrame, columns: list[str]) -> polars.DataFrame:
    picked = rows.join(hashes.select(_HASH).lazy(), on=list(_HASH), how="semi").select(columns)
    return picked.collect(engine="streaming")


def _changed(
    out: polars.DataFrame, into: polars.DataFrame, key: list[str], columns: list[str]
) -> tuple[int, dict[str, int], list[dict[str, Any]]]:
    import polars as pl

    both = out.join(into, on=key, how="inner", suffix="\0after", nulls_equal=True, maintain_order="left")
    rest = [name for name in columns if name not in key]
    cells = {name: both.filter(pl.col(name).ne_missing(pl.col(f"{name}\0after"))).height for name in rest}
    examples = [
        {
            "change": "changed", "key": {name: _cell(row[name]) for name in key},
            "cells": {name: [_cell(row[name]), _cell(row[f"{name}\0after"])] for name in rest
                      if row[name] != row[f"{name}\0after"]},
        }
        for row in both.head(SHOWN).iter_rows(named=True)
    ]
    return both.height, {name: count for name, count in cells.items() if count}, examples


def _examples(change: str, rows: polars.DataFrame) -> list[dict[str, Any]]:
    return [
        {"change": change, "row": {name: _cell(value) for name, value in row.items()}}
        for row in rows.head(SHOWN).iter_rows(named=True)
    ]


def _cell(value: Any) -> str | None:
    return None if value is None else text(value)


def _moved(before: Found, after: Found, columns: list[str]) -> int:
    """Rows that both versions have, in another part."""
    import polars as pl

    parts = sorted({each.name for each in before.record.splits} & {each.name for each in after.record.splits})
    moved = 0
    for part in parts:
        here = _rows(before, columns, (part,)).select(_HASH).unique()
        others = tuple(each.name for each in after.record.splits if each.name != part)
        if others:
            there = _rows(after, columns, others).select(_HASH).unique()
            moved += int(here.join(there, on=list(_HASH), how="semi").select(pl.len()).collect().item())
    return moved


def _check_key(key: list[str], columns: list[str], before: Found, after: Found) -> None:
    import polars as pl

    lacking = [name for name in key if name not in columns]
    if lacking:
        raise UsageError(
            f"the key column {lacking[0]!r} is not in both versions with one type",
            mend=f"name columns among {', '.join(columns)}",
        )
    for found in (before, after) if key else ():
        rows = pl.scan_parquet([found.part(split) for split in found.record.splits]).select(key)
        distinct = int(rows.unique().select(pl.len()).collect(engine="streaming").item())
        if distinct != found.record.rows:
            raise UsageError(
                f"the key {', '.join(key)} does not name one row: version {found.record.version} has "
                f"{found.record.rows} rows with {distinct} different keys",
                mend="name further columns with --key, or none",
            )
