"""What every source gives: its parts, in order, each as batches of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Protocol

import msgspec

from mlops.records import Source

if TYPE_CHECKING:
    import polars

Loose = Mapping[str, str]
"""Columns that are not in their declared type because a cell cannot be: how they are read instead (`string`,
`float`), or `absent` for one that no row has. An undeclared column that only rows tell of stands here as `string`."""


class Batch(msgspec.Struct, frozen=True):
    """Some rows of a part, following those of the batch before.

    Attributes:
        table: The columns; a declared one in its type, with no value where a cell cannot be it.
        wrong: For each column that has such cells, which.
        raw: Gives the same rows with the cells as they came, all as text.
        seen: Where rows name their columns themselves, those that some row has; None for all columns of the table.
        numeric: Columns whose wrong cells are all numbers.
    """

    table: polars.DataFrame
    wrong: Mapping[str, polars.Series]
    raw: Callable[[], polars.DataFrame]
    seen: tuple[str, ...] | None = None
    numeric: frozenset[str] = frozenset()


class Part(Protocol):
    """One file, query or frame of a source."""

    @property
    def name(self) -> str:
        """Where, for people."""

    def batches(self, loose: Loose) -> Iterator[Batch]:
        """The rows; may be asked again, and then gives the same ones or says that they changed."""

    def digest(self) -> str:
        """`sha256:…` of the bytes read, once all batches were taken; empty where there are no bytes."""


class Opened(msgspec.Struct, frozen=True):
    """A source that is ready to be read.

    Attributes:
        location: Where, for people and records; without secrets.
        own: Whether it is the data set's own source.
        expect_settled: To be called once all parts were read: raises BusyError where one of them changed since it was
            read, or where there are others by now.
    """

    location: str
    parts: tuple[Part, ...]
    own: bool
    expect_settled: Callable[[], None] = lambda: None


class Raw(msgspec.Struct, frozen=True):
    """Rows in memory, typed but not judged, and where from."""

    table: polars.DataFrame
    source: Source
