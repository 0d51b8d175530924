"""Which of two columns is never less than the other, where that is more than an accident of their ranges.

Two columns without any bond break `A >= B` somewhere as soon as their ranges overlap. How often, the same rows tell
with the values of one column dealt out anew. So a relation is proposed where chance would break it in many rows and
the data break it in none, or in next to none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import TYPE_CHECKING

from mlops.data_pipeline.profile.figures import Figures
from mlops.records.base import Record

if TYPE_CHECKING:
    import polars

FEWEST = 100
"""With fewer rows nothing is said of relations."""
BY_CHANCE = 20
"""Rows that chance must break at least: none of them broken is then no accident (e^-20)."""
EXCEPTIONS = 0.01
"""The largest share of rows that may break what is still called a relation."""
EDGE = 0.05
"""How near a row is to equality where the rows pile up against it: this share of the middle distance."""
MOST_COLUMNS = 100
"""Columns that are compared pair by pair; wider tables are left alone, the pairs grow with the square."""
SEED = 20


class Relation(Record, frozen=True, kw_only=True):
    """`upper` is at least `lower`.

    Attributes:
        known: Rows where both have a value.
        broken: Rows where it is less; `by_chance`: rows where it would be with the values of one dealt out anew.
        near: Rows next to equality, in their share of each other where both are positive: where many come up to a bound
            and none passes, the bound is real. Equal ones do not count: two columns of zeros say nothing.
    """

    upper: str
    lower: str
    known: int
    broken: int
    by_chance: int
    near: int

    @property
    def strict(self) -> bool:
        """Whether no row at all of another sample is expected to break it."""
        return not self.broken and self.near >= BY_CHANCE


def of_table(table: polars.DataFrame, seen: Sequence[Figures]) -> list[Relation]:
    """The relations between columns of numbers, and between columns of moments, none that two others imply."""
    found = []
    for kinds in (("float", "integer"), ("datetime",)):
        columns = [each for each in seen if each.type in kinds and not each.odd and each.known >= FEWEST]
        if len(columns) <= MOST_COLUMNS:
            found += [made for pair in permutations(columns, 2) if _may_hold(*pair) for made in _between(table, *pair)]
    return _without_implied(found)


def _may_hold(upper: Figures, lower: Figures) -> bool:
    """What the figures say already: with another order of the ends it cannot hold, disjoint ranges need no relation."""
    if upper.minimum is None or lower.minimum is None or upper.maximum is None or lower.maximum is None:
        return False
    if isinstance(upper.minimum, str) or isinstance(lower.minimum, str):
        return True  # moments
    tops = math.isclose(float(upper.maximum), float(lower.maximum)) or float(upper.maximum) > float(lower.maximum)
    middles = upper.median is None or lower.median is None or upper.median >= lower.median
    return tops and middles and float(upper.minimum) < float(lower.maximum)


def _between(table: polars.DataFrame, upper: Figures, lower: Figures) -> Iterator[Relation]:
    import polars as pl

    both = table.select(
        pl.col(upper.name).to_physical().cast(pl.Float64).alias("a"),
        pl.col(lower.name).to_physical().cast(pl.Float64).alias("b"),
    ).filter(pl.all_horizontal(pl.all().is_finite()))  # null is not finite, so it is left out
    known = both.height
    if known < FEWEST:
        return
    distances = both["a"] - both["b"]
    broken = int((distances < 0).sum())
    if broken > EXCEPTIONS * known or not (distances > 0).any():
        return
    by_chance = int((both["a"] < both["b"].shuffle(seed=SEED)).sum())
    if by_chance < BY_CHANCE + 20 * broken:
        return
    if float(str(both["b"].min())) > 0.0:
        distances = both["a"].log() - both["b"].log()
    near = int(((distances > 0) & (distances <= EDGE * float(str(distances.median())))).sum())
    yield Relation(
        upper=upper.name, lower=lower.name, known=known, broken=broken, by_chance=by_chance, near=near,
    )


def _without_implied(found: Sequence[Relation]) -> list[Relation]:
    """A >= B and B >= C say A >= C already, where no row breaks either."""
    strict = {(each.upper, each.lower) for each in found if each.strict}
    names = {name for pair in strict for name in pair}
    return [
        each for each in found
        if not any((each.upper, name) in strict and (name, each.lower) in strict for name in names)
    ]
