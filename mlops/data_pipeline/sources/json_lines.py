"""JSON lines: one object a line, read strictly."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mlops.data_pipeline import types
from mlops.data_pipeline.dataset import Column
from mlops.data_pipeline.reading import Reading
from mlops.data_pipeline.sources.opened import Batch, Loose
from mlops.data_pipeline.sources.text import Block, blocks, lines_of
from mlops.errors import BadDataError

if TYPE_CHECKING:
    import polars

_ROWS = 1 << 16
"""Rows made into a batch at once; Python's objects are large."""


def read_json_lines(
    chunks: Iterable[bytes], where: str, columns: dict[str, Column], reading: Reading, loose: Loose
) -> Iterator[Batch]:
    """The columns of each line's object; a key that a line does not have is no value.

    Undeclared ones are text, as in a CSV file; they are those of `loose`, and `Batch.seen` tells of others. Lines
    without text are no rows.

    Raises:
        BadDataError: a line is no JSON object; names the line.
    """
    for block in blocks(chunks, where, encoding=reading.encoding):
        rows = _objects(block, where)
        for start in range(0, len(rows), _ROWS):
            yield batch_of(rows[start:start + _ROWS], columns, loose)


def batch_of(rows: list[dict[str, Any]], columns: dict[str, Column], loose: Loose) -> Batch:
    """A batch of objects, each with columns among its keys."""
    import polars as pl

    names = [*columns, *(name for name in loose if name not in columns)]
    series, wrong = [], {}
    for name in names:
        if loose.get(name) == "absent":
            continue
        values = [row.get(name) for row in rows]
        if name in loose:
            series.append(untyped(name, values, loose[name]))
            continue
        made, bad = types.from_objects(name, values, columns[name])
        series.append(made)
        if bad is not None:
            wrong[name] = bad

    def raw() -> pl.DataFrame:
        return pl.DataFrame([untyped(name, [row.get(name) for row in rows]) for name in names])

    return Batch(pl.DataFrame(series), wrong, raw, _seen(rows, names))


def untyped(name: str, values: Sequence[Any], kind: str = "string") -> polars.Series:
    """A column that stays text, or whose texts are read as `float`."""
    import polars as pl

    made = pl.Series(name, [None if value is None else _as_text(value) for value in values], dtype=pl.String)
    return made.cast(pl.Float64, strict=False) if kind == "float" else made


def _as_text(value: Any) -> str:
    """A value as a cell of text: what JSON has as JSON writes it, else as it is told."""
    if isinstance(value, dict | list | bool | int | float):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _seen(rows: list[dict[str, Any]], names: list[str]) -> tuple[str, ...]:
    """The keys that rows have: those of `names`, then others as they come. One without a name is none, as in CSV."""
    keys: set[str] = set().union(*rows) - {""}
    others = dict.fromkeys(key for row in rows for key in row if key in keys) if keys - set(names) else {}
    return (*(name for name in names if name in keys), *(key for key in others if key not in names))


def _objects(block: Block, where: str) -> list[dict[str, Any]]:
    import msgspec

    try:
        rows = msgspec.json.Decoder(dict[str, Any]).decode_lines(block.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        rows = []
        for number, line in enumerate(lines_of(block.content), block.line):
            if line.strip():
                rows.append(_object(line, f"{where}:{number}"))
    return rows


def _object(line: bytes, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line, parse_constant=_refused)
    except (ValueError, RecursionError) as error:
        raise BadDataError(
            f"is no JSON: {str(error)[:120]}", where=where,
            mend="write one JSON object a line; the file may be cut off",
        ) from error
    if not isinstance(row, dict):
        raise BadDataError(
            f"holds {type(row).__name__}, not an object", where=where, mend='write each row as {"column": value, …}'
        )
    return row


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON value; write null")
