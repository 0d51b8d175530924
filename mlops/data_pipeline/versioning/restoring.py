"""The bytes of a version, back in the store and proven to be its own."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.config import Workspace
from mlops.data_pipeline.versioning import versions
from mlops.errors import IntegrityError, MlopsError
from mlops.files import atomic_folder, combine, expect_sha256, write_atomic
from mlops.records import DataVersion
from mlops.records import read as read_record

if TYPE_CHECKING:
    from collections.abc import Callable

HANDED_OVER = Path("work", "default", "version.json")
"""Where a model's steps find the version that they are trained on, below the data set's folder."""


@dataclasses.dataclass(frozen=True)
class Restored:
    """A version whose bytes are in the store again.

    Attributes:
        origin: `store`, `pulled` or `remote`: where intact bytes were found.
        damaged: Places whose bytes were not the version's, with what was wrong.
    """

    record: DataVersion
    folder: Path
    origin: str
    damaged: list[str]


def restore(
    places: Workspace, dataset: str, version: str | None, fetch: Callable[[str, Path], None]
) -> Restored:
    """Bring a version's bytes into the store, proven, and make it the one that models are trained on.

    They are looked for in the store, among what `dvc pull` brought, and in the remote, in this order; a place
    whose bytes are not those of the version is passed over.

    Args:
        version: Its name or the beginning of it; the newest that is known where None.
        fetch: `fetch(version, folder)` makes `folder` with a published version's files in it.

    Raises:
        MissingInputError: nobody has such a version.
        IntegrityError: every place has other bytes than the version's.
        UnavailableError: the remote did not answer.
    """
    version = versions.full_name(places, dataset, version) if version else _newest(places, dataset)
    store = versions.folder_of(places, dataset, version)
    damaged: list[str] = []
    for origin, folder in (("store", store), ("pulled", versions.pulled_folder(places, dataset, version))):
        if not (folder / versions.RECORD).is_file():
            continue
        try:
            record = verify(folder, dataset, version)
        except MlopsError as error:
            damaged.append(f"{error.where or folder}: {error.message}")
            continue
        if folder != store:
            with atomic_folder(store) as work:
                shutil.copytree(folder, work, dirs_exist_ok=True)
        return _handed_over(places, Restored(record, store, origin, damaged))
    if version not in versions.list_published(places, dataset):
        if damaged:
            raise _all_damaged(dataset, version, damaged)
        raise versions.absent(places, dataset, version)
    with atomic_folder(store) as work:
        fetch(version, work / "fetched")
        record = verify(work / "fetched", dataset, version)
        for path in (work / "fetched").iterdir():
            path.rename(work / path.name)
        (work / "fetched").rmdir()
    return _handed_over(places, Restored(record, store, "remote", damaged))


def verify(folder: Path, dataset: str, version: str) -> DataVersion:
    """The record of the version in `folder`, once its bytes are proven: each file's checksum against the record,
    the rows of each part against its fingerprint, the parts against the version's.

    Raises:
        MissingInputError, InvalidRecordError: a file is missing or no record.
        IntegrityError: the bytes are others.
    """
    record = read_record(DataVersion, folder / versions.RECORD)
    mend = "the copy is damaged: delete this folder and restore the version again"
    for split in record.splits:
        expect_sha256(folder / split.file, split.sha256)
        found = _fingerprints(folder / split.file)
        if split.fingerprint not in found:
            raise IntegrityError(
                f"its rows have the fingerprint {found[0]}, the record says {split.fingerprint}",
                where=folder / split.file, mend=mend,
            )
    for name, digest in record.features.items():
        expect_sha256(folder / name, digest)
    whole = combine([(split.name, split.fingerprint) for split in record.splits])
    if whole != record.fingerprint or record.dataset != dataset or not whole.startswith(f"sha256:{version}"):
        raise IntegrityError(
            f"is the record of {record.dataset} {record.version} with parts of {whole}, not of {dataset} {version}",
            where=folder / versions.RECORD, mend=mend,
        )
    return record


def _fingerprints(path: Path) -> tuple[str, str]:
    """The fingerprint of a part's rows, in any order and in this one, a batch at a time."""
    import polars as pl
    from pyarrow import parquet

    from mlops.data_pipeline.tables.fingerprint import Fingerprint

    taken = Fingerprint(), Fingerprint(ordered=True)
    with parquet.ParquetFile(path) as file:
        for each in taken:
            each.add(pl.DataFrame(file.schema_arrow.empty_table()))
        for batch in file.iter_batches():
            for each in taken:
                each.add(pl.DataFrame(batch))
    return taken[0].digest(), taken[1].digest()


def _handed_over(places: Workspace, restored: Restored) -> Restored:
    write_atomic(places.data / restored.record.dataset / HANDED_OVER, restored.record.to_json())
    (restored.folder / versions.RECORD).touch()  # the newest is the one that is in use
    return restored


def _newest(places: Workspace, dataset: str) -> str:
    known = versions.list_versions(places, dataset) or versions.list_published(places, dataset)
    if len(known) == 0:
        raise versions.absent(places, dataset, None)
    return known[-1]


def _all_damaged(dataset: str, version: str, damaged: list[str]) -> IntegrityError:
    listed = "\n".join(f"  - {each}" for each in damaged)
    return IntegrityError(
        f"no intact copy of {dataset} {version} is on this machine, and it was never published\n{listed}",
        mend=f"run the pipeline on the same source again (`mlops data version show {dataset} {version}` says which); "
        "the same rows have the same version",
    )
