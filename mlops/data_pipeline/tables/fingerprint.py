"""Fingerprints of rows: the same for the same content in any file layout or compression, and in any order if wanted.

A cell is 64 bits: for a float its IEEE 754 double (one zero, so -0.0 is 0.0; one not-a-number), for an integer, a
boolean or the microseconds of a time its 64-bit integer, for a text the two halves of BLAKE2b-128 of its UTF-8 bytes,
one for each lane. No value is a word of its own: an empty cell, an empty text, a zero and not-a-number all differ. A
row is two lanes of 64 bits. In each, every cell is mixed (Steele, Lea and Flood, "Fast splittable pseudorandom number
generators", 2014, the finalizer of SplitMix64) under a key from its column's name, the mixed cells are added, and the
sum is mixed again. A table is its columns' names and types, the number of its rows, and in each lane their sum
modulo 2**64: rows may come in any order and batches, and a repeated row counts twice. Where the order belongs
to the identity, a row's number from 0 is one more column.

It is made of integer arithmetic alone, so no version of a library changes it. It tells different data apart (a
random pair agrees with probability 2**-128) and is no defence against somebody who constructs a collision: against
that, the SHA-256 of the files stands beside it.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from mlops.errors import BadDataError
from mlops.files import sha256_bytes

if TYPE_CHECKING:
    import numpy
    import polars

    Words = numpy.ndarray[Any, numpy.dtype[numpy.uint64]]

LANES = 2
TYPES = ("string", "float", "integer", "boolean", "datetime")
_STEP = 1 << 14
"""Rows mixed at a time: few enough to stay in the processor's cache."""


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
    if kind.is_integer() and kind not in (pl.Int128, pl.UInt128):
        return "integer"
    if kind == pl.Boolean:
        return "boolean"
    if kind == pl.Date or isinstance(kind, pl.Datetime):
        return "datetime"
    raise BadDataError(
        f"column {name!r} has the type {kind}", mend="use strings, numbers, booleans or dates in a table's columns"
    )


class Fingerprint:
    """The fingerprint of a table that comes in batches.

    Args:
        ordered: Whether the order of the rows counts.
    """

    def __init__(self, *, ordered: bool = False) -> None:
        self._ordered = ordered
        self._shape: str | None = None
        self._sums = [0] * LANES
        self.rows = 0

    def add(self, table: polars.DataFrame, hashes: Words | None = None) -> None:
        """Take the next rows.

        Args:
            hashes: What `row_hashes` gives for them, where that is known.

        Raises:
            BadDataError: columns of another name or type than those before.
        """
        import numpy as np

        shape = "".join(f"{name}:{column_type(name, kind)}\n" for name, kind in sorted(table.schema.items()))
        if self._shape not in (None, shape):
            raise BadDataError(
                "the rows have other columns than those before", mend="give all files the same columns and types"
            )
        self._shape = shape
        hashes = row_hashes(table) if hashes is None else hashes
        counted = hashes
        if self._ordered:
            numbers = np.arange(self.rows, self.rows + table.height, dtype=np.uint64)
            counted = np.stack([_mix(lane + _mix(numbers ^ key)) for lane, key in zip(hashes, _keys("\0row"))])
        for lane in range(LANES):
            self._sums[lane] = (self._sums[lane] + int(counted[lane].sum(dtype=np.uint64))) % 2**64
        self.rows += table.height

    def digest(self) -> str:
        """`sha256:…` of what was taken so far."""
        words = [self.rows, *self._sums]
        kind = b"order\n" if self._ordered else b"rows\n"
        numbers = b"".join(word.to_bytes(8, "little") for word in words)
        return sha256_bytes(kind + (self._shape or "").encode() + numbers)


def fingerprint(table: polars.DataFrame, *, ordered: bool = False) -> str:
    """`sha256:…` of the table's content."""
    taken = Fingerprint(ordered=ordered)
    taken.add(table)
    return taken.digest()


