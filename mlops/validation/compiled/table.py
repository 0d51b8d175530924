"""The data under validation: a frame in memory, a lazy one, or Parquet files, and what is known of it beforehand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.errors import BadDataError, MissingInputError
from mlops.validation.compiled.columns import Column, Raised, family

if TYPE_CHECKING:
    import polars

SAMPLE = 8192
"""Rows that tell whether a column has few values."""
SMALL = 1 << 28
"""Bytes of content up to which a file is read into memory: what fails is looked at without reading it again."""
FEW = 256
"""At most so many values in the sample, and a column's rules are asked of its values instead of its rows."""


class Table:
    """What a suite is run on.

    Args:
        data: A frame, a lazy frame, or the path of a Parquet file or of a folder of them.

    Raises:
        MissingInputError: there is no such file.
        BadDataError: a file is no Parquet.
    """

    def __init__(self, data: polars.DataFrame | polars.LazyFrame | Path | str) -> None:
        import polars as pl

        self.eager: polars.DataFrame | None = None
        self.paths: list[Path] = []
        self._nulls: dict[str, int] = {}
        self._nans: dict[str, bool] = {}
        self._bounds: dict[str, tuple[Any, Any]] = {}
        self._few: dict[str, bool] = {}
        self.assumed: set[str] = set()
        if isinstance(data, pl.DataFrame):
            self.eager = data
            self.frame, self.schema, self.height = data.lazy(), dict(data.schema), data.height
        elif isinstance(data, pl.LazyFrame):
            self.frame, self.schema = data, dict(data.collect_schema())
            self.height = int(self.collect(data.select(pl.len())).item())
        else:
            self.paths = _parquet_files(Path(data))
            self.frame = pl.scan_parquet(self.paths)
            if self._footer() <= SMALL:
                self.eager = self.frame.collect()
                self.frame = self.eager.lazy()

    @property
    def names(self) -> list[str]:
        return list(self.schema)

    def collect(self, frame: polars.LazyFrame) -> polars.DataFrame:
        """The rows of a query; in batches where the table is not in memory."""
        return frame.collect() if self.eager is not None else frame.collect(engine="streaming")

    def collect_all(self, frames: list[polars.LazyFrame]) -> list[polars.DataFrame]:
        """The rows of several queries, run side by side."""
        import polars as pl

        if len(frames) < 2:
            return [self.collect(frame) for frame in frames]
        engine: Any = "auto" if self.eager is not None else "streaming"
        return pl.collect_all(frames, engine=engine)

    def learn(self, columns: Iterable[str]) -> None:
        """Find out how many values are missing in each of the columns, where that is not known yet.

        For a float column of a Parquet file not-a-number is assumed to be absent, and looked for by the first scan:
        see `assumed` and `correct`.
        """
        import polars as pl

        wanted = [name for name in dict.fromkeys(columns) if name in self.schema]
        unknown = [name for name in wanted if name not in self._nulls]
        floats = [name for name in wanted if self.schema[name].is_float() and name not in self._nans]
        if self.eager is None and self.paths:
            self.assumed.update(floats)
            self._nans.update(dict.fromkeys(floats, False))
            floats = []
        if self.eager is not None:
            self._nulls.update((name, self.eager.get_column(name).null_count()) for name in unknown)
            unknown = []
        asks = [pl.col(name).null_count().alias(f"n{number}") for number, name in enumerate(unknown)]
        asks += [pl.col(name).is_nan().sum().alias(f"f{number}") for number, name in enumerate(floats)]
        if not asks:
            return
        answer = self.collect(self.frame.select(asks))
        for number, name in enumerate(unknown):
            self._nulls[name] = answer[f"n{number}"][0]
        for number, name in enumerate(floats):
            self._count_nans(name, answer[f"f{number}"][0])

    def correct(self, found: dict[str, int]) -> bool:
        """Take in how often not-a-number was found by the scan; whether an assumption was wrong."""
        self.assumed -= found.keys()
        for name, count in found.items():
            self._count_nans(name, count)
        return any(found.values())

    def _count_nans(self, name: str, count: int | None) -> None:
        self._nans[name] = bool(count)
        self._nulls[name] += count or 0

    def column(self, name: str) -> Column:
        """The column, which must be there.

        Raises:
            Declined: its type is not compiled.
        """
        kind = family(self.schema[name])
        self.learn([name])
        return Column(name, kind, self.schema[name], self._nulls[name], self._nans.get(name, False), self.height)

    def empty(self, name: str) -> bool:
        """Whether no row of the column holds a value."""
        self.learn([name])
        return self.height > 0 and self._nulls[name] == self.height

    def bounds(self, column: Column) -> tuple[Any, Any] | None:
        """Least and greatest value as the file's footer has them, None where it does not say."""
        return self._bounds.get(column.name) if not column.nan else None

    def few(self, name: str) -> bool:
        """Whether the column has few values, as far as its first rows tell."""
        if name not in self._few:
            head = self._head(name)
            self._few[name] = head.n_unique() <= FEW
        return self._few[name]

    def _head(self, name: str) -> polars.Series:
        """The column's first values."""
        if self.eager is not None:
            return self.eager.get_column(name).head(SAMPLE)
        return self.collect(self.frame.select(name).head(SAMPLE))[name]

    def _footer(self) -> int:
        """Rows, types, missing values and bounds from the files' footers, without reading a row.

        Returns:
            Bytes of content, uncompressed.
        """
        import polars as pl
        import pyarrow.parquet as parquet

        try:
            self.schema = dict(self.frame.collect_schema())
            groups = [group for path in self.paths for group in _groups(parquet.ParquetFile(path).metadata)]
        except (OSError, ValueError, pl.exceptions.PolarsError) as error:
            raise BadDataError(
                f"cannot be read as Parquet: {str(error).strip().splitlines()[0][:200]}", where=self.paths[0],
                mend="it is truncated, damaged or no Parquet; export it again",
            ) from error
        self.height = sum(rows for rows, _, _ in groups)
        for name, dtype in self.schema.items():
            stats = [columns.get(name) for _, _, columns in groups]
            if not stats or any(each is None for each in stats):
                continue
            known = [each for each in stats if each is not None]
            if all(each.has_null_count for each in known):
                self._nulls[name] = sum(each.null_count for each in known)
            if all(each.has_min_max for each in known) and (dtype.is_integer() or dtype.is_float()):
                low, high = min(each.min for each in known), max(each.max for each in known)
                if low == low and high == high and all(each.min == each.min for each in known):
                    self._bounds[name] = (low, high)
        return sum(size for _, size, _ in groups)


def _groups(metadata: Any) -> list[tuple[int, int, dict[str, Any]]]:
    """Each row group's rows, bytes, and its columns' statistics by name (plain columns only)."""
    found = []
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        columns = [group.column(index) for index in range(metadata.num_columns)]
        found.append((group.num_rows, group.total_byte_size, {
            column.path_in_schema: column.statistics for column in columns if column.statistics is not None
        }))
    return found


def _parquet_files(path: Path) -> list[Path]:
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    if not files or not all(file.is_file() for file in files):
        raise MissingInputError(
            "there is no such file" if not path.is_dir() else "holds no Parquet file", where=path,
            mend="give the path of a Parquet file, or of a folder of them",
        )
    return files


def present(table: Table, names: Sequence[str]) -> list[Column]:
    """The columns by name.

    Raises:
        Raised: one is missing.
        Declined: one is of a type that is not compiled.
    """
    missing = [name for name in names if name not in table.schema]
    if missing:
        raise Raised(f'Error: The column "{missing[0]}" in BatchData does not exist.')
    table.learn(names)
    return [table.column(name) for name in names]
