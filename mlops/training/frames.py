"""A published data version as pandas frames: checked bytes, numbers as float64, a seeded split."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops import files
from mlops.config import Workspace
from mlops.errors import ConfigurationError, InvalidRecordError
from mlops.features import kept
from mlops.records import ColumnShape, DataVersion, Split, read
from mlops.records.features import FeaturePlan
from mlops.training.config import ModelConfig

NUMBERS = ("float", "integer", "boolean")


@dataclass(frozen=True, slots=True)
class Data:
    """A data version and where its files are. `plan`: of its data set's features, None where it declares none."""

    version: DataVersion
    folder: Path
    plan: FeaturePlan | None = None

    def split(self, name: str) -> Split:
        """The part called `name`.

        Raises:
            InvalidRecordError: the version has none.
        """
        for each in self.version.splits:
            if each.name == name:
                return each
        raise InvalidRecordError(
            f"data version {self.version.version} has no part {name!r}", where=self.folder,
            mend=f"run `mlops data version --dataset {self.version.dataset}` again",
        )

    def surface_of(self, columns: list[str]) -> list[str]:
        """The names of `surface`."""
        return [each.name for each in self.surface(columns)]

    def surface(self, columns: list[str]) -> list[ColumnShape]:
        """The columns that a row must have for these of the version to be made of it, in a fixed order."""
        raw = {each.name: each for each in kept.raw_columns(self.version, self.plan)}
        sources = {
            output.name: feature.sources for feature in (self.plan.features if self.plan else [])
            for output in feature.outputs
        }
        names = [name for each in columns for name in sources.get(each, [each])]
        return [raw[name] for name in dict.fromkeys(names)]

    def kinds(self, columns: list[str]) -> dict[str, str]:
        """Column → type."""
        known = {column.name: column.type for column in self.version.columns}
        return {name: known[name] for name in columns}


def open_data(places: Workspace, config: ModelConfig, version_file: Path) -> Data:
    """The data version of a model.

    Raises:
        MissingInputError: the record is not there.
        IntegrityError: the plan of its features is another than it was made by.
        ConfigurationError: it has not the columns that the model's file names.
    """
    version = read(DataVersion, version_file)
    folder = places.data / version.dataset / "versions" / version.version
    data = Data(version, folder, kept.plan_of(version, folder))
    if version.dataset != config.dataset:
        raise ConfigurationError(
            f"is a version of {version.dataset!r}, the model {config.name!r} is trained on {config.dataset!r}",
            where=version_file, mend=f"give a version of {config.dataset}",
        )
    known = {column.name for column in version.columns}
    for field, names in (("target", [config.target]), ("features", config.features)):
        missing = [name for name in names if name not in known]
        if missing:
            raise ConfigurationError(
                f"field {field!r}: data version {version.version} has no column {missing[0]!r}",
                where=f"model/configs/{config.name}.yaml", mend=f"its columns are: {', '.join(sorted(known))}",
            )
    return data


def load_raw(data: Data, part: str, columns: list[str]) -> Any:
    """As `load`, of the rows as they were before the data set's features were made of them: as a request has them."""
    split = data.split(part)
    raw = {each.name: each.type for each in kept.raw_columns(data.version, data.plan)}
    found = [
        _read(data, part, place.path, place.sha256, place.columns)
        for place in kept.raw_places(data.version, data.plan, data.folder, split, columns)
    ]
    whole = found[0].join(found[1:]) if len(found) > 1 else found[0]
    return typed(whole[columns], {name: raw[name] for name in columns})


def load(data: Data, part: str, columns: list[str]) -> Any:
    """Columns of a part as a pandas frame, after its bytes were checked.

    Numbers, integers and booleans come as float64, a missing one as NaN; texts as objects, a missing one as
    None; so a frame looks the same whichever file format, or request, the rows came from.

    Raises:
        MissingInputError: the file is not there.
        IntegrityError: it was changed after it was published.
    """
    split = data.split(part)
    frame = _read(data, part, data.folder / split.file, split.sha256, columns)
    return typed(frame, data.kinds(columns))


def _read(data: Data, part: str, path: Path, sha256: str, columns: list[str]) -> Any:
    import pandas as pd

    files.expect_sha256(path, sha256)
    frame = pd.read_parquet(path, columns=columns)
    if frame.empty:
        raise InvalidRecordError(f"the part {part!r} of data version {data.version.version} has no rows", where=path)
    return frame


def typed(frame: Any, kinds: dict[str, str]) -> Any:
    """The frame with the types that `load` promises."""
    for name, kind in kinds.items():
        if kind in NUMBERS:
            frame[name] = frame[name].astype("float64")
        elif kind == "string":
            text = frame[name].astype(object)
            frame[name] = text.where(text.notna(), None)
    return frame


def divide(frame: Any, share: float, seed: int) -> tuple[Any, Any]:
    """(training rows, validation rows), drawn by the seed, each in the frame's order."""
    import numpy as np

    held = np.zeros(len(frame), dtype=bool)
    count = round(len(frame) * share)
    held[np.random.default_rng(seed).permutation(len(frame))[:count]] = True
    return frame[~held].reset_index(drop=True), frame[held].reset_index(drop=True)
