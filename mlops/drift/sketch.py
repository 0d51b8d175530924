"""A sketch: what drift needs to know of a table, in memory that does not grow with its rows.

Counts in fixed bins and integer sums, so that sketches of parts add up to the sketch of the whole, bit for bit,
in any order.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from mlops.drift.layout import Layout, lay_out
from mlops.drift.others import BUCKETS, Others, OthersRecord
from mlops.drift.pairs import PairsRecord, PairSums
from mlops.errors import InvalidRecordError, UsageError
from mlops.files import write_atomic
from mlops.records.base import Document, read

if TYPE_CHECKING:
    import polars

    from mlops.drift.coding import Coded

LAYOUT_ROWS = 200_000
"""Rows of a stream without a reference that are looked at before the bins are laid."""
_BLOCK = 1 << 20
_THREADS_FROM = 200_000
"""With fewer rows, threads cost more than they give: much of the work is in calls too short to run side by side."""
_WORKERS = min(os.cpu_count() or 1, 8)

R = TypeVar("R")


class SketchRecord(Document, frozen=True, kw_only=True):
    """A sketch as it is stored. `counts`: for each column its bins, and the empty cells last."""

    layout: Layout
    rows: int
    counts: list[list[int]]
    unreadable: list[int]
    absent: list[int]
    others: dict[str, OthersRecord]
    extra: list[str]
    pairs: PairsRecord


class Sketch:
    """Counts of a table's cells in the bins of a layout.

    Attributes:
        rows: Rows counted.
        counts: For each column int64 counts of its bins, and of empty cells last.
        unreadable: For each column, values that are not of its type (counted among the empty cells as well).
        absent: For each column, rows that came without it (these are in no count).
        others: By column number, categories without a bin of their own.
        extra: Columns that came and that the layout does not have.
    """

    def __init__(self, layout: Layout) -> None:
        import numpy as np

        self.layout = layout
        self.rows = 0
        self.counts = [np.zeros(column.bins + 1, np.int64) for column in layout.columns]
        self.unreadable = np.zeros(len(layout.columns), np.int64)
        self.absent = np.zeros(len(layout.columns), np.int64)
        self.others = {
            number: Others() for number, column in enumerate(layout.columns)
            if column.kind == "named" and column.type != "boolean"
        }
        self.extra: set[str] = set()
        self.pairs = PairSums(layout)

    @classmethod
    def of(cls, data: Any, *, like: Sketch | None = None) -> Sketch:
        """The sketch of a table, or of an iterable of tables (batches).

        Args:
            data: A Polars or pandas frame, an Arrow table, a dictionary of columns; or batches of them, which are
                taken one at a time.
            like: The reference, whose bins are used. Without it the data is the reference: bins are laid by
                the whole table, or by the first `LAYOUT_ROWS` rows of batches.

        Raises:
            UsageError: the data is none of that, or there is no batch to lay bins by.
        """
        if _is_table(data):
            table = frame(data)
            return cls(like.layout if like else lay_out(table)).update(table)
        if not isinstance(data, Iterable):
            raise UsageError(
                f"{type(data).__name__} is no table", where="Sketch.of", mend="give a frame, or an iterable of frames"
            )
        batches = iter(data)
        if like is not None:
            sketch = cls(like.layout)
        else:
            first, begun = _first_rows(batches)
            sketch = cls(lay_out(first))
            for batch in begun:
                sketch.update(batch)
        for batch in batches:
            sketch.update(batch)
        return sketch

    def update(self, batch: Any) -> Sketch:
        """Count the rows of one more table; returns the sketch itself."""
        table = frame(batch)
        for start in range(0, max(table.height, 1), _BLOCK):
            self._count(table.slice(start, _BLOCK))
        return self

    @staticmethod
    def merge(first: Sketch, second: Sketch) -> Sketch:
        """The sketch of the rows of both; neither is changed.

        Raises:
            UsageError: their bins are not the same.
        """
        if first.layout.identity != second.layout.identity:
            raise UsageError(
                "the sketches have different bins", where="Sketch.merge",
                mend="make both with the same reference: Sketch.of(data, like=reference)",
            )
        merged = Sketch(first.layout)
        for part in (first, second):
            merged.rows += part.rows
            for counts, more in zip(merged.counts, part.counts, strict=True):
                counts += more
            merged.unreadable += part.unreadable
            merged.absent += part.absent
            for number, others in part.others.items():
                merged.others[number].merge(others)
            merged.extra |= part.extra
            merged.pairs.merge(part.pairs)
        return merged

    def record(self) -> SketchRecord:
        """The content in a fixed order."""
        return SketchRecord(
            layout=self.layout, rows=self.rows, counts=[counts.tolist() for counts in self.counts],
            unreadable=self.unreadable.tolist(), absent=self.absent.tolist(), extra=sorted(self.extra),
            others={str(number): others.record() for number, others in self.others.items()},
            pairs=self.pairs.record(),
        )

    def to_json(self) -> bytes:
        """The stored form. Equal for equal sketches."""
        return msgspec.json.encode(self.record()) + b"\n"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sketch) and self.to_json() == other.to_json()

    __hash__ = None  # type: ignore[assignment]

    def save(self, path: Path) -> None:
        """Write the sketch, wholly or not at all.

        Raises:
            ConfigurationError: the folder cannot be written.
        """
        write_atomic(path, self.to_json())

    @classmethod
    def load(cls, path: Path) -> Sketch:
        """The sketch in a file.

        Raises:
            MissingInputError: there is no such file.
            InvalidRecordError: it is no sketch, or contradicts itself.
        """
        import numpy as np

        stored = read(SketchRecord, path)
        sketch = cls(stored.layout)
        fits = (
            [len(each) for each in stored.counts] == [each.size for each in sketch.counts]
            and stored.others.keys() == {str(number) for number in sketch.others}
            and all(len(each.buckets) == BUCKETS for each in stored.others.values())
        )
        if not fits or not len(stored.unreadable) == len(stored.absent) == len(sketch.counts):
            raise InvalidRecordError(
                "is no valid sketch: its counts do not fit its bins", where=path,
                mend="delete it; the next comparison makes it again",
            )
        sketch.rows = stored.rows
        sketch.counts = [np.asarray(counts, np.int64) for counts in stored.counts]
        sketch.unreadable, sketch.absent = np.array(stored.unreadable, np.int64), np.array(stored.absent, np.int64)
        sketch.others = {int(number): Others(others) for number, others in stored.others.items()}
        sketch.extra = set(stored.extra)
        try:
            sketch.pairs = PairSums(stored.layout, stored.pairs)
        except ValueError as error:
            raise InvalidRecordError(
                "is no valid sketch: its sums do not fit its columns", where=path,
                mend="delete it; the next comparison makes it again",
            ) from error
        return sketch

    def _count(self, table: polars.DataFrame) -> None:
        import numpy as np

        coded = self._encode(table)
        for number, each in enumerate(coded):
            if each is None:
                self.absent[number] += table.height
                continue
            self.unreadable[number] += each.unreadable
            if each.others is not None and number in self.others:
                self.others[number].update(each.others)
        self.rows += table.height
        self.extra |= set(table.columns) - {column.name for column in self.layout.columns}
        nothing = np.full(table.height, 255, np.uint8)  # a code that stands for no rank
        found = [coded[feature.column] for feature in self.layout.features]
        self._pair([nothing if each is None else each.codes for each in found], table.height)

    def _encode(self, table: polars.DataFrame) -> list[Coded | None]:
        """The columns' codes, counted; None for one that did not come."""
        import numpy as np

        from mlops.drift.coding import encode

        def one(number: int) -> Coded | None:
            column, counts = self.layout.columns[number], self.counts[number]
            if column.name not in present:
                return None
            coded = encode(table[column.name], column, grids[number])
            counts += np.bincount(coded.codes, minlength=counts.size)
            return coded

        present, grids = set(table.columns), self.layout.grids
        return _each(one, range(len(self.layout.columns)), table.height)

    def _pair(self, codes: list[Any], rows: int) -> None:
        """Rows in as many parts as there are processors: the sums are of integers, so the parts do not matter."""

        def one(part: int) -> PairSums:
            sums = PairSums(self.layout)
            sums.update([each[part * length:(part + 1) * length] for each in codes])
            return sums

        parts = _WORKERS if rows >= _THREADS_FROM else 1
        length = -(-rows // parts)
        for sums in _each(one, range(parts), rows):
            self.pairs.merge(sums)


def _each(function: Callable[[int], R], numbers: range, rows: int) -> list[R]:
    """`function` of each number, on all processors where there are enough rows for it."""
    if rows < _THREADS_FROM or len(numbers) < 2:
        return [function(number) for number in numbers]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_WORKERS) as pool:
        return list(pool.map(function, numbers))


