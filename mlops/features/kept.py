"""What a data version with declared features keeps beside its parts, so that a model of it can be given raw rows.

    features.json            the plan
    PART.sources.parquet     of each part, the columns that features are made of, in the order of its rows

The parts have the features, and the columns that none is made of; with the sources they are the raw rows again, which
models are judged, proven and served on, and which drift is measured on. The record names these files with
their checksums.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mlops.files import expect_sha256
from mlops.records import ColumnShape, DataVersion, Split, read
from mlops.records.features import FeaturePlan

PLAN = "features.json"


def sources_file(part: str) -> str:
    """Where the sources of a part are, beside it."""
    return f"{part}.sources.parquet"


@dataclass(frozen=True)
class Place:
    """A file of a version, its checksum, and which of its columns are wanted."""

    path: Path
    sha256: str
    columns: list[str]


def plan_of(version: DataVersion, folder: Path) -> FeaturePlan | None:
    """The plan of a version, None where its data set declares no features.

    Raises:
        MissingInputError, IntegrityError: it is not there, or not the one that the features were made by.
    """
    if PLAN not in version.features:
        return None
    expect_sha256(folder / PLAN, version.features[PLAN])
    return read(FeaturePlan, folder / PLAN)


def raw_columns(version: DataVersion, plan: FeaturePlan | None) -> list[ColumnShape]:
    """The columns of a row before features are made of it."""
    if plan is None:
        return version.columns
    made = {output.name for output in plan.outputs}
    return [*plan.columns, *(column for column in version.columns if column.name not in made)]


def raw_places(
    version: DataVersion, plan: FeaturePlan | None, folder: Path, part: Split, columns: Iterable[str]
) -> list[Place]:
    """The files that have these columns of a part's raw rows, the rows of all in the same order."""
    wanted = list(columns)
    sources = {column.name for column in plan.columns} if plan else set()
    beside = [name for name in wanted if name in sources]
    places = [Place(folder / part.file, part.sha256, [name for name in wanted if name not in sources])]
    if beside:
        file = sources_file(part.name)
        places.append(Place(folder / file, version.features[file], beside))
    return [each for each in places if each.columns]
