"""Features out of columns: the one way, for whole tables, for batches and for a row that is served.

Everything is element by element, in double precision, of additions, multiplications, divisions, comparisons
and look-ups. IEEE 754 rounds these in one way only, so the bits of a feature do not depend on how many rows
are computed at once, nor on the processor. NumPy's own logarithms and sines do (they have vector and scalar
variants with different last bits), hence the logarithm below and the tables in the plan.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.errors import InvalidRecordError
from mlops.records.base import Record, decode
from mlops.records.features import Feature, FeatureChain, FeaturePlan, Taken

if TYPE_CHECKING:
    import numpy

Columns = Mapping[str, Any]
"""Name → NumPy array of one dimension: numbers and booleans as float64 with NaN for a missing one, texts as
objects with None, moments as datetime64[us] (UTC) with NaT."""

PERIODS = {"minute": 60, "hour": 24, "weekday": 7, "day": 31, "day_of_year": 366, "month": 12}
"""Steps of a circle for each part of a moment."""


def column(kind: str, values: Sequence[Any]) -> numpy.ndarray[Any, Any]:
    """Python values as an array of `Columns`: None is missing, a moment is a `datetime` or an ISO 8601 text.

    Args:
        kind: string, float, integer, boolean or datetime.
    """
    import numpy as np

    if kind == "string":
        texts = np.empty(len(values), dtype=object)
        texts[:] = values
        return texts
    if kind == "datetime":
        return np.array([_moment(value) for value in values], dtype="datetime64[us]")
    return np.array([math.nan if value is None else value for value in values], dtype=np.float64)


def _moment(value: Any) -> Any:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if value is not None and value.tzinfo is not None:
        return value.astimezone(UTC).replace(tzinfo=None)
    return value


def columns_of(plan: FeaturePlan, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The plan's source columns out of rows as a request has them; a key that is absent is a missing value."""
    return {each.name: column(each.type, [row.get(each.name) for row in rows]) for each in plan.columns}


class FeatureFile(Record, frozen=True, kw_only=True):
    """As much of a file of features as tells a chain from a plan."""

    plans: list[Any] | None = None


def chain_of(content: bytes, *, where: str | Path) -> FeatureChain:
    """The chain that a JSON text holds; a plan alone, as bundles had it before there were chains, is a chain of one.

    Raises:
        InvalidRecordError: it is neither.
    """
    if decode(FeatureFile, content, where=where).plans is not None:
        return decode(FeatureChain, content, where=where)
    plan = decode(FeaturePlan, content, where=where)
    return FeatureChain(columns=plan.columns, plans=[plan], takes=taken(plan))


def taken(plan: FeaturePlan) -> list[Taken]:
    """All that the plan makes, as what a model takes."""
    return [Taken(name=each.name, type=each.type) for each in plan.outputs]


def apply_chain(chain: FeatureChain, columns: Columns) -> dict[str, Any]:
    """What the model takes of any number of rows, in its order; see `apply`."""
    known = dict(columns)
    for plan in chain.plans:
        known |= apply(plan, known)
    return {each.name: known[each.name] for each in chain.takes}


def apply(plan: FeaturePlan, columns: Columns) -> dict[str, Any]:
    """The features of any number of rows.

    Args:
        columns: At least the plan's columns, all of one length; they are not changed.

    Returns:
        Output → array: float64 with NaN for a missing number, or objects with None for a missing text.

    Raises:
        InvalidRecordError: a column is missing.
    """
    import numpy as np

    absent = [each.name for each in plan.columns if each.name not in columns]
    if absent:
        raise InvalidRecordError(
            f"the rows lack the column {absent[0]!r}", where="feature plan",
            mend=f"give {', '.join(each.name for each in plan.columns)}",
        )
    made: dict[str, Any] = {}
    with np.errstate(all="ignore"):
        for feature in plan.features:
            arrays = finished(feature, result(feature, columns))
            made |= zip((output.name for output in feature.outputs), arrays, strict=True)
    return made


def result(feature: Feature, columns: Columns) -> Any:
    """What the operation itself gives, before anything that is learnt from it: numbers, categories, or steps of a
    circle; missing ones as NaN or None."""
    sources = [columns[name] for name in feature.sources]
    if feature.operation == "bucket":
        return _bucket(sources[0], feature.edges)
    if feature.operation == "cyclical":
        return _step(sources[0], feature.part)
    if feature.operation in ("one_hot", "ordinal") or sources[0].dtype == object:
        return sources[0]
    return finite(_NUMERIC[feature.operation](*sources))


