"""Versions of a data set: a folder each, named by what is in it, with all that is known of it.

    train.parquet, test.parquet   the rows
    version.json                  the record that pipelines hand over
    provenance.json               what the rows were made from, and when
    validation.json               the suite's whole result
    features.json                 what the training rows taught, where features are declared; and what features were
                                  made of, train.sources.parquet and test.sources.parquet
    dataset.yaml, suite.json      the declaration and the suite as they were

They are made in the store, `.mlops/data/NAME/versions/`; `dvc pull` brings published ones to
`data/versions/NAME/` in the tree. A version is found in either.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
from pathlib import Path

from mlops.config import Workspace
from mlops.data_pipeline.dataset import Dataset
from mlops.data_pipeline.tables.parts import Parts
from mlops.data_pipeline.versioning import lineage, score
from mlops.errors import InvalidRecordError, MissingInputError, UsageError
from mlops.files import atomic_folder, copy_checked, expect_sha256, sha256_file, write_atomic
from mlops.records import CheckResult, DataVersion, Source, Split, Validation
from mlops.records import read as read_record
from mlops.records.data import Provenance

RECORD = "version.json"
PROVENANCE = "provenance.json"
RESULT = "validation.json"
DECLARATION = "dataset.yaml"
SUITE = "suite.json"

PUBLISHED = Path("data", "versions")
"""Where the `.dvc` files of published versions are in the tree, and where DVC puts what it pulls."""

_SHORTEST = 4  # of a version's beginning
_LOOKED_AT = 4  # times as many versions from elsewhere, until none is expected from the same place


@dataclasses.dataclass(frozen=True)
class Found:
    """A version whose bytes are on this machine.

    Attributes:
        folder: Where its files are.
        provenance: None for a version of an older program, which wrote none.
    """

    record: DataVersion
    folder: Path
    provenance: Provenance | None

    @property
    def created(self) -> str:
        """When the rows were made the first time, ISO 8601; empty where it is not known."""
        return self.provenance.made[0].created if self.provenance and self.provenance.made else ""

    def part(self, split: Split) -> Path:
        """The file of one part."""
        return self.folder / split.file

    def verify(self) -> None:
        """Raise IntegrityError unless the parts' files, and those of features, are what the record says."""
        for split in self.record.splits:
            expect_sha256(self.part(split), split.sha256)
        for name, digest in self.record.features.items():
            expect_sha256(self.folder / name, digest)


def folder_of(places: Workspace, dataset: str, version: str) -> Path:
    """Where the store has a version."""
    return places.data / dataset / "versions" / version


def pulled_folder(places: Workspace, dataset: str, version: str) -> Path:
    """Where DVC puts a published version."""
    return places.repository / PUBLISHED / dataset / version


def keep(
    places: Workspace, dataset: Dataset, parts: Parts, folder: Path, *,
    source: Source, validation: Validation, results: list[CheckResult], missing: dict[str, float] | None = None,
    categories: dict[str, dict[str, int]] | None = None, result: bytes = b"",
) -> DataVersion:
    """Keep the two parts in the store under the version that their content has, and return its record.

    Their files are copied byte for byte and held against their checksums on the way; they are no links, so that nobody
    changes a version by changing a file of the work folder. A version that is there already keeps its tables; what is
    known of it is brought up to date.

    Args:
        folder: Where the files of `parts` are.
        missing: Column of the source → share of its empty cells.
        categories: Column of the source → value → its rows.
        result: The suite's whole result, as JSON.

    Raises:
        IntegrityError: a file is not what `parts` says.
        ConfigurationError: the place cannot be written.
    """
    aspects = score.parts(json.loads(result).get("results", []) if result else [], results)
    record = DataVersion(
        dataset=dataset.name, version=name_of(parts), fingerprint=parts.fingerprint, rows=parts.rows,
        columns=parts.columns, target=dataset.target, source=source, validation=validation, checks=results,
        splits=parts.splits, quality=score.whole(aspects), quality_parts=aspects, missing=missing or {},
        categories=categories or {}, features=parts.features,
    )
    target = folder_of(places, dataset.name, record.version)
    about = _about(places, dataset, record, target, {RESULT: result})
    if all((target / file).is_file() and sha256_file(target / file) == digest for file, digest in parts.files.items()):
        for file, content in about.items():  # the record comes last: with it the version is there
            write_atomic(target / file, content)
        return record
    with atomic_folder(target) as work:
        for file, digest in parts.files.items():
            copy_checked(folder / file, work / file, digest)
        for file, content in about.items():
            write_atomic(work / file, content)
    return record


def name_of(parts: Parts) -> str:
    """The version that these two parts make."""
    return parts.fingerprint.removeprefix("sha256:")[:12]


