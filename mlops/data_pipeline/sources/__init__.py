"""Where rows come from: files of several kinds, one or many, near or far; a query; a function of the product."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from mlops import product
from mlops.data_pipeline.dataset import Column, Dataset
from mlops.data_pipeline.reading import Reading
from mlops.data_pipeline.sources import compressed, csv_file
from mlops.data_pipeline.sources.local_file import Facts, LocalFile, busy, facts_of
from mlops.data_pipeline.sources.location import files_of, forget
from mlops.data_pipeline.sources.opened import Batch, Loose, Opened, Part, Raw
from mlops.errors import BadDataError, ConfigurationError, UsageError

__all__ = ["Batch", "Opened", "Part", "Raw", "open_source"]


@contextmanager
def open_source(dataset: Dataset, given: str | None = None, *, fetched: Path | None = None) -> Iterator[Opened]:
    """The data set's own source, or what `given` (a path, a pattern, a folder or an address) names for it.

    What has to be fetched is kept in the folder `fetched`, so that an interrupted fetch goes on, and one that is whole
    is not made twice where the server still has the same; it is removed when the block ends well. How files are
    written (`delimiter`, `decimal`, …) the data set's file says of both.

    Raises:
        MissingInputError: there is no such file, object or database.
        UnavailableError: a server did not answer, or not wholly.
        ConfigurationError: the data set's own function cannot be loaded; an address is of no known kind.
    """
    reading = dataset.reading
    if given is None and reading.database:
        from mlops.data_pipeline.sources.query import open_query

        query = open_query(dataset)
        yield Opened(query.name, (query,), True)
    elif given is None and dataset.source_is_callable:
        yield Opened(reading.path, (FramePart(dataset),), True)
    else:
        locations = reading.locations if given is None else (given,)
        with _folder(fetched, locations) as folder:
            base = dataset.repository if given is None else Path.cwd()
            found = [each for location in locations for each in files_of(location, base, folder, subject=dataset.name)]

            def expect_settled() -> None:
                near = [each for each in locations if "://" not in each]
                listed = [each for location in near for each in files_of(location, base, folder, subject=dataset.name)]
                others = {name for name, _ in listed} ^ {part.name for part in parts if not _fetched(part, folder)}
                if others:
                    raise busy(min(others), what="files came or went while the others were read")
                for part in parts if len(parts) > 1 else ():  # a single one was looked after while it was read
                    part.expect_unchanged()

            expected = reading.sha256 if given is None else ""
            if expected and len(found) != 1:
                raise UsageError(
                    f"source.sha256 is of one file, the source has {len(found)}", where=dataset.file,
                    mend="leave it out, or name one file",
                )
            parts = tuple(
                FilePart(path, shown, dataset.columns, reading, expected, facts_of(path)) for shown, path in found
            )
            shown = parts[0].name if len(parts) == 1 else ", ".join(locations)
            yield Opened(shown, parts, given is None, expect_settled)
            for part in parts:
                if _fetched(part, folder):
                    forget(part.path)


@contextmanager
def _folder(fetched: Path | None, locations: tuple[str, ...]) -> Iterator[Path]:
    """The folder for what has to be fetched, a temporary one where none is given and something has to be."""
    if fetched is not None or not any("://" in each for each in locations):
        yield fetched or Path(os.devnull)  # which no file is in
        return
    import tempfile

    with tempfile.TemporaryDirectory(prefix="mlops-fetched-") as temporary:
        yield Path(temporary)


def _fetched(part: FilePart, folder: Path) -> bool:
    return part.path.is_relative_to(folder)


class FilePart(msgspec.Struct):
    """A file on this machine. What it is, its first bytes tell, unless the data set's file says so."""

    path: Path
    name: str
    columns: dict[str, Column]
    reading: Reading
    expected: str = ""
    listed: Facts | None = None
    _digest: str = ""

    def batches(self, loose: Loose) -> Iterator[Batch]:
        """The rows of the file.

        Raises:
            MissingInputError: there is no such file, or it cannot be read.
            BadDataError: the file is no table of the data set's form; says where and how to mend it.
            BusyError: the file changed while it was read, or since it was read before.
        """
        with LocalFile(self.path, self.name, expected=self.expected) as file:
            try:
                yield from self._read(file, loose)
            except BadDataError:
                self.expect_unchanged()  # half of the old and half of the new is no fault of either
                raise
            before, self._digest = self._digest, file.digest()
            if before and self._digest != before:
                raise busy(self.name, what="the file changed between two readings")

    def expect_unchanged(self) -> None:
        """Raise BusyError where the file is not the one that was found at first."""
        now = facts_of(self.path)
        if now != self.listed:
            raise busy(self.name, self.listed, now)

    def digest(self) -> str:
        return self._digest

    def _read(self, file: LocalFile, loose: Loose) -> Iterator[Batch]:
        head = file.read(64) or b""
        kind = self.reading.format or compressed.kind_of(head)
        if kind in ("parquet", "arrow"):
            from mlops.data_pipeline.sources import columnar

            yield from columnar.read_columnar(file, kind, self.columns, loose)
            return
        chunks = compressed.chunks(file)
        first = next(chunks, b"")
        kind = self.reading.format or compressed.kind_of(first[:64])
        read = csv_file.read_csv
        if kind == "jsonl":
            from mlops.data_pipeline.sources import json_lines

            read = json_lines.read_json_lines
        yield from read(_again(first, chunks), self.name, self.columns, self.reading, loose)


class FramePart(msgspec.Struct, frozen=True):
    """What the data set's own function returns."""

    dataset: Dataset

    @property
    def name(self) -> str:
        """`module:callable`."""
        return self.dataset.reading.path

    def batches(self, loose: Loose) -> Iterator[Batch]:
        """The frame, whole.

        Raises:
            ConfigurationError: the function cannot be loaded, or returns no table.
        """
        import polars as pl

        from mlops.data_pipeline.sources import columnar

        loader = product.load(self.name, where=f"{self.dataset.file} (source)", repository=self.dataset.repository)
        table: Any = loader()
        if hasattr(table, "iloc"):  # a pandas frame
            table = pl.from_pandas(table)
        if not isinstance(table, pl.DataFrame):
            raise ConfigurationError(
                f"{self.name} returned {type(table).__name__}, not a table", where=self.dataset.file,
                mend="return a Polars or pandas DataFrame",
            )
        yield columnar.batch_of(table, self.dataset.columns, loose)

    def digest(self) -> str:
        return ""


def _again(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