def finished(feature: Feature, values: Any) -> list[Any]:
    """The outputs out of the operation's result, by the fitted parameters."""
    if feature.operation == "cyclical":
        return [_looked_up(values, table) for table in feature.tables]
    filled = _filled(values, feature.fill)
    if feature.operation == "one_hot":
        codes = _codes(filled, feature.categories)
        return [(codes == number) * 1.0 for number in range(len(feature.categories))]
    if feature.operation == "ordinal":
        filled = _codes(filled, feature.categories)
    if filled.dtype == object:
        return [filled]
    return [finite((filled - feature.center) / feature.spread)] if feature.scale != "none" else [filled]


def finite(values: Any) -> Any:
    """The numbers, with one NaN (there are many) for everything that is no finite number."""
    import numpy as np

    return np.where(np.isfinite(values), values, np.nan)


def _filled(values: Any, fill: float | str | None) -> Any:
    import numpy as np

    if fill is None:
        return values
    if values.dtype == object:
        return np.where(missing(values), np.array([fill], dtype=object), values)
    return np.where(np.isnan(values), fill, values)


def missing(values: Any) -> Any:
    """Which of the values of a `Columns` array are missing."""
    import numpy as np

    if values.dtype == object:
        return np.fromiter((value is None for value in values), dtype=bool, count=len(values))
    return np.isnat(values) if values.dtype.kind == "M" else ~np.isfinite(values)


def _codes(values: Any, categories: Sequence[str | float]) -> Any:
    """The place of each value among the categories; -1 for one that was never seen, NaN for a missing one."""
    import numpy as np

    places: dict[Any, float] = {category: float(place) for place, category in enumerate(categories)}
    found = np.fromiter((places.get(value, -1.0) for value in values.tolist()), dtype=np.float64, count=len(values))
    return np.where(missing(values), np.nan, found)


def _bucket(values: Any, edges: Sequence[float]) -> Any:
    import numpy as np

    places = np.searchsorted(np.array(edges, dtype=np.float64), values, side="right").astype(np.float64)
    return np.where(np.isfinite(values), places, np.nan)


def _step(moments: Any, part: str) -> Any:
    """Where on its circle each moment stands, from 0; NaN for a missing one."""
    import numpy as np

    days = moments.astype("datetime64[D]")
    if part in ("minute", "hour"):
        unit = "m" if part == "minute" else "h"
        steps = moments.astype(f"datetime64[{unit}]").astype(np.int64) % PERIODS[part]
    elif part == "weekday":
        steps = (days.astype(np.int64) + 3) % 7  # the first day of 1970 was a Thursday; Monday is 0
    elif part == "month":
        steps = moments.astype("datetime64[M]").astype(np.int64) % 12
    else:
        start = days.astype("datetime64[M]" if part == "day" else "datetime64[Y]").astype("datetime64[D]")
        steps = (days - start).astype(np.int64)
    return np.where(np.isnat(moments), np.nan, steps.astype(np.float64))


def _looked_up(steps: Any, table: Sequence[float]) -> Any:
    import numpy as np

    gone = np.isnan(steps)
    return np.where(gone, np.nan, np.array(table)[np.where(gone, 0.0, steps).astype(np.int64)])


_LN2_HIGH = 2977044471 / 2**32
"""The first 32 bits of ln 2: any exponent times it is exact."""
_LN2_LOW = 1.9082149292705877e-10
_SERIES = [2.0 / (2 * power + 1) for power in range(11, 0, -1)]


def log1p(values: Any) -> Any:
    """ln(1 + x), within two units in the last place, with the same bits at any length and on any machine; NaN for
    x ≤ -1.

    1 + x = 2^k (1 + f) with f near 0, what the sum lost is added again, and ln(1 + f) = 2 artanh(f / (2 + f)) as its
    series.
    """
    import numpy as np

    near = (values > -0.29) & (values < 0.41)
    whole = 1.0 + values
    kept = whole - 1.0
    lost = (1.0 - (whole - kept)) + (values - kept)
    fraction, exponent = np.frexp(whole)
    low = fraction < math.sqrt(0.5)
    fraction = np.where(low, 2.0 * fraction, fraction)
    power = np.where(near, 0.0, np.where(low, exponent - 1, exponent).astype(np.float64))
    rest = np.where(near, values, fraction - 1.0)
    ratio = rest / (2.0 + rest)
    square = ratio * ratio
    series = np.zeros_like(square)
    for factor in _SERIES:
        series = (series + factor) * square
    small = ratio * series + (power * _LN2_LOW + np.where(near, 0.0, lost / whole))
    found = power * _LN2_HIGH + (2.0 * ratio + small)
    return np.where(values > -1.0, np.where(np.abs(values) < 2.0**-54, values, found), np.nan)


_NUMERIC: dict[str, Callable[..., Any]] = {
    "pass": lambda values: values,
    "log1p": log1p,
    "ratio": lambda left, right: left / right,
    "difference": lambda left, right: left - right,
    "product": lambda left, right: left * right,
}
