"""A published data version as pandas frames: checked bytes, numbers as float64, a seeded split."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops import files
from mlops.config import Workspace
from mlops.errors import ConfigurationError, InvalidRecordError
from mlops.records import DataVersion, Split, read
from mlops.training.config import ModelConfig

NUMBERS = ("float", "integer", "boolean")


@dataclass(frozen=True, slots=True)
class Data:
    """A data version and where its files are."""

    version: DataVersion
    folder: Path

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

    def kinds(self, columns: list[str]) -> dict[str, str]:
        """Column → type."""
        known = {column.name: column.type for column in self.version.columns}
        return {name: known[name] for name in columns}


def open_data(places: Workspace, config: ModelConfig, version_file: Path) -> Data:
    """The data version of a model.

    Raises:
        MissingInputError: the record is not there.
        ConfigurationError: it has not the columns that the model's file names.
    """
    version = read(DataVersion, version_file)
    data = Data(version, places.data / version.dataset / "versions" / version.version)
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


def load(data: Data, part: str, columns: list[str]) -> Any:
    """Columns of a part as a pandas frame, after its bytes were checked.

    Numbers, integers and booleans come as float64, a missing one as NaN; texts as objects, a missing one as
    None; so a frame looks the same whichever file format, or request, the rows came from.

    Raises:
        MissingInputError: the file is not there.
        IntegrityError: it was changed after it was published.
    """
    import pandas as pd

    split = data.split(part)
    path = data.folder / split.file
    files.expect_sha256(path, split.sha256)
    frame = pd.read_parquet(path, columns=columns)
    if frame.empty:
        raise InvalidRecordError(f"the part {part!r} of data version {data.version.version} has no rows", where=path)
    return typed(frame, data.kinds(columns))


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
