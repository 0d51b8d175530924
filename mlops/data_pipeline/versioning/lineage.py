"""What a version was made from, as fingerprints: its source, its suite, its declaration and the code."""

from __future__ import annotations

import platform
from importlib import metadata
from pathlib import Path

from mlops.config import Workspace
from mlops.data_pipeline.dataset import Dataset
from mlops.errors import MlopsError
from mlops.files import combine, sha256_file
from mlops.git import Git
from mlops.records.base import now
from mlops.records.data import Making, Provenance, Source, Validation
from mlops.sources import LOCK_FILE, Sources

TOOLS = ("polars", "duckdb", "pyarrow")
_MACHINERY = ("mlops.data_pipeline.steps:ingest", "mlops.data_pipeline.steps:process")
"""The functions whose code decides what rows come out."""


def making(places: Workspace, dataset: Dataset, source: Source, validation: Validation) -> Making:
    """What the rows of `dataset` are being made from now."""
    commit, clean = _commit(dataset.repository)
    return Making(
        created=now(), source=source.sha256, suite=validation.suite_sha256, config=sha256_file(dataset.file),
        code=code_fingerprint(places, dataset), commit=commit, clean=clean, tools=_tools(),
    )


def added(known: Provenance | None, made: Making, *, dataset: str, version: str, fingerprint: str) -> Provenance:
    """`known` with `made` added, unless the same rows were made of the same before."""
    before = known.made if known is not None and known.fingerprint == fingerprint else []
    again = any(each.identity == made.identity for each in before)
    return Provenance(
        dataset=dataset, version=version, fingerprint=fingerprint, made=before if again else [*before, made]
    )


def code_fingerprint(places: Workspace, dataset: Dataset) -> str:
    """`sha256:…` over the files that reading and processing the data set imports, and the lock.

    Where the machinery is installed and no part of the tree, its version stands for its files.
    """
    sources = Sources(dataset.repository, places.cache / "sources.json")
    references = [dataset.process] if dataset.process else []
    references += [dataset.reading.path] if dataset.source_is_callable else []
    inside = [each for each in (*_MACHINERY, *references) if _is_file(dataset.repository, each)]
    tops = {each.partition(":")[0].partition(".")[0] for each in inside}
    parts = [(path, sources.hash(path)) for path in sources.closure(inside, {top: top for top in tops})]
    if (dataset.repository / LOCK_FILE).is_file():
        parts.append((LOCK_FILE, sources.hash(LOCK_FILE)))
    sources.save()
    outside = [each for each in (*_MACHINERY, *references) if each not in inside]
    parts += [(each, _version(each.partition(".")[0])) for each in outside]
    return combine(parts)


def _is_file(repository: Path, reference: str) -> bool:
    stem = repository / reference.partition(":")[0].replace(".", "/")
    return stem.with_suffix(".py").is_file() or (stem / "__init__.py").is_file()


def _commit(repository: Path) -> tuple[str | None, bool]:
    try:
        found = Git(repository).status()
    except MlopsError:
        return None, True  # no git on this machine
    return (None, True) if found is None else (found[0], not found[1])


def _tools() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: _version(name) for name in TOOLS if _version(name)}


def _version(name: str) -> str:
    try:
        return metadata.version("switchyard" if name == "mlops" else name)
    except metadata.PackageNotFoundError:
        return ""
