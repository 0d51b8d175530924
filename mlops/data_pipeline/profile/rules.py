"""Rules for a data set's file that no expectation states: whole numbers, decimals, and columns that fit each other."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

from mlops.data_pipeline.profile.expectations import FARTHEST, ends_at, is_category
from mlops.data_pipeline.profile.figures import TAIL, Figures

if TYPE_CHECKING:
    import polars

FEWEST = 100
"""With fewer rows nothing is said of values."""
DECIMALS = (1, 2, 3, 4)
BOUND = 0.7
"""The correlation of logarithms from which on two columns are taken to measure sides of one thing."""
MOST_COLUMNS = 100
"""Columns that are compared pair by pair."""
MOST_ROWS = 200_000
"""Rows that correlations are learnt from; the bounds are of all."""


@dataclasses.dataclass(frozen=True)
class Proposed:
    """One rule, as `checks.rules` has it, and why it is proposed."""

    name: str
    rule: str
    message: str
    why: str


def proposed(table: polars.DataFrame, seen: Sequence[Figures]) -> list[Proposed]:
    """The rules that the rows keep to, each with room for another sample of the same size."""
    numbers = [each for each in seen if each.type in ("float", "integer") and not each.odd and each.known >= FEWEST]
    made = [rule for each in numbers if each.type == "float" for rule in _written(table, each)]
    measured = [
        each for each in numbers
        if isinstance(each.minimum, float | int) and each.minimum > 0 and each.distinct > 10 and not is_category(each)
    ]
    if 2 <= len(measured) <= MOST_COLUMNS:
        made += _fitting(table, measured)
    return made


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _written(table: polars.DataFrame, column: Figures) -> Iterator[Proposed]:
    """How many decimals a column's numbers are written with, where no row has more."""
    import polars as pl

    name, quoted = column.name, _quoted(column.name)
    if column.distinct <= 10:
        return
    if column.whole:
        yield Proposed(
            f"{name} is whole", f"{quoted} % 1 = 0", f"{name} has a fraction",
            f"all {column.known:,} numbers are whole",
        )
        return
    values = table[name].cast(pl.Float64)
    for decimals in DECIMALS:
        near = 0.01 * 10.0**-decimals
        if bool(((values - values.round(decimals)).abs() < near).all()):  # nulls do not count
            yield Proposed(
                f"{name} has {decimals} decimals", f"ABS({quoted} - ROUND({quoted}, {decimals})) < {near:.0e}",
                f"{name} has more than {decimals} decimals", f"none of {column.known:,} numbers has more",
            )
            return


def _fitting(table: polars.DataFrame, columns: Sequence[Figures]) -> Iterator[Proposed]:
    """For every column the other one that it goes with best: the tree of the strongest correlations of logarithms."""
    import polars as pl

    names = [each.name for each in columns]
    logs = table.select(pl.col(name).cast(pl.Float64).log().alias(name) for name in names)
    logs = logs.with_columns(pl.when(pl.col(name).is_finite()).then(pl.col(name)).alias(name) for name in names)
    sample = logs.sample(min(logs.height, MOST_ROWS), seed=1)
    tied = sample.select(
        pl.corr(one, other).alias(f"{number}") for number, (one, other) in enumerate(combinations(names, 2))
    ).row(0)
    strong = [
        (abs(each), pair) for each, pair in zip(tied, combinations(names, 2), strict=True)
        if each is not None and abs(each) >= BOUND
    ]
    group = {name: name for name in names}
    for strength, (one, other) in sorted(strong, reverse=True):
        if group[one] != group[other]:
            joined = group[other]
            group = {name: group[one] if mark == joined else mark for name, mark in group.items()}
            yield from _fit(logs.select(one, other).drop_nulls(), one, other, strength)


def _fit(logs: polars.DataFrame, one: str, other: str, strength: float) -> Iterator[Proposed]:
    """`one` follows a power of `other`; how far off it may be, the tails of what is left over tell."""
    import polars as pl

    found = logs.select(pl.cov(one, other) / pl.var(other)).item()
    slope = round(float(found), 2)
    slope = 1.0 if 0.8 <= slope <= 1.25 else slope  # a plain ratio is easier to read, and hardly wider
    left = logs.select((pl.col(one) - slope * pl.col(other)).alias("left"))["left"]
    low, high = -_end((-left).top_k(TAIL).to_list()), _end(left.top_k(TAIL).to_list())
    if max(abs(low), abs(high)) > 300:
        return
    power = _quoted(other) if slope == 1.0 else f"POWER({_quoted(other)}, {slope:g})"
    yield Proposed(
        f"{one} fits {other}",
        f"{_quoted(one)} BETWEEN {_down(math.exp(low)):g} * {power} AND {_up(math.exp(high)):g} * {power}",
        f"{one} does not fit {other}",
        f"their logarithms correlate by {strength:.2f}; no row of {logs.height:,} is as far off",
    )


def _end(tail: Sequence[float]) -> float:
    """The bound that another sample's largest logarithm leaves with the chance `RARE`: where a ratio ends as a power,
    its logarithm ends exponentially."""
    farthest = sorted(tail, reverse=True)
    return max(ends_at(farthest[:few]) for few in (FARTHEST, TAIL))


def _down(value: float) -> float:
    step = 10.0 ** (math.floor(math.log10(value)) - 2)
    return float(f"{math.floor(value / step) * step:.3g}")


def _up(value: float) -> float:
    step = 10.0 ** (math.floor(math.log10(value)) - 2)
    return float(f"{math.ceil(value / step) * step:.3g}")
