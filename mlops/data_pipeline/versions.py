"""Published versions of a data set: a folder each, named by what is in it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.config import Workspace
from mlops.data_pipeline import checks, process as processing
from mlops.data_pipeline.dataset import Dataset
from mlops.errors import MissingInputError
from mlops.files import atomic_folder, sha256_bytes, sha256_file, write_atomic
from mlops.records import CheckResult, DataVersion, Source, Split, Validation
from mlops.records import read as read_record

if TYPE_CHECKING:
    import polars

RECORD = "version.json"


def folder_of(places: Workspace, dataset: str, version: str) -> Path:
    """Where a published version lives."""
    return places.data / dataset / "versions" / version


def publish(
    places: Workspace, dataset: Dataset, train: polars.DataFrame, test: polars.DataFrame, *,
    source: Source, validation: Validation, results: list[CheckResult],
) -> DataVersion:
    """Publish the two parts under the version that their content has, and return its record.

    A version that is there already keeps its tables; its record is brought up to date.

    Raises:
        ConfigurationError: the place cannot be written.
    """
    from mlops.data_pipeline.fingerprint import fingerprint

    parts = [processing.Part(name, table, fingerprint(table)) for name, table in (("train", train), ("test", test))]
    contents = {f"{part.name}.parquet": _parquet(part.table) for part in parts}
    whole = processing.version_fingerprint(*parts)
    record = DataVersion(
        dataset=dataset.name, version=whole.removeprefix("sha256:")[:12], fingerprint=whole,
        rows=train.height + test.height, columns=processing.shapes(dataset, train.vstack(test)), target=dataset.target,
        source=source, validation=validation, checks=results,
        splits=[
            Split(name=part.name, file=file, rows=part.table.height, sha256=sha256_bytes(content),
                  fingerprint=part.fingerprint)
            for part, (file, content) in zip(parts, contents.items(), strict=True)
        ],
        quality=checks.quality(validation.evaluated, validation.successful, results),
    )
    target = folder_of(places, dataset.name, record.version)
    if all((target / file).is_file() and sha256_file(target / file) == sha256_bytes(content)
           for file, content in contents.items()):
        write_atomic(target / RECORD, record.to_json())
        return record
    with atomic_folder(target) as work:
        for file, content in contents.items():
            write_atomic(work / file, content)
        write_atomic(work / RECORD, record.to_json())
    return record


def read_version(places: Workspace, dataset: str, version: str) -> DataVersion:
    """The record of a published version.

    Raises:
        MissingInputError: there is no such version; the message lists those that there are.
    """
    path = folder_of(places, dataset, version) / RECORD
    if not path.is_file():
        known = list_versions(places, dataset)
        raise MissingInputError(
            f"there is no version {version!r} of {dataset}", where=path,
            mend=f"there are: {', '.join(known)}" if known else f"run `mlops data version {dataset}` to make one",
        )
    return read_record(DataVersion, path)


def list_versions(places: Workspace, dataset: str) -> list[str]:
    """The published versions of a data set, the newest record last."""
    found = (places.data / dataset / "versions").glob(f"[!.]*/{RECORD}")
    return [path.parent.name for path in sorted(found, key=lambda path: (path.stat().st_mtime, path.parent.name))]


def _parquet(table: polars.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()
