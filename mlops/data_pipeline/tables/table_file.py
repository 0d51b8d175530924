"""Parquet files: written batch by batch, whole or not at all, the same bytes for the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.files import replacing

if TYPE_CHECKING:
    import polars

ROWS = 1 << 18
"""Rows of a row group at most."""
CELLS = 1 << 22
"""Cells of a row group, about: a wide table has shorter ones."""


def group_rows(width: int) -> int:
    """Rows of a row group, and of a batch, of a table with `width` columns."""
    return max(512, min(ROWS, CELLS // max(width, 1)))


class TableWriter:
    """Takes rows in batches of any size; row groups do not depend on them.

    Attributes:
        rows: How many were taken; `width`: their columns.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Any = None
        self._held: list[polars.DataFrame] = []
        self._size = 0
        self.rows = self.width = 0
        self.abandoned = False

    def add(self, table: polars.DataFrame) -> None:
        """The next rows; all batches have the same columns."""
        group = group_rows(table.width)
        self._held.append(table)
        self._size += table.height
        self.rows, self.width = self.rows + table.height, table.width
        if self._writer is None:
            self._open(table)
        if self._size >= group:
            rows = self._gathered()
            whole = rows.height - rows.height % group
            for start in range(0, whole, group):
                self._write(rows[start:start + group], self._writer)
            self._held, self._size = [rows[whole:]], rows.height - whole

    def close(self) -> None:
        """Write what is held, and the file's end."""
        writer, self._writer = self._writer, None
        if writer is not None:
            if self._size:
                self._write(self._gathered(), writer)
                self._size = 0
            writer.close()

    def finished(self) -> Path:
        """The file with all rows, before it takes its place; no more can be added."""
        self.close()
        return self._path

    def abandon(self) -> None:
        """The rows are not wanted: the file is not replaced."""
        self.abandoned = True

    def _gathered(self) -> polars.DataFrame:
        import polars as pl

        return pl.concat(self._held, rechunk=True) if len(self._held) > 1 else self._held[0]

    def _open(self, table: polars.DataFrame) -> None:
        import polars as pl
        import pyarrow.parquet as pq

        texts = [name for name, kind in table.schema.items() if kind == pl.String]
        self._writer = pq.ParquetWriter(
            self._path, table.clear().to_arrow().schema, compression="zstd", use_dictionary=texts or False,
        )

    def _write(self, rows: polars.DataFrame, writer: Any) -> None:
        writer.write_table(rows.to_arrow(), row_group_size=rows.height)


@contextmanager
def written(target: Path) -> Iterator[TableWriter]:
    """A writer of the Parquet file `target`, which is replaced when the block ends well and untouched otherwise.

    Nothing is left behind by a block that raises; what a killed process left is removed by the next.

    Raises:
        ConfigurationError: the place cannot be written (read-only, no space, no right).
    """
    with replacing(target) as temporary:
        for left in target.parent.glob(f".{target.name}.*.part"):
            if left != temporary:
                left.unlink(missing_ok=True)
        writer = TableWriter(temporary)
        try:
            yield writer
            writer.close()
            if writer.abandoned:
                temporary.unlink()
        finally:
            with suppress(OSError):  # the disk may be full
                writer.close()
