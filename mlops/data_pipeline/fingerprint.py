"""Fingerprints of rows: the same for the same content in any order, file layout or compression.

A row's canonical bytes are, column by column in the order of their names, one byte that is 1 for a
value and 0 for none, then the value: 8 bytes little-endian for numbers (IEEE 754 double, with one
zero and one not-a-number; 64-bit integer for integers, booleans and microseconds of a time), BLAKE2b-128 of the
UTF-8 text for strings. A row's digest is BLAKE2b-128 of these bytes; a table's fingerprint is SHA-256 over its
columns' names and types and the sorted digests of its rows, so a repeated row counts twice.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from mlops.errors import BadDataError
from mlops.files import sha256_bytes

if TYPE_CHECKING:
    import polars

DIGEST = 16
"""Bytes of a row's digest."""

TYPES = ("string", "float", "integer", "boolean", "datetime")


def column_type(name: str, kind: Any) -> str:
    """The type of a column (one of TYPES) for a Polars type.

    Raises:
        BadDataError: a type that a table of this house does not hold, such as a list.
    """
    import polars as pl

    if kind in (pl.String, pl.Categorical) or isinstance(kind, pl.Enum):
        return "string"
    if kind.is_float() or kind.is_decimal():
        return "float"
    if kind.is_integer():
        return "integer"
    if kind == pl.Boolean:
        return "boolean"
    if kind == pl.Date or isinstance(kind, pl.Datetime):
        return "datetime"
    raise BadDataError(
        f"column {name!r} has the type {kind}", mend="use strings, numbers, booleans or dates in a table's columns"
    )


def row_digests(table: polars.DataFrame, columns: list[str] | None = None, *, salt: str = "") -> list[bytes]:
    """The digest of each row of `table` over `columns` (all when absent), in the table's order."""
    import numpy as np

    names = sorted(table.columns if columns is None else columns)
    parts = [_encode(table[name]) for name in names]
    rows = np.concatenate(parts, axis=1) if parts else np.zeros((table.height, 1), np.uint8)
    width, content = rows.shape[1], np.ascontiguousarray(rows).tobytes()
    key = hashlib.blake2b(salt.encode(), digest_size=DIGEST).digest() if salt else b""
    blake2b = hashlib.blake2b
    return [
        blake2b(content[start:start + width], digest_size=DIGEST, key=key).digest()
        for start in range(0, width * table.height, width)
    ]


def fingerprint(table: polars.DataFrame, digests: list[bytes] | None = None) -> str:
    """`sha256:…` of the table's content; `digests` are its rows', where they are known already."""
    shape = "".join(f"{name}:{column_type(name, table.schema[name])}\n" for name in sorted(table.columns))
    rows = sorted(row_digests(table) if digests is None else digests)
    return sha256_bytes(shape.encode() + b"".join(rows))


def _encode(column: polars.Series) -> Any:
    """A column's canonical bytes, an array of (rows, 9) for numbers and (rows, 17) for strings."""
    import numpy as np
    import polars as pl

    kind = column_type(column.name, column.dtype)
    present = column.is_not_null().to_numpy().astype(np.uint8)[:, None]
    if kind == "string":
        texts = column.cast(pl.String)
        distinct = texts.unique().drop_nulls().sort()
        digest = {text: hashlib.blake2b(text.encode(), digest_size=DIGEST).digest() for text in distinct}
        blank = bytes(DIGEST)
        joined = b"".join(digest.get(text, blank) for text in texts)
        values = np.frombuffer(joined, np.uint8).reshape(-1, DIGEST)
    elif kind == "float":
        numbers = column.cast(pl.Float64).fill_null(0.0).to_numpy()
        numbers = np.where(np.isnan(numbers), np.nan, numbers) + 0.0  # one not-a-number; -0.0 + 0.0 is 0.0
        values = np.ascontiguousarray(numbers, "<f8").view(np.uint8).reshape(-1, 8)
    else:
        if kind == "datetime":
            column = column.cast(pl.Datetime("us"))
        whole = column.cast(pl.Int64).fill_null(0).to_numpy()
        values = np.ascontiguousarray(whole, "<i8").view(np.uint8).reshape(-1, 8)
    return np.concatenate([present, values], axis=1)