def _about(
    places: Workspace, dataset: Dataset, record: DataVersion, target: Path, more: dict[str, bytes]
) -> dict[str, bytes]:
    """The files beside the tables, the record last."""
    made = lineage.making(places, dataset, record.source, record.validation)
    provenance = lineage.added(
        _provenance(target), made, dataset=dataset.name, version=record.version, fingerprint=record.fingerprint
    )
    files = {PROVENANCE: provenance.to_json()} | {name: content for name, content in more.items() if content}
    files[DECLARATION] = dataset.file.read_bytes()
    files[SUITE] = dataset.suite_path.read_bytes()
    files[RECORD] = record.to_json()
    return files


def find(places: Workspace, dataset: str, version: str | None = None) -> Found:
    """A version by its name or the beginning of it; the newest where none is named.

    Raises:
        MissingInputError: there is no such version here; says how to get it.
        UsageError: several begin so.
        InvalidRecordError: its record is damaged.
    """
    if version is None:
        known = list_versions(places, dataset)
        if not known:
            raise absent(places, dataset, None)
        version = known[-1]
    else:
        version = full_name(places, dataset, version)
    for folder in (folder_of(places, dataset, version), pulled_folder(places, dataset, version)):
        if (folder / RECORD).is_file():
            return Found(read_record(DataVersion, folder / RECORD), folder, _provenance(folder))
    raise absent(places, dataset, version)


def full_name(places: Workspace, dataset: str, version: str) -> str:
    """The version that begins with `version`, among those here and those published; itself where none does.

    Raises:
        UsageError: several begin so, or it is no name.
    """
    if "/" in version or version.startswith("."):
        raise UsageError(f"{version!r} is no version's name", mend=f"`mlops data version list {dataset}` lists them")
    known = {*list_versions(places, dataset), *list_published(places, dataset)}
    if version in known or len(version) < _SHORTEST:
        return version
    near = sorted(name for name in known if name.startswith(version))
    if len(near) > 1:
        raise UsageError(
            f"{len(near)} versions of {dataset} begin with {version!r}", mend=f"name one of {', '.join(near)}"
        )
    return near[0] if near else version


def list_versions(places: Workspace, dataset: str) -> list[str]:
    """The versions whose bytes are here; the one that was made, or restored, last comes last."""
    pulled = (places.repository / PUBLISHED / dataset).glob(f"[!.]*/{RECORD}")
    stored = (places.data / dataset / "versions").glob(f"[!.]*/{RECORD}")
    found = {path.parent.name: _last_made(path) for path in pulled}  # when it was pulled says nothing
    found |= {path.parent.name: path.stat().st_mtime for path in stored}
    return sorted(found, key=lambda name: (found[name], name))


def earlier(places: Workspace, dataset: str, source: Source, *, most: int, but: str = "") -> list[DataVersion]:
    """At most `most` versions that rows of `source` compare with, the newest last.

    Simulated rows and real ones do not compare. Versions that came from the same place are preferred, those from
    others taken where there are none: each delivery may have a name of its own. A record that is damaged is left out.

    Args:
        but: A version that is left out: the one that the rows themselves are.
    """
    near, far = list[DataVersion](), list[DataVersion]()
    for name in reversed(list_versions(places, dataset)):
        try:
            record = find(places, dataset, name).record
        except (InvalidRecordError, MissingInputError):
            continue
        if name != but and record.source.simulated == source.simulated:
            (near if record.source.location == source.location else far).append(record)
        if len(near) >= most or len(far) >= _LOOKED_AT * most:
            break
    return (near or far[:most])[::-1]


def list_published(places: Workspace, dataset: str) -> list[str]:
    """The versions that the tree has a `.dvc` file of, sorted."""
    return sorted(path.stem for path in (places.repository / PUBLISHED / dataset).glob("*.dvc"))


def _last_made(record: Path) -> float:
    known = _provenance(record.parent)
    times = [datetime.datetime.fromisoformat(each.created).timestamp() for each in known.made] if known else []
    return max(times) if times else record.stat().st_mtime


def _provenance(folder: Path) -> Provenance | None:
    """What is written of the origin; None where nothing is, or nothing that can be read."""
    try:
        return read_record(Provenance, folder / PROVENANCE)
    except (MissingInputError, InvalidRecordError):
        return None


def absent(places: Workspace, dataset: str, version: str | None) -> MissingInputError:
    """The error for a version that is not here: whether it was published, or what there is instead."""
    known, published = list_versions(places, dataset), list_published(places, dataset)
    if version in published or (version is None and published):
        name = version or published[-1]
        return MissingInputError(
            f"the bytes of {dataset} {name} are not on this machine",
            where=places.repository / PUBLISHED / dataset / f"{name}.dvc",
            mend=f"run `mlops data version restore {dataset} {name}`, or `dvc pull`",
        )
    there = f"there are: {', '.join(dict.fromkeys([*known, *published]))}" if known or published else ""
    return MissingInputError(
        f"there is no version {version!r} of {dataset}" if version else f"there is no version of {dataset}",
        where=folder_of(places, dataset, version or "").parent if version is None else
        folder_of(places, dataset, version) / RECORD,
        mend=there or f"run `mlops data run {dataset}` to make one",
    )
