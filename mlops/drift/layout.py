"""Where the bins of a sketch lie: fixed once, by the reference, and kept with it.

Edges that move with each sample make effect sizes incomparable, above all on columns with ties; here they never do.
Edges are spaced by quantiles, so that every bin holds about the same share; a value that fills a bin
alone has one to itself; a column with few distinct values has a bin for each.
"""

from __future__ import annotations

import functools
import hashlib
from typing import TYPE_CHECKING, Any, Literal

import msgspec
from msgspec.structs import replace

from mlops.records.base import Record

if TYPE_CHECKING:
    import numpy
    import polars

    from mlops.drift.coding import Grid

QUANTILES = 128
"""Bins of an ordered column; the distance of two distribution functions is known to the share of one bin."""
NAMES = 128
"""Categories that are counted by name; the rest goes into buckets by hash."""
GROUPS = 10
"""Groups of bins, for the population stability index, whose usual thresholds are meant for ten."""
LEVEL = 7
"""Ranks are -7 to 7 in the sums of pairs: integers small enough that single precision adds them exactly."""
FEATURES = 40
"""How many columns (or categories) are paired at most; and, of these, how many also by their middle half."""
CATEGORIES = 5
"""Of a column, how many common categories are paired."""
MIDDLE = 3
"""Ranks up to this far from 0 are the middle half of the reference, about."""

Kind = Literal["ordered", "named", "opaque"]


class ColumnLayout(Record, frozen=True, kw_only=True):
    """The bins of one column.

    Attributes:
        type: float, integer, datetime, duration, boolean, string, or the Polars type where the values are not compared.
        edges: Ascending; bin `k` holds the values that at least `k` edges do not exceed. Of a datetime: microseconds.
        discrete: Every value of the reference is an edge.
        scale: Standard deviation of the reference's finite values, 0 where there is none.
        names: The categories that are counted by name. `complete`: the reference has no others.
        groups, levels: For each bin of an ordered column its group (0 to 9) and its rank (-7 to 7).
    """

    name: str
    type: str
    kind: Kind
    edges: list[float] = []
    discrete: bool = False
    scale: float = 0.0
    names: list[str] = []
    complete: bool = False
    groups: list[int] = []
    levels: list[int] = []

    @property
    def bins(self) -> int:
        """How many bins values fall into; the code `bins` stands for an empty cell."""
        return len(self.edges) + 1 if self.kind == "ordered" else len(self.names) + 1


class Feature(Record, frozen=True, kw_only=True):
    """What is paired: an ordered column's ranks, whether a cell is one category (`code`), or whether a value lies in
    the `middle` half of the reference. The last two are yes or no."""

    column: int
    code: int | None = None
    middle: bool = False

    @property
    def ranked(self) -> bool:
        """Whether it is ranks."""
        return self.code is None and not self.middle


class Layout(Record, frozen=True, kw_only=True, dict=True):
    """The bins of a table. `left_out`: columns that are not paired because there are too many."""

    columns: list[ColumnLayout]
    features: list[Feature]
    left_out: list[str] = []

    @functools.cached_property
    def identity(self) -> str:
        """Equal for layouts whose counts may be added."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()

    @functools.cached_property
    def grids(self) -> list[Grid]:
        """For each column what finds the bins of its numbers."""
        from mlops.drift.coding import Grid

        return [Grid(column.edges) for column in self.columns]

    def feature_name(self, feature: Feature) -> str:
        """`column`, `column = category`, or `column in its middle half`."""
        column = self.columns[feature.column]
        if feature.middle:
            return f"{column.name} in its middle half"
        return column.name if feature.code is None else f"{column.name} = {column.names[feature.code]}"


def lay_out(table: polars.DataFrame) -> Layout:
    """The layout that a table gives as a reference. Independent of the order of its rows."""
    columns: list[ColumnLayout] = []
    offered: list[Feature] = []
    for number, name in enumerate(table.columns):
        column, features = _column(table[name])
        columns.append(column)
        offered.extend(replace(feature, column=number) for feature in features)
    first = [each for each in offered if each.ranked] + [each for each in offered if each.code is not None]
    kept = first[:FEATURES]
    paired = {feature.column for feature in kept}
    lost = {feature.column for feature in first} - paired
    kept += [each for each in offered if each.middle and each.column in paired]
    return Layout(columns=columns, features=kept, left_out=[columns[number].name for number in sorted(lost)])


def kind_of(dtype: Any) -> tuple[str, Kind]:
    """A Polars type as (type, kind)."""
    import polars as pl

    if dtype == pl.Boolean:
        return "boolean", "named"
    if dtype in (pl.String, pl.Categorical) or isinstance(dtype, pl.Enum):
        return "string", "named"
    if dtype.is_integer():
        return "integer", "ordered"
    if dtype.is_numeric() or dtype == pl.Null:
        return "float", "ordered"
    if dtype == pl.Date or isinstance(dtype, pl.Datetime):
        return "datetime", "ordered"
    if dtype == pl.Time or isinstance(dtype, pl.Duration):
        return "duration", "ordered"
    return str(dtype).lower(), "opaque"


def _column(series: polars.Series) -> tuple[ColumnLayout, list[Feature]]:
    """A column's layout, and what of it can be paired (the number of the column is still to come)."""
    from mlops.drift.coding import numbers, texts

    kind, family = kind_of(series.dtype)
    if family == "opaque":
        return ColumnLayout(name=series.name, type=kind, kind=family), []
    if family == "named":
        return _named(series.name, kind, texts(series)[0])
    values, _ = numbers(series, kind)
    return _ordered(series.name, kind, values)


