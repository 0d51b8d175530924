"""The two parts of the processed rows as files, with all that a version says of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.data_pipeline.dataset import Dataset
from mlops.data_pipeline.tables.fingerprint import Fingerprint, column_type
from mlops.data_pipeline.tables.table_file import written
from mlops.files import combine, sha256_file
from mlops.records import ColumnShape, Document, Split

if TYPE_CHECKING:
    import polars

    from mlops.data_pipeline.tables.fingerprint import Words

NAMES = ("train", "test")
FILES = tuple(f"{name}.parquet" for name in NAMES)


class Parts(Document, frozen=True, kw_only=True):
    """What the parts hold. Written last, so that it is never about other files than those that it gives checksums of.

    Attributes:
        fingerprint: Of the rows, and of the side that each is on.
        features: File beside the parts → its checksum, see `mlops.features.kept`; empty where no features are declared.
    """

    dataset: str
    fingerprint: str
    columns: list[ColumnShape]
    splits: list[Split]
    features: dict[str, str] = {}

    @property
    def rows(self) -> int:
        """The rows of both."""
        return sum(split.rows for split in self.splits)

    @property
    def files(self) -> dict[str, str]:
        """All files → their checksums."""
        return {split.file: split.sha256 for split in self.splits} | self.features


class PartsWriter:
    """Takes the rows of the two parts, see `writing`."""

    def __init__(self, dataset: Dataset, folder: Path, stack: ExitStack) -> None:
        self._dataset, self._folder = dataset, folder
        self._writers = {name: stack.enter_context(written(folder / f"{name}.parquet")) for name in NAMES}
        self._prints = {name: Fingerprint(ordered=dataset.ordered) for name in NAMES}
        self._nulls: Counter[str] = Counter()
        self._schema: dict[str, polars.DataType] = {}

    def take(self, rows: Iterable[tuple[str, polars.DataFrame, Words | None]]) -> None:
        """The rows of both parts: the part, some rows of it, and their hashes where they are known."""
        for name, table, hashes in rows:
            self._schema = self._schema or dict(table.schema)
            self._writers[name].add(table)
            self._prints[name].add(table, hashes)
            self._nulls.update(table.null_count().row(0, named=True))

    def made(self, beside: Iterable[str] = ()) -> Parts:
        """The record, once the files are there, and those `beside` them."""
        prints = {name: each.digest() for name, each in self._prints.items()}
        return Parts(
            dataset=self._dataset.name, fingerprint=combine(prints.items()),
            columns=shapes(self._dataset, self._schema, self._nulls),
            splits=[
                Split(name=name, file=file, rows=self._prints[name].rows, fingerprint=prints[name],
                      sha256=sha256_file(self._folder / file))
                for name, file in zip(NAMES, FILES, strict=True)
            ],
            features={file: sha256_file(self._folder / file) for file in beside},
        )


@contextmanager
def writing(dataset: Dataset, folder: Path) -> Iterator[PartsWriter]:
    """A writer of both files into a folder; they are replaced when the block ends well, and untouched otherwise.

    Raises:
        ConfigurationError: the folder cannot be written.
    """
    with ExitStack() as stack:
        yield PartsWriter(dataset, folder, stack)


def shapes(dataset: Dataset, schema: dict[str, polars.DataType], nulls: Mapping[str, int]) -> list[ColumnShape]:
    """The columns of a processed table; one that is declared may be empty where the declaration says so."""
    return [
        ColumnShape(
            name=name, type=column_type(name, kind),
            nullable=dataset.columns[name].nullable if name in dataset.columns else nulls[name] > 0,
        )
        for name, kind in schema.items()
    ]
