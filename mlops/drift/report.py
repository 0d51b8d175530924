"""One comparison from names to an answer that is kept: record and page under `.mlops/reports/drift/`."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from msgspec.structs import replace

from mlops.config import Workspace
from mlops.data_pipeline.dataset import Dataset
from mlops.drift.compare import compare
from mlops.drift.page import page
from mlops.drift.sides import current, open_side, reference
from mlops.errors import BadDataError
from mlops.files import atomic_folder, write_atomic
from mlops.records.drift import DriftReport

PAGE = "index.html"
RECORD = "drift.json"


def between(places: Workspace, dataset: Dataset, before: str, after: str) -> DriftReport:
    """What changed from `before` to `after`, written as record and page.

    Args:
        before, after: Versions, VERSION/PART, files or addresses; see `sides.open_side`.

    Raises:
        MissingInputError, BadDataError, UnavailableError: a side cannot be read.
        ConfigurationError: the report cannot be written.
    """
    first, second = open_side(places, dataset, before), open_side(places, dataset, after)
    known = reference(first)
    if not known.rows:
        raise BadDataError("has no rows to compare with", where=first.name, mend="give a side that has rows")
    found = compare(
        known, current(second, known), dataset.drift, dataset=dataset.name, names=(first.name, second.name)
    )
    found = replace(
        found, reference=replace(found.reference, note=first.note), current=replace(found.current, note=second.note)
    )
    return write(places, found)


def write(places: Workspace, found: DriftReport) -> DriftReport:
    """Write record and page; returns the record with the page's place in it.

    Raises:
        ConfigurationError: the folder cannot be written.
    """
    folder = folder_of(places, found)
    relative = folder.relative_to(places.repository) if folder.is_relative_to(places.repository) else folder
    found = replace(found, report=(relative / PAGE).as_posix())
    with atomic_folder(folder) as work:
        write_atomic(work / RECORD, found.to_json())
        write_atomic(work / PAGE, page(found))
    return found


def folder_of(places: Workspace, found: DriftReport) -> Path:
    """Where the comparison of these two sides is kept; the next one of the same sides replaces it."""
    names = (found.reference.name, found.current.name)
    digest = hashlib.sha256("\0".join(names).encode()).hexdigest()[:8]
    plain = [re.sub(r"[^A-Za-z0-9.-]+", "_", Path(name).name or name)[:40].strip("._") for name in names]
    return places.reports / "drift" / (found.dataset or "window") / f"{plain[0]}_{plain[1]}_{digest}"