class Cells:
    """The cells of some rows as words, from which hashes over any of the columns are made."""

    def __init__(self, table: polars.DataFrame) -> None:
        self._rows = table.height
        self._words = {name: _words(table[name]) for name in table.columns}

    def hashes(self, columns: Iterable[str] | None = None, *, salt: str = "") -> Words:
        """The 128-bit hash of each row over `columns` (all when absent), as an array of (2, rows) 64-bit words."""
        import numpy as np

        hashes = np.zeros((LANES, self._rows), np.uint64)
        names = sorted(self._words if columns is None else columns)
        parts = [(_keys(f"{name}\0{salt}"), *self._words[name]) for name in names]
        for start in range(0, self._rows, _STEP):
            rows = slice(start, start + _STEP)
            for lane in range(LANES):
                total = hashes[lane, rows]
                for keys, values, missing in parts:
                    mixed = _mix(values[lane][rows] ^ keys[lane])
                    if missing is not None:
                        mixed[missing[rows]] = keys[LANES + lane]
                    total += mixed
                _mix(total)
        return hashes


def row_hashes(table: polars.DataFrame) -> Words:
    """The 128-bit hash of each row, see `Cells.hashes`."""
    return Cells(table).hashes()


@functools.cache
def _keys(text: str) -> Words:
    """The words that belong to a column's name: a key and the word of an empty cell, for each lane."""
    import numpy as np

    return np.frombuffer(hashlib.blake2b(text.encode(), digest_size=16 * LANES).digest(), "<u8").astype(np.uint64)


def _mix(words: Words) -> Words:
    """SplitMix64's finalizer, in place."""
    import numpy as np

    words ^= words >> np.uint64(30)
    words *= np.uint64(0xBF58476D1CE4E5B9)
    words ^= words >> np.uint64(27)
    words *= np.uint64(0x94D049BB133111EB)
    words ^= words >> np.uint64(31)
    return words


def _words(column: polars.Series) -> tuple[tuple[Words, Words], Any]:
    """A column's cells as words for each lane, and where there is none (None for nowhere)."""
    import numpy as np
    import polars as pl

    kind = column_type(column.name, column.dtype)
    missing = column.is_null().to_numpy() if column.null_count() else None
    if kind == "string":
        return _texts(column.cast(pl.String)), missing
    if kind == "float":
        numbers = column.cast(pl.Float64).fill_null(0.0).to_numpy()
        numbers = np.where(np.isnan(numbers), np.nan, numbers) + 0.0  # one not-a-number; -0.0 + 0.0 is 0.0
        words = np.ascontiguousarray(numbers, np.float64).view(np.uint64)
    else:
        if kind == "datetime":
            column = column.cast(pl.Datetime("us"))
        whole = column.fill_null(strategy="zero") if column.dtype == pl.UInt64 else column.cast(pl.Int64).fill_null(0)
        words = np.ascontiguousarray(whole.to_numpy()).view(np.uint64)
    return (words, words), missing


class _Digests(dict[str | None, bytes]):
    """Text → BLAKE2b-128 of its UTF-8 bytes."""

    def __missing__(self, text: str | None) -> bytes:
        size = 8 * LANES
        self[text] = hashlib.blake2b(text.encode(), digest_size=size).digest() if text is not None else bytes(size)
        return self[text]


def _texts(column: polars.Series) -> tuple[Words, Words]:
    import numpy as np

    parts = []
    digests = _Digests()
    for start in range(0, len(column), _STEP):
        if len(digests) > 8 * _STEP:  # a column of all different texts needs no memory
            digests = _Digests()
        parts.append(b"".join(map(digests.__getitem__, column[start:start + _STEP].to_list())))
    words = np.frombuffer(b"".join(parts), "<u8").astype(np.uint64).reshape(-1, LANES)
    return np.ascontiguousarray(words[:, 0]), np.ascontiguousarray(words[:, 1])
