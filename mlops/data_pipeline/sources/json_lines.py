"""JSON lines: one object a line, read strictly."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from mlops.data_pipeline import types
from mlops.data_pipeline.dataset import Column
from mlops.data_pipeline.reading import Reading
from mlops.data_pipeline.sources.opened import Batch, Loose
from mlops.data_pipeline.sources.text import Block, blocks, lines_of
from mlops.errors import BadDataError

_ROWS = 1 << 16
"""Rows made into a batch at once; Python's objects are large."""


def read_json_lines(
    chunks: Iterable[bytes], where: str, columns: dict[str, Column], reading: Reading, loose: Loose
) -> Iterator[Batch]:
    """The declared columns of each line's object; a key that a line does not have is no value.

    Other keys are left out. Lines without text are no rows.

    Raises:
        BadDataError: a line is no JSON object; names the line.
    """
    for block in blocks(chunks, where, encoding=reading.encoding):
        rows = _objects(block, where)
        for start in range(0, len(rows), _ROWS):
            yield batch_of(rows[start:start + _ROWS], columns, loose)


def batch_of(rows: list[dict[str, Any]], columns: dict[str, Column], loose: Loose) -> Batch:
    """A batch of objects, each with the declared columns among its keys."""
    import polars as pl

    series, wrong = [], {}
    seen = frozenset(name for name in columns if any(name in row for row in rows))
    for name, column in columns.items():
        if loose.get(name) == "absent":
            continue
        values = [row.get(name) for row in rows]
        if name in loose:
            texts = [None if value is None else as_text(value) for value in values]
            made = pl.Series(name, texts, dtype=pl.String)
            series.append(made.cast(pl.Float64, strict=False) if loose[name] == "float" else made)
            continue
        made, bad = types.from_objects(name, values, column)
        series.append(made)
        if bad is not None:
            wrong[name] = bad

    def raw() -> pl.DataFrame:
        return pl.DataFrame(
            {name: [None if row.get(name) is None else as_text(row[name]) for row in rows] for name in columns},
            schema=dict.fromkeys(columns, pl.String()),
        )

    return Batch(pl.DataFrame(series), wrong, raw, seen)


def as_text(value: Any) -> str:
    """A value as a cell of text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _objects(block: Block, where: str) -> list[dict[str, Any]]:
    import msgspec

    try:
        rows = msgspec.json.Decoder(dict[str, Any]).decode_lines(block.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
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
