"""The two sides of a comparison: a version, one of its parts, or a file in the data set's shape."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.config import Workspace
from mlops.data_pipeline import process as processing
from mlops.data_pipeline.dataset import Dataset
from mlops.data_pipeline.intake import read_source
from mlops.data_pipeline.versioning import versions
from mlops.drift.layout import lay_out
from mlops.drift.sketch import Sketch
from mlops.errors import IntegrityError, InvalidRecordError, MissingInputError
from mlops.features import kept

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars

SKETCH = "sketch.json"
"""Beside the tables of a version, so that it travels with them."""
_WHOLE = 1 << 25
"""Cells up to which all rows lay the bins."""
_BATCH = 1 << 24
"""Cells that are read at a time."""


@dataclasses.dataclass(frozen=True)
class Side:
    """Rows that can be sketched.

    Attributes:
        name: For people: the version, `version/part`, or the file.
        note: What is to be known of the rows.
        found: The version, None for a file.
        part: The part of the version, empty for all of it.
    """

    name: str
    note: str
    found: versions.Found | None = None
    part: str = ""
    table: polars.DataFrame | None = None

    @property
    def cells(self) -> int:
        """How many there are, empty ones too."""
        if self.found is None:
            assert self.table is not None
            return self.table.height * self.table.width
        record = self.found.record
        rows = sum(split.rows for split in record.splits if self.part in ("", split.name))
        return rows * len(kept.raw_columns(record, kept.plan_of(record, self.found.folder)))

    def tables(self) -> Iterator[polars.DataFrame]:
        """The rows in batches that fit into memory; of a version with features what they were made of, as a file has
        it: a scale that each version learns anew would hide the drift of what it scales.

        Raises:
            IntegrityError: a part's file is damaged or gone.
        """
        if self.found is None:
            assert self.table is not None
            yield self.table
            return
        record, folder = self.found.record, self.found.folder
        plan = kept.plan_of(record, folder)
        names = [each.name for each in kept.raw_columns(record, plan)]
        for split in record.splits:
            if self.part in ("", split.name):
                places = kept.raw_places(record, plan, folder, split, names)
                for table in _read(places, split.rows, max(_BATCH // max(len(names), 1), 1)):
                    yield table.select(names)


def open_side(places: Workspace, dataset: Dataset, text: str) -> Side:
    """What `--from` and `--to` name: a version or the beginning of its name, VERSION/PART, a file or an address.

    A file's rows are processed as the pipeline does, so that they compare with a version's; where that is not
    possible (a column is missing) they are taken as they are, and the note says so.

    Raises:
        MissingInputError: it is neither.
        BadDataError, UnavailableError: see `intake.read_source`.
    """
    head, _, part = text.rpartition("/")
    for version, name in ((text, ""), (head, part)):
        if version and (found := _version(places, dataset, version)):
            if name and name not in {split.name for split in found.record.splits}:
                continue
            shown = f"{found.record.version}/{name}" if name else found.record.version
            return Side(shown, "simulated" if found.record.source.simulated else "", found, name)
    if "://" not in text and not Path(text).expanduser().exists():
        known = versions.list_versions(places, dataset.name)
        raise MissingInputError(
            f"is neither a version of {dataset.name} nor a file", where=text or "''",
            mend=f"versions: {', '.join(known)}" if known else f"run `mlops data run {dataset.name}` to make a version",
        )
    raw = read_source(dataset, text)
    table, note = _processed(dataset, raw.table)
    notes = [each for each in ("simulated" if raw.source.simulated else "", note) if each]
    return Side(raw.source.location, ", ".join(notes), table=table)


def reference(side: Side) -> Sketch:
    """The side's sketch in bins of its own: a version's stored one, made where it is not there or is damaged."""
    if side.found is None or side.part:
        return _sketch(side)
    record, path = side.found.record, side.found.folder / SKETCH
    names = {each.name for each in kept.raw_columns(record, kept.plan_of(record, side.found.folder))}
    try:
        sketch = Sketch.load(path)
        if sketch.rows == record.rows and {each.name for each in sketch.layout.columns} == names:
            return sketch
    except (MissingInputError, InvalidRecordError):
        pass
    sketch = _sketch(side)
    if path.parent.name == side.found.record.version and not _pulled(side.found):
        sketch.save(path)
    return sketch


def reference_of(places: Workspace, dataset: str, version: str) -> Sketch:
    """The sketch of a version, which is what a model trained on it has seen; stored beside the version's tables,
    where it is made if it is not there.

    Raises:
        MissingInputError: there is no such version.
        IntegrityError: its tables are damaged.
    """
    return reference(Side(version, "", versions.find(places, dataset, version)))


def current(side: Side, like: Sketch) -> Sketch:
    """The side's sketch in the bins of the reference."""
    return Sketch.of(side.tables(), like=like)


def _version(places: Workspace, dataset: Dataset, name: str) -> versions.Found | None:
    if "/" in name or name.startswith(".") or not name:
        return None
    full = versions.full_name(places, dataset.name, name)
    known = {*versions.list_versions(places, dataset.name), *versions.list_published(places, dataset.name)}
    return versions.find(places, dataset.name, full) if full in known else None


def _pulled(found: versions.Found) -> bool:
    """Whether DVC put the folder there: then what is in it is DVC's."""
    return found.folder.parent.parent.name == versions.PUBLISHED.name


def _sketch(side: Side) -> Sketch:
    """In bins that all rows lay, or, where they are many, rows at even distances."""
    import polars as pl

    if side.cells <= _WHOLE:
        return Sketch.of(pl.concat(side.tables(), how="vertical_relaxed"))
    step = -(-side.cells // _WHOLE)
    sample = pl.concat((table.gather_every(step) for table in side.tables()), how="vertical_relaxed")
    return Sketch.of(side.tables(), like=Sketch(lay_out(sample)))


def _read(places: list[kept.Place], rows: int, size: int) -> Iterator[polars.DataFrame]:
    """The columns of all files side by side, `size` rows at a time, once at least."""
    import polars as pl

    for start in range(0, max(rows, 1), size):
        beside = []
        for place in places:
            try:
                table = pl.scan_parquet(place.path).select(place.columns)
                beside.append(table.slice(start, size).collect())
            except (pl.exceptions.PolarsError, OSError) as error:
                raise IntegrityError(
                    "cannot be read", where=place.path, mend="restore the version: `mlops data version restore`"
                ) from error
        yield pl.concat(beside, how="horizontal")


def _processed(dataset: Dataset, table: polars.DataFrame) -> tuple[polars.DataFrame, str]:
    """The table as the pipeline would make it, and a note where it cannot."""
    try:
        return processing.apply(dataset, table), ""
    except Exception as error:  # the product's own code, on rows that no suite has let through
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        return table, f"not processed: {reason}"