def frame(data: Any) -> polars.DataFrame:
    """A table of whatever library as a Polars frame.

    Raises:
        UsageError: it is no table.
    """
    import polars as pl

    if isinstance(data, pl.DataFrame):
        return data
    try:
        if isinstance(data, pl.LazyFrame):
            return data.collect()
        if hasattr(data, "iloc"):
            return pl.from_pandas(data)
        if isinstance(data, dict):
            return pl.DataFrame(data, strict=False)
        found = pl.from_arrow(data)
    except (pl.exceptions.PolarsError, TypeError, ValueError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        raise UsageError(
            f"is no table that can be read: {reason}", where=f"the batch, a {type(data).__name__}",
            mend="give a Polars or pandas frame, or a dictionary of columns",
        ) from error
    return found if isinstance(found, pl.DataFrame) else pl.DataFrame(found)


def _is_table(data: Any) -> bool:
    import polars as pl

    known = isinstance(data, (dict, pl.DataFrame, pl.LazyFrame))
    return known or hasattr(data, "iloc") or hasattr(data, "column_names")  # pandas, Arrow


def _first_rows(batches: Iterator[Any]) -> tuple[polars.DataFrame, list[polars.DataFrame]]:
    """The first batches as one table, and one by one."""
    import polars as pl

    begun: list[polars.DataFrame] = []
    rows = 0
    for batch in batches:
        begun.append(frame(batch))
        rows += begun[-1].height
        if rows >= LAYOUT_ROWS:
            break
    if not begun:
        raise UsageError(
            "there is no batch to lay bins by", where="Sketch.of", mend="give at least one batch, or like=reference"
        )
    return pl.concat(begun, how="diagonal_relaxed"), begun