def _ordered(name: str, kind: str, values: numpy.ndarray[Any, Any]) -> tuple[ColumnLayout, list[Feature]]:
    import numpy as np

    present = np.sort(values[~np.isnan(values)]) + 0.0  # minus zero is zero, whichever of them came first
    finite = present[np.isfinite(present)]
    if not finite.size:
        return ColumnLayout(name=name, type=kind, kind="ordered", groups=[0], levels=[0]), []
    steps = np.flatnonzero(finite[1:] > finite[:-1])
    discrete = steps.size < QUANTILES
    if discrete:
        inner = finite[np.append(steps, finite.size - 1)]
    else:
        points = finite[(np.arange(QUANTILES) * finite.size) // QUANTILES]
        atoms = points[1:][points[1:] == points[:-1]]
        inner = np.concatenate([points, _after(atoms)])
    edges = np.unique(np.concatenate([inner, finite[-1:], _after(finite[-1:])]))
    edges = edges[np.isfinite(edges)]
    below = np.searchsorted(present, edges, side="left") / present.size
    bounds = np.concatenate([[0.0], below, [1.0]])
    middle = (bounds[:-1] + bounds[1:]) / 2
    levels = np.clip(np.floor(middle * (2 * LEVEL + 1)), 0, 2 * LEVEL).astype(int) - LEVEL
    with np.errstate(over="ignore", invalid="ignore"):
        spread = float(np.std(finite))
    column = ColumnLayout(
        name=name, type=kind, kind="ordered", edges=edges.tolist(), discrete=discrete,
        scale=spread if np.isfinite(spread) else 0.0, levels=levels.tolist(),
        groups=np.clip(np.floor(middle * GROUPS), 0, GROUPS - 1).astype(int).tolist(),
    )
    inside = float(np.diff(bounds)[np.abs(levels) <= MIDDLE].sum())
    features = [Feature(column=0)] if steps.size else []
    if steps.size > 1 and _common(inside):
        features.append(Feature(column=0, middle=True))
    return column, features


def _common(share: float) -> bool:
    """Whether yes and no both have enough rows for a correlation."""
    return 0.05 <= share <= 0.95


def _after(values: numpy.ndarray[Any, Any]) -> numpy.ndarray[Any, Any]:
    """The next larger number of each; infinity after the largest there is."""
    import numpy as np

    with np.errstate(over="ignore"):
        return np.asarray(np.nextafter(values, np.inf))


def _named(name: str, kind: str, text: polars.Series) -> tuple[ColumnLayout, list[Feature]]:
    import polars as pl

    present = text.drop_nulls()
    if kind == "boolean":
        names = ["false", "true"]
        counts, complete = {each: int((present == each).sum()) for each in names}, True
    else:
        counted = present.alias("name").value_counts(name="count")
        top = counted.sort(["count", "name"], descending=[True, False]).head(NAMES)
        counts = dict(zip(top["name"].cast(pl.String).to_list(), top["count"].to_list(), strict=True))
        names, complete = list(counts), counted.height <= NAMES
    column = ColumnLayout(name=name, type=kind, kind="named", names=names, complete=complete)
    common = [code for code, each in enumerate(names) if _common(counts[each] / max(len(present), 1))]
    # Of two categories one says everything.
    paired = common[:1] if len(common) == 2 == len(counts) else common[:CATEGORIES]
    return column, [Feature(column=0, code=code) for code in paired]
