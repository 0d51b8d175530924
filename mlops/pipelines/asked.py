"""The data versions that a run is asked to use: `DATASET=VERSION`, as one pipeline hands them over to the next."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable

from mlops import product
from mlops.errors import MlopsError, UsageError
from mlops.pipelines.handover import data_folder, published
from mlops.pipelines.steps import Run
from mlops.records import DataVersion, read
from mlops.sources import Sources

_PAIR = re.compile(r"([A-Za-z0-9_][A-Za-z0-9_.-]*)=([A-Za-z0-9][A-Za-z0-9_-]*)")


def parse(texts: Iterable[str]) -> dict[str, str]:
    """Data set → version, from texts such as "housing=1a2b3c4d5e6f lab=…"; blank ones ask for nothing.

    Raises:
        UsageError: a text is not of this form, or asks for two versions of one data set.
    """
    asked: dict[str, str] = {}
    for pair in (word for text in texts for word in text.split()):
        found = _PAIR.fullmatch(pair)
        if found is None:
            raise UsageError(
                f"{pair!r} is no data version", where="--data", mend='write --data "housing=1a2b3c4d5e6f"'
            )
        name, version = found.groups()
        if asked.setdefault(name, version) != version:
            raise UsageError(
                f"asks for two versions of {name}: {asked[name]} and {version}", where="--data", mend="ask for one"
            )
    return asked


def settle(run: Run, sources: Sources) -> Run:
    """The run, knowing which of the asked versions are published here apart from what its own steps made last.

    Raises:
        UsageError: there is no such data set.
    """
    known = product.names(run.repository, product.DATASETS)
    for name in run.asked:
        if name not in known:
            raise UsageError(
                f"there is no data set {name!r}", where="--data", mend=f"the data sets are: {', '.join(known)}"
            )
    apart = tuple(
        name for name, version in run.asked.items()
        if made_here(run, name) != version and is_published(run, sources, name, version)
    )
    return dataclasses.replace(run, apart=apart)


def made_here(run: Run, dataset: str) -> str | None:
    """The version that the steps of this tree made last; None where they have made none."""
    try:
        return read(DataVersion, data_folder(run, dataset) / "version.json").version
    except MlopsError:
        return None


def is_published(run: Run, sources: Sources, dataset: str, version: str) -> bool:
    """Whether the version is there, every file with the bytes that its record says."""
    record = published(run, dataset, version)
    try:
        found = read(DataVersion, record)
        return found.version == version and all(
            sources.hash(str(record.parent / file)) == digest
            for file, digest in [*((part.file, part.sha256) for part in found.splits), *found.features.items()]
        )
    except MlopsError:
        return False
