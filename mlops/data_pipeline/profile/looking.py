"""The rows to look at, with their types: as a data set's file declares them, or found out where there is none."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from mlops import product
from mlops.data_pipeline import intake, types
from mlops.data_pipeline.dataset import Column, ColumnType, Dataset, read_dataset
from mlops.data_pipeline.reading import Reading
from mlops.data_pipeline.sources import compressed
from mlops.data_pipeline.sources.csv_file import DELIMITERS
from mlops.data_pipeline.sources.local_file import LocalFile
from mlops.data_pipeline.sources.text import blocks
from mlops.errors import BadDataError, MissingInputError

if TYPE_CHECKING:
    import polars

TRIED: tuple[ColumnType, ...] = ("integer", "float", "boolean", "datetime")


def declared(repository: Path, name: str) -> Dataset | None:
    """The data set, if there is one of that name."""
    return read_dataset(repository, name) if name in product.names(repository, product.DATASETS) else None


def look(
    repository: Path, name: str, source: str | None
) -> tuple[polars.DataFrame, Dataset, bool]:
    """The rows, their data set, and whether it is declared or was found out from the file.

    Raises:
        MissingInputError: there is no such data set and no source, or no such file.
        BadDataError: the file is no table.
    """
    known = declared(repository, name)
    if known is not None:
        return intake.read_source(known, source).table, known, True
    if source is None:
        raise MissingInputError(
            f"there is no data set {name!r}", where=repository / product.DATASETS,
            mend=f"name a file to make it of: mlops data profile {name} --source FILE",
        )
    path = Path(source)
    names, delimiter, frame = _header(path)
    shown = path.resolve()
    inside = shown.is_relative_to(repository.resolve())
    first = Dataset(
        name=name, repository=repository, file=repository / product.DATASETS / f"{name}.yaml", title=name,
        source=Reading(path=shown.relative_to(repository.resolve()).as_posix() if inside else str(shown),
                       delimiter=delimiter),
        suite=f"data/expectations/{name}.json", columns={each: Column(type="string") for each in names},
    )
    table = intake.read_source(first, source).table if frame is None else frame
    return *_typed(table, first), False


def _header(path: Path) -> tuple[list[str], str, polars.DataFrame | None]:
    """The columns' names, a text file's delimiter (the one of `, ; tab |` that makes the most columns), and the rows
    of a file that has types of its own."""
    with LocalFile(path, str(path)) as file:
        head = file.read(64) or b""
        if compressed.kind_of(head) in ("parquet", "arrow"):
            frame = _columnar(path, head)
            return frame.columns, "", frame
        chunks = compressed.chunks(file)
        first = next(chunks, b"")
        block = next(iter(blocks([first, next(chunks, b"")], str(path), quote=b'"')), None)
    if block is None or not block.content.strip():
        raise BadDataError("holds no text", where=path, mend="give a table with a header and rows")
    if compressed.kind_of(first[:64]) == "jsonl":
        return list(dict.fromkeys(_keys(block.content.splitlines()))), "", None
    line = block.content.decode().splitlines()[0]
    ways = {each: next(csv.reader([line], delimiter=each)) for each in DELIMITERS}
    delimiter = max(ways, key=lambda each: len(ways[each]))
    names = [name.strip() for name in ways[delimiter] if name.strip()]
    return names, delimiter if len(names) > 1 else "", None


def _columnar(path: Path, head: bytes) -> polars.DataFrame:
    import polars as pl

    kind = compressed.kind_of(head)
    try:
        if kind == "parquet":
            return pl.read_parquet(path)
        return pl.read_ipc(path) if head.startswith(b"ARROW1") else pl.read_ipc_stream(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BadDataError(
            f"cannot be read as {kind}: {str(error).splitlines()[0][:200]}", where=path, mend="export the file again"
        ) from error


def _keys(lines: Iterable[bytes]) -> Iterable[str]:
    """The names in JSON lines; a line that is none is left for the reading to name."""
    import msgspec

    for line in lines:
        try:
            yield from msgspec.json.decode(line, type=dict[str, object])
        except msgspec.DecodeError:
            continue


def _typed(table: polars.DataFrame, dataset: Dataset) -> tuple[polars.DataFrame, Dataset]:
    """The table in the first type that every cell of a column can have; text where none fits."""
    from msgspec.structs import replace

    columns, series = {}, []
    for name in dataset.columns:
        column, made = _column(table[name])
        columns[name] = replace(column, nullable=bool(made.null_count()))
        series.append(made)
    reading = dataset.reading
    plain = reading.delimiter in ("", ",")
    short = replace(dataset, columns=columns, source=reading.path if plain else reading)
    return table.with_columns(series), short


def _column(values: polars.Series) -> tuple[Column, polars.Series]:
    import polars as pl

    for kind in TRIED:
        wanted = Column(type=kind)
        if values.dtype == pl.String:
            text = None if _written_otherwise(values, kind) else values
            if text is None or not text.drop_nulls().len():
                continue
            typed, wrong = types.from_text(text, wanted, Reading())
        else:
            typed, wrong = types.from_values(values, wanted)
            if kind == "integer" and values.dtype.is_float():
                continue
        if wrong is None and typed.drop_nulls().len():
            return wanted, typed
    return Column(type="string"), values.cast(pl.String)


def _written_otherwise(values: polars.Series, kind: str) -> bool:
    """Whether cells look like numbers and are codes (`00123`), or like whole numbers and are measured (`880.0`)."""
    marks = {"integer": r"^\s*[+-]?0\d|[.eE]", "float": r"^\s*[+-]?0\d"}
    return kind in marks and bool(values.str.contains(marks[kind]).any())
