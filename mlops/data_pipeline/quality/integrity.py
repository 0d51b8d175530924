"""Keys and references: rows that are named once, and values that are found where they point to."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops import product
from mlops.data_pipeline.dataset import Dataset, Key, Reference
from mlops.data_pipeline.tables import equal_rows
from mlops.data_pipeline.tables.equal_rows import Lost, Named
from mlops.data_pipeline.tables.rows import Rows
from mlops.data_pipeline.tables.scratch import Scratch
from mlops.errors import ConfigurationError, MlopsError
from mlops.records import CheckResult

if TYPE_CHECKING:
    import polars

    from mlops.config import Workspace


def of_table(dataset: Dataset, rows: Rows, places: Workspace | None, scratch: Scratch) -> list[CheckResult]:
    """The declared keys and references held against the rows of a source.

    Args:
        places: Where other data sets' versions are; without it a reference to a data set cannot be asked and fails.
    """
    return [
        *(_key(key, rows, scratch) for key in dataset.checks.keys),
        *(_reference(dataset, each, rows, places, scratch) for each in dataset.checks.references),
    ]


def _is_file(target: str) -> bool:
    return "/" in target or "." in target


def _key(key: Key, rows: Rows, scratch: Scratch) -> CheckResult:
    import polars as pl

    title = f"key {', '.join(key.columns)}"
    absent = [name for name in key.columns if name not in rows.schema]
    if absent:
        return _failed(title, key.severity, f"the column {absent[0]} is missing")
    gaps = pl.any_horizontal(pl.col(name).is_null() for name in key.columns)
    empty = Named.where(rows.collect(rows.frame.select(gaps)).to_series())
    # A row without a whole key is counted as that, not as a repetition of others without one.
    repeated = equal_rows.repeated(rows, key.columns, scratch, whole=True)
    problems = [
        f"{found.count} rows have {what}, first: rows {found}"
        for what, found in (("an empty key", empty), ("a key that an earlier row has", repeated)) if found.count
    ]
    both = empty.joined(repeated)
    return CheckResult(
        name=title, success=not problems, severity=key.severity, message="; ".join(problems) or "names every row once",
        details={"count": both.count, "rows": both.first},
    )


def _reference(
    dataset: Dataset, reference: Reference, rows: Rows, places: Workspace | None, scratch: Scratch
) -> CheckResult:
    import polars as pl

    title = f"reference {', '.join(reference.columns)} to {reference.to}"
    absent = [name for name in reference.columns if name not in rows.schema]
    if absent:
        return _failed(title, reference.severity, f"the column {absent[0]} is missing")
    try:
        lost = _lost(dataset, reference, rows, places, scratch)
    except (MlopsError, pl.exceptions.PolarsError, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0][:200]
        return CheckResult(
            name=title, success=False, severity="block", message=f"could not be evaluated: {reason}",
            details={"error": reason},
        )
    found, values = lost.rows, ["/".join(map(str, each)) for each in lost.values]
    share = found.count / max(rows.height, 1)
    message = (
        f"{found.count} of {rows.height} rows point to nothing ({', '.join(values)}), first: rows {found}"
        if found.count else f"every value is found in {reference.to}"
    )
    return CheckResult(
        name=title, success=share <= reference.maximum_share, severity=reference.severity, message=message,
        details={"count": found.count, "rows": found.first, "values": values},
    )


def _lost(
    dataset: Dataset, reference: Reference, rows: Rows, places: Workspace | None, scratch: Scratch
) -> Lost:
    """The rows that point to nothing."""
    keys = reference.key or reference.columns
    known = _target(dataset, reference, places)
    there = known[0].schema
    lacking = [name for name in keys if name not in there]
    if lacking:
        raise ConfigurationError(f"{reference.to} has no column {lacking[0]}", where=dataset.file)
    right = [_as(there[name], rows.schema[own], name, own)
             for name, own in zip(keys, reference.columns, strict=True)]
    tables: Iterator[polars.DataFrame] = itertools.chain.from_iterable(each.batches(keys) for each in known)
    return equal_rows.lost(rows, reference.columns, (table.select(right) for table in tables), scratch)


def _as(there: polars.DataType, here: polars.DataType, name: str, own: str) -> polars.Expr:
    """A column of the target in the type of the referring one: 1 in a file of numbers is 1 in a column of texts."""
    import polars as pl

    return (pl.col(name) if there == here else pl.col(name).cast(here, strict=False)).alias(own)


def _target(dataset: Dataset, reference: Reference, places: Workspace | None) -> list[Rows]:
    import polars as pl

    if _is_file(reference.to):
        path = dataset.repository / reference.to
        return [Rows(path if path.suffix == ".parquet" else pl.read_csv(path, infer_schema_length=None))]
    from mlops.data_pipeline.versioning import versions

    if reference.to not in product.names(dataset.repository, product.DATASETS) or places is None:
        raise ConfigurationError(f"there is no data set {reference.to!r}", where=dataset.file)
    found = versions.find(places, reference.to)
    return [Rows(found.part(split)) for split in found.record.splits]


def _failed(title: str, severity: str, message: str) -> CheckResult:
    return CheckResult(name=title, success=False, severity="warn" if severity == "warn" else "block", message=message)
