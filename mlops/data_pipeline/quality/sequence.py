"""What the order of the rows tells: a value that stands still, and columns that are out of step by a few rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

from mlops.data_pipeline.dataset import Dataset, InStep, Stuck
from mlops.data_pipeline.tables.equal_rows import NAMED
from mlops.data_pipeline.tables.rows import Rows
from mlops.records import CheckResult

if TYPE_CHECKING:
    import polars

NEIGHBOURS = 6
"""Values on each side that tell whether the rows are sorted: by chance, two of 479 million times."""
BLOCK = 2000
"""Rows that are looked at together: a join may be off in a part of the rows only."""
LEAST = 300
"""With fewer rows a correlation says little."""
FARTHEST = 10
"""By how many rows columns may be out of step."""
TIED = 0.3
"""Correlations that are weaker say nothing."""
BETTER = 0.03
"""By how much another row must fit better than the own one. In sorted rows neighbours fit as well, not better."""


def of_table(dataset: Dataset, table: Rows) -> list[CheckResult]:
    """The declared checks on the order of the rows; a column that is not there is another check's business. A column,
    or two of them, are in memory at a time."""
    checks = dataset.checks
    found = [
        _stuck(table.collect(table.frame.select(name))[name], limit) for name, limit in checks.stuck.items()
        if name in table.schema
    ]
    if checks.in_step is not None:
        found.append(_in_step(checks.in_step, table))
    return found


def _stuck(column: polars.Series, limit: Stuck) -> CheckResult:
    import polars as pl

    name = column.name
    runs = column.rle().struct.unnest().with_columns(pl.col("len").cast(pl.Int64))
    runs = runs.with_columns((pl.col("len").cum_sum() - pl.col("len")).alias("start")).with_row_index("number")
    values = runs["value"]
    long = runs.filter((pl.col("len") > limit.maximum_run) & ~pl.col("value").is_in(limit.besides, nulls_equal=False)
                       .fill_null(False))
    told, rows = [], list[int]()
    for number, length, value, start in long.select("number", "len", "value", "start").iter_rows():
        around = values[max(number - NEIGHBOURS, 0):number + NEIGHBOURS + 1].drop_nulls()
        if len(around) > NEIGHBOURS // 2 and (around.is_sorted() or around.is_sorted(descending=True)):
            continue  # sorted rows bring equal values together
        rows += range(start + 1, start + length + 1)
        told.append(f"{'empty' if value is None else value} in rows {start + 1} to {start + length}")
    problems = [f"{'; '.join(told[:5])}; {limit.maximum_run} rows one after another may be the same"] if told else []
    for value in _frequent(column, limit):
        here = (column == value).arg_true().to_list()
        rows += [row + 1 for row in here]
        problems.append(f"{value} in {len(here)} of {len(column)} rows; {limit.maximum_share:.1%} may be the same")
    return CheckResult(
        name=f"stuck {name}", success=not rows, severity=limit.severity,
        message=f"{name} is {'; '.join(problems)}" if rows else "no value stands still",
        details={"count": len(set(rows)), "rows": sorted(set(rows))[:NAMED], "columns": [name]},
    )


def _frequent(column: polars.Series, limit: Stuck) -> list[Any]:
    """The values that too many rows share."""
    import polars as pl

    if limit.maximum_share >= 1.0:
        return []
    known = column.drop_nulls()
    counts = known.value_counts(name="\0rows").filter(pl.col("\0rows") > limit.maximum_share * len(column))
    return [value for value in counts[column.name].sort() if value not in limit.besides]


def _in_step(limit: InStep, table: Rows) -> CheckResult:
    columns = [name for name in limit.columns if name in table.schema and table.schema[name].is_numeric()]
    told, details = [], list[dict[str, Any]]()
    for one, other in combinations(columns, 2):
        for first, last, lag, own, best in _moved(table.collect(table.frame.select(one, other)), one, other):
            told.append(
                f"{other} goes with the {one} {abs(lag)} rows {'before' if lag > 0 else 'after'} it ({best:.2f}) "
                f"rather than with that of its own row ({own:.2f}) in rows {first} to {last}"
            )
            details.append({"columns": [one, other], "rows": lag, "from": first, "to": last})
    more = f"; and {len(told) - 3} more" if len(told) > 3 else ""
    return CheckResult(
        name="columns in step", success=not told, severity=limit.severity,
        message="; ".join(told[:3]) + more if told else "each row fits itself best",
        details={"moved": details[:20], "columns": columns},
    )


def _moved(table: polars.DataFrame, one: str, other: str) -> Iterator[tuple[int, int, int, float, float]]:
    """Blocks where another row fits better: first and last row, by how many rows, and both correlations."""
    for start, rows in _blocks(table.height):
        part = table[start:start + rows]
        fits = _correlations(part, one, other)
        lag, best = max(fits.items(), key=lambda pair: abs(pair[1]))
        if lag and abs(best) >= TIED and abs(best) > abs(fits[0]) + BETTER:
            yield start + 1, start + rows, lag, fits[0], best


def _blocks(height: int) -> Sequence[tuple[int, int]]:
    count = max(height // BLOCK, 1)
    edges = [height * number // count for number in range(count + 1)]
    return [(low, high - low) for low, high in zip(edges, edges[1:], strict=False) if high - low >= LEAST]


def _correlations(part: polars.DataFrame, one: str, other: str) -> dict[int, float]:
    """By lag: of `other` with the `one` of so many rows before."""
    import polars as pl

    lags = range(-FARTHEST, FARTHEST + 1)
    found = part.select(pl.corr(pl.col(one).shift(lag), other).fill_nan(None).alias(f"{lag}") for lag in lags).row(0)
    return {lag: each or 0.0 for lag, each in zip(lags, found, strict=True)}
