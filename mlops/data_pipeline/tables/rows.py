"""The rows of a table: in memory where they are few, else in a Parquet file that is read a part at a time.

Whoever asks does not see the difference, but in time: a query is run by Polars' streaming engine where the rows are in
a file, and batches are of the size of its row groups.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.data_pipeline.tables.progress import Progress
from mlops.data_pipeline.tables.table_file import group_rows, written
from mlops.errors import BadDataError
from mlops.files import sha256_bytes, sha256_file

if TYPE_CHECKING:
    import polars

    from mlops.data_pipeline.tables.scratch import Scratch

IN_MEMORY = 1 << 27
"""Bytes of content up to which rows are held in memory. A step holds three tables at most and a query copies one or two
columns of a table, so that no step needs more than a gibibyte; beyond it, starting to stream costs nothing beside the
work. It is 1.3 million rows of 13 columns; a census of 20,000 rows is 2 MB."""


class Rows:
    """What is asked about a table.

    Attributes:
        digest: `sha256:…` of the file; empty for a frame.
    """

    def __init__(self, data: polars.DataFrame | Path, *, name: str = "") -> None:
        """The rows of a frame, or of a Parquet file.

        Args:
            name: The data set, for lines of progress.

        Raises:
            OSError, polars.exceptions.PolarsError: it is no Parquet file.
        """
        import polars as pl

        self._name = name
        self._table: polars.DataFrame | None = None
        self._path: Path | None = None
        self._nulls: dict[str, int] | None = None
        self.digest = ""
        if isinstance(data, Path):
            self._stamp = _stamp(data)
            self.frame = pl.scan_parquet(data)
            self.schema = dict(self.frame.collect_schema())
            self.height = int(self.frame.select(pl.len()).collect().item())
            if max(data.stat().st_size, self.height * len(self.schema) * 8) > IN_MEMORY:
                self._path, self.digest = data, sha256_file(data)
                return
            content = data.read_bytes()
            self.digest, data = sha256_bytes(content), pl.read_parquet(io.BytesIO(content))
        self._table = data
        self.frame, self.schema, self.height = data.lazy(), dict(data.schema), data.height

    @staticmethod
    def of(data: polars.DataFrame | Rows) -> Rows:
        """The rows of a frame; rows are what they are."""
        return data if isinstance(data, Rows) else Rows(data)

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return list(self.schema)

    @property
    def data(self) -> polars.DataFrame | Path:
        """The frame, or the path of the file."""
        held = self._table if self._table is not None else self._path
        assert held is not None
        return held

    def collect(self, query: polars.LazyFrame) -> polars.DataFrame:
        """The answer to a query on `frame`.

        Raises:
            BadDataError: the file was replaced in the meantime.
        """
        answer = query.collect() if self._table is not None else query.collect(engine="streaming")
        self._expect_unchanged()
        return answer

    def nulls(self) -> dict[str, int]:
        """Column → how many of its cells are empty."""
        import polars as pl

        if self._table is not None:
            return {column.name: column.null_count() for column in self._table.get_columns()}
        if self._nulls is None:
            self._nulls = self.collect(self.frame.select(pl.all().null_count())).row(0, named=True)
        return self._nulls

    def missing(self) -> dict[str, float]:
        """Column → the share of its cells that are empty, for those that have any."""
        return {name: count / self.height for name, count in self.nulls().items() if count}

    def batches(self, columns: Sequence[str] | None = None, *, doing: str = "") -> Iterator[polars.DataFrame]:
        """The rows in their order, some at a time; once at least.

        Args:
            doing: For lines of progress, see `Progress`.
        """
        if self._table is not None:
            yield self._table if columns is None else self._table.select(columns)
            return
        progress = Progress(self._name, doing, self.height)
        frame = self.frame if columns is None else self.frame.select(columns)
        size = group_rows(len(self.schema))
        for start in range(0, max(self.height, 1), size):
            yield self.collect(frame.slice(start, size))
            if doing:
                progress.say(min(start + size, self.height))

    def _expect_unchanged(self) -> None:
        if self._path is not None and _stamp(self._path) != self._stamp:
            raise BadDataError(
                "was replaced while it was read", where=self._path, mend="run the steps one after the other"
            )


def gathered(tables: Iterable[polars.DataFrame], scratch: Scratch, *, name: str = "") -> Rows | None:
    """These rows, in memory as far as they are few, else in a file of the scratch folder; None where no table comes."""
    import polars as pl

    rest, held, size = iter(tables), list[pl.DataFrame](), 0.0
    for table in rest:
        held.append(table)
        size += table.estimated_size()
        if size > IN_MEMORY:
            break
    else:
        return Rows(pl.concat(held, rechunk=True), name=name) if held else None
    path = scratch.file(".parquet")
    with written(path) as writer:
        while held:
            writer.add(held.pop(0))
        for table in rest:
            writer.add(table)
    return Rows(path, name=name)


def _stamp(path: Path) -> tuple[Any, ...]:
    found = os.stat(path)
    return found.st_ino, found.st_size, found.st_mtime_ns
