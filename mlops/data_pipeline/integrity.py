"""Keys and references: rows that are named once, and values that are found where they point to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops import product
from mlops.data_pipeline.dataset import Dataset, Key, Reference
from mlops.errors import ConfigurationError, MlopsError
from mlops.records import CheckResult

if TYPE_CHECKING:
    import polars

    from mlops.config import Workspace

SHOWN = 5
"""How many rows a message names."""
NAMED = 1000
"""How many rows a result names."""


def of_table(dataset: Dataset, table: polars.DataFrame, places: Workspace | None) -> list[CheckResult]:
    """The declared keys and references held against the rows of a source.

    Args:
        places: Where other data sets' versions are; without it a reference to a data set cannot be asked and fails.
    """
    return [
        *(_key(key, table) for key in dataset.checks.keys),
        *(_reference(dataset, each, table, places) for each in dataset.checks.references),
    ]


def _is_file(target: str) -> bool:
    return "/" in target or "." in target


def _key(key: Key, table: polars.DataFrame) -> CheckResult:
    import polars as pl

    title = f"key {', '.join(key.columns)}"
    absent = [name for name in key.columns if name not in table.columns]
    if absent:
        return _failed(title, key.severity, f"the column {absent[0]} is missing")
    empty = table.select(pl.any_horizontal(pl.col(name).is_null() for name in key.columns).alias("empty"))["empty"]
    # A row without a whole key is counted as that, not as a repetition of others without one.
    repeated = ~table.select(pl.struct(key.columns).is_first_distinct().alias("first"))["first"] & ~empty
    problems = []
    for what, found in (("an empty key", empty), ("a key that an earlier row has", repeated)):
        if rows := (found.arg_true() + 1).to_list():
            problems.append(f"{len(rows)} rows have {what}, first: rows {listed(rows)}")
    rows = ((empty | repeated).arg_true() + 1).to_list()
    return CheckResult(
        name=title, success=not problems, severity=key.severity, message="; ".join(problems) or "names every row once",
        details={"count": len(rows), "rows": rows[:NAMED]},
    )


def _reference(
    dataset: Dataset, reference: Reference, table: polars.DataFrame, places: Workspace | None
) -> CheckResult:
    import polars as pl

    keys = reference.key or reference.columns
    title = f"reference {', '.join(reference.columns)} to {reference.to}"
    absent = [name for name in reference.columns if name not in table.columns]
    if absent:
        return _failed(title, reference.severity, f"the column {absent[0]} is missing")
    try:
        known = _target(dataset, reference, places)
        lacking = [name for name in keys if name not in known.columns]
        if lacking:
            raise ConfigurationError(f"{reference.to} has no column {lacking[0]}", where=dataset.file)
        left = [pl.col(name).alias(f"k{n}") for n, name in enumerate(reference.columns)]
        right = [_as(known.schema[name], table.schema[own], name, n)
                 for n, (name, own) in enumerate(zip(keys, reference.columns, strict=True))]
        rows = table.select(left).with_row_index("row", offset=1).drop_nulls()
        lost = rows.join(known.select(right).unique(), on=[f"k{n}" for n in range(len(keys))], how="anti")
    except (MlopsError, pl.exceptions.PolarsError, OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0][:200]
        return CheckResult(
            name=title, success=False, severity="block", message=f"could not be evaluated: {reason}",
            details={"error": reason},
        )
    found = lost["row"].sort().to_list()
    values = ["/".join(map(str, row)) for row in lost.sort("row").drop("row").unique(maintain_order=True).rows()[:3]]
    share = len(found) / max(table.height, 1)
    message = (
        f"{len(found)} of {table.height} rows point to nothing ({', '.join(values)}), first: rows {listed(found)}"
        if found else f"every value is found in {reference.to}"
    )
    return CheckResult(
        name=title, success=share <= reference.maximum_share, severity=reference.severity, message=message,
        details={"count": len(found), "rows": found[:NAMED], "values": values},
    )


def _as(there: polars.DataType, here: polars.DataType, name: str, number: int) -> polars.Expr:
    """A column of the target in the type of the referring one: 1 in a file of numbers is 1 in a column of texts."""
    import polars as pl

    return (pl.col(name) if there == here else pl.col(name).cast(here, strict=False)).alias(f"k{number}")


def _target(dataset: Dataset, reference: Reference, places: Workspace | None) -> polars.DataFrame:
    import polars as pl

    if _is_file(reference.to):
        path = dataset.repository / reference.to
        return pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, infer_schema_length=None)
    from mlops.data_pipeline import versions

    if reference.to not in product.names(dataset.repository, product.DATASETS) or places is None:
        raise ConfigurationError(f"there is no data set {reference.to!r}", where=dataset.file)
    found = versions.find(places, reference.to)
    return pl.concat([pl.read_parquet(found.part(split)) for split in found.record.splits])


def _failed(title: str, severity: str, message: str) -> CheckResult:
    return CheckResult(name=title, success=False, severity="warn" if severity == "warn" else "block", message=message)


def listed(rows: list[int]) -> str:
    """The first of the row numbers, for people."""
    return ", ".join(map(str, rows[:SHOWN])) + (", …" if len(rows) > SHOWN else "")
