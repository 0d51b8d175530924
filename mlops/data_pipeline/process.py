"""From validated rows to processed ones, split in a training and a held-out part."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from mlops import product
from mlops.data_pipeline.dataset import Dataset
from mlops.data_pipeline.fingerprint import column_type, fingerprint, row_hashes
from mlops.errors import BadDataError, ConfigurationError
from mlops.files import combine
from mlops.records import ColumnShape

if TYPE_CHECKING:
    import polars


@dataclasses.dataclass(frozen=True)
class Part:
    """Rows of one side of the split, in the order of their digests, with their fingerprint."""

    name: str
    table: polars.DataFrame
    fingerprint: str


def apply(dataset: Dataset, table: polars.DataFrame) -> polars.DataFrame:
    """The product's own processing of a validated table; without any, its declared columns.

    Raises:
        ConfigurationError: the function cannot be loaded, or returns no table with the target.
        BadDataError: no row is left.
    """
    import polars as pl

    if not dataset.process:
        return table.select(name for name in dataset.columns if name in table.columns)
    function = product.load(dataset.process, where=f"{dataset.file} (process)", repository=dataset.repository)
    result: Any = function(table)
    if not isinstance(result, pl.DataFrame):
        raise ConfigurationError(
            f"{dataset.process} returned {type(result).__name__}, not a table", where=dataset.file,
            mend="return a Polars DataFrame",
        )
    if dataset.target and dataset.target not in result.columns:
        raise ConfigurationError(
            f"{dataset.process} lost the target {dataset.target!r}", where=dataset.file, mend="keep the target's column"
        )
    if result.height == 0:
        raise BadDataError(f"{dataset.process} left no row", where=dataset.location, mend="give data that it can use")
    return result


def split(dataset: Dataset, table: polars.DataFrame) -> tuple[Part, Part]:
    """The training part and the held-out part of processed rows.

    On which side a row falls depends on its own features alone (a salted digest, taken as a number between 0
    and 1, against the share): not on the order of the rows, nor on what other rows there are. Rows with the
    same features fall on the same side. Where the data set is its rows in any order, both parts are ordered by
    hash, so that the files are the same whatever order the rows came in; else they keep their order.
    """
    import polars as pl

    features = [name for name in table.columns if name != dataset.target]
    share, salt = dataset.split.test, f"{dataset.name}/{dataset.split.salt}"
    held = row_hashes(table, features, salt=salt)[0] < int(share * 2**64)
    marked = table.with_columns(pl.Series("__held", held))
    if not dataset.ordered:
        hashes = row_hashes(table)
        marked = marked.with_columns(pl.Series(f"__{lane}", hashes[lane]) for lane in range(len(hashes))) \
            .sort("__0", "__1").drop("__0", "__1")
    return _part(dataset, "train", marked, False), _part(dataset, "test", marked, True)


def part(name: str, table: polars.DataFrame, *, ordered: bool) -> Part:
    """These rows as a part; `ordered` where their order belongs to what they are."""
    return Part(name, table, fingerprint(table, ordered=ordered))


def _part(dataset: Dataset, name: str, marked: polars.DataFrame, held: bool) -> Part:
    rows = marked.filter(marked["__held"] if held else ~marked["__held"])
    return part(name, rows.drop("__held"), ordered=dataset.ordered)


def version_fingerprint(train: Part, test: Part) -> str:
    """The fingerprint of a version: of the rows, and of the side that each is on."""
    return combine([(part.name, part.fingerprint) for part in (train, test)])


def shapes(dataset: Dataset, table: polars.DataFrame) -> list[ColumnShape]:
    """The columns of a processed table; one that is declared may be empty where the declaration says so."""
    return [
        ColumnShape(
            name=name, type=column_type(name, kind),
            nullable=dataset.columns[name].nullable if name in dataset.columns else table[name].null_count() > 0,
        )
        for name, kind in table.schema.items()
    ]
