"""Fitting features: what a plan has to know is learnt from the training rows, and from nothing else.

Sums are exact (`math.fsum`), order statistics are of sorted values: the same rows in another order give the
same plan, to the bit. `mlops.serving.features.apply` is the other half, and the only one that makes features.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from mlops.errors import BadDataError, ConfigurationError
from mlops.features.rules import FeatureRule, Rules, contradictions
from mlops.records import ColumnShape
from mlops.records.features import Feature, FeatureOutput, FeaturePlan, FeatureStatistics
from mlops.serving.features import PERIODS, Columns, finished, missing, result

if TYPE_CHECKING:
    import polars

MOST_CATEGORIES = 1000
"""A column with more is no category; one output each would be no table any more."""


def fit(
    rules: Rules, shapes: Sequence[ColumnShape], train: Columns, *, trained_on: str = "", where: str = "features"
) -> FeaturePlan:
    """The plan of these rules, fitted.

    Args:
        shapes: The columns that there are, with their types.
        train: The training rows alone, see `mlops.serving.features.Columns`.
        trained_on: Their fingerprint.
        where: What declares the rules, for errors.

    Raises:
        ConfigurationError: a rule does not fit the columns; names the feature and the field.
        BadDataError: the training rows have nothing to learn a parameter from.
    """
    types = {shape.name: shape.type for shape in shapes}
    for field, problem in contradictions(rules, types):
        raise ConfigurationError(f"field {field!r}: {problem}", where=where, mend="correct the feature's rule")
    needed = {source for name, rule in rules.items() for source in rule.sources(name)}
    features = [_fit(name, rule, train) for name, rule in rules.items()]
    _expect_names(features, where)
    rows = len(next(iter(train.values()))) if train else 0
    return FeaturePlan(
        columns=[shape for shape in shapes if shape.name in needed], features=features, rows=rows, trained_on=trained_on
    )


def columns_of_table(table: polars.DataFrame, shapes: Iterable[ColumnShape]) -> dict[str, Any]:
    """The columns of a Polars table as `Columns`."""
    import polars as pl

    made: dict[str, Any] = {}
    for shape in shapes:
        if shape.name not in table.columns:
            continue
        values = table[shape.name]
        if shape.type == "string":
            made[shape.name] = values.cast(pl.String).to_numpy()
        elif shape.type == "datetime":
            utc = values.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if _zoned(values) else values
            made[shape.name] = utc.cast(pl.Datetime("us")).to_numpy()
        else:
            made[shape.name] = values.cast(pl.Float64).to_numpy()
    return made


def _zoned(values: polars.Series) -> bool:
    return getattr(values.dtype, "time_zone", None) is not None


def table_of(features: Columns) -> polars.DataFrame:
    """Features as a Polars table, missing ones as null."""
    import polars as pl

    return pl.DataFrame([
        pl.Series(name, list(values), dtype=pl.String) if values.dtype == object
        else pl.Series(name, values).fill_nan(None)
        for name, values in features.items()
    ])


def _fit(name: str, rule: FeatureRule, train: Columns) -> Feature:
    sources = rule.sources(name)
    feature = Feature(
        name=name, operation=rule.operation, sources=sources, description=rule.description, outputs=[],
        impute=rule.impute, scale=rule.scale, edges=[float(edge) for edge in rule.edges], part=rule.part,
        tables=_tables(rule.part) if rule.operation == "cyclical" else [],
    )
    import numpy as np

    with np.errstate(all="ignore"):
        values = result(feature, train)
        if rule.operation != "cyclical":
            feature = _fitted(feature, rule, values)
        arrays = finished(feature, values)
    outputs = [
        FeatureOutput(
            name=output, type="string" if array.dtype == object else "float", statistics=_statistics(array),
            description=rule.description,
        )
        for output, array in zip(_names(feature), arrays, strict=True)
    ]
    return replace(feature, outputs=outputs)


def _fitted(feature: Feature, rule: FeatureRule, values: Any) -> Feature:
    """The feature with fill, categories, center and spread, in this order: each rests on the one before."""
    known = values[~missing(values)]
    if rule.impute != "none":
        feature = replace(feature, fill=_fill(feature.name, rule, known))
    if rule.operation in ("one_hot", "ordinal"):
        categories = sorted({_plain(value) for value in {*known.tolist(), feature.fill} - {None}})
        if len(categories) > MOST_CATEGORIES:
            raise BadDataError(
                f"has {len(categories)} categories in the training rows, at most {MOST_CATEGORIES} are taken",
                where=f"feature {feature.name!r}", mend="bucket it, or leave it out: it is hardly a category",
            )
        feature = replace(feature, categories=categories)
    if rule.scale == "none":
        return feature
    plain = finished(replace(feature, scale="none"), values)[0]
    center, spread = _scaling(feature.name, rule.scale, plain[~missing(plain)])
    return replace(feature, center=center, spread=spread)


def _fill(name: str, rule: FeatureRule, known: Any) -> float | str:
    if rule.impute == "constant":
        return rule.constant if isinstance(rule.constant, str) else float(rule.constant or 0.0)
    _expect_values(name, rule.impute, known)
    if rule.impute == "most_frequent":
        return _most_frequent(known.tolist())
    return (_mean(name, known) if rule.impute == "mean" else _quantile(sorted(known.tolist()), 0.5)) + 0.0


def _most_frequent(values: list[Any]) -> float | str:
    """The value that stands most often; of several the smallest."""
    from collections import Counter

    counts = Counter(map(_plain, values))
    found: float | str = min(counts, key=lambda value: (-counts[value], value))
    return found


def _plain(value: Any) -> Any:
    """The value with 0.0 for -0.0: which of the two comes first depends on the order of the rows."""
    return value if isinstance(value, str) else value + 0.0


def _scaling(name: str, method: str, known: Any) -> tuple[float, float]:
    """(center, spread); a feature without spread is only centred."""
    _expect_values(name, method, known)
    ordered = sorted(known.tolist())
    if method == "standard":
        center = _mean(name, known)
        spread = _deviation(ordered, center)
    elif method == "minmax":
        center, spread = ordered[0], ordered[-1] - ordered[0]
    else:
        center = _quantile(ordered, 0.5)
        spread = _quantile(ordered, 0.75) - _quantile(ordered, 0.25)
    if not math.isfinite(spread):
        raise BadDataError(
            f"spreads further than a number can, from {ordered[0]:g} to {ordered[-1]:g}", where=f"feature {name!r}",
            mend="set such rows aside, or take log1p of it first",
        )
    return center + 0.0, spread or 1.0


def _mean(name: str, known: Any) -> float:
    try:
        return math.fsum(known.tolist()) / len(known)
    except OverflowError as error:
        raise BadDataError(
            "has values whose sum is beyond a number", where=f"feature {name!r}",
            mend="set such rows aside, or take log1p of it first",
        ) from error


def _deviation(values: list[float], mean: float) -> float:
    """The population's standard deviation; infinity beyond a number."""
    try:
        return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))
    except OverflowError:
        return math.inf


def _quantile(ordered: list[float], share: float) -> float:
    """Linear between the neighbours, as NumPy's default (Hyndman and Fan's seventh)."""
    place = share * (len(ordered) - 1)
    low, part = math.floor(place), place - math.floor(place)
    if part == 0.0:
        return ordered[low]
    return ordered[low] * (1.0 - part) + ordered[low + 1] * part


def _expect_values(name: str, what: str, known: Any) -> None:
    if not len(known):
        raise BadDataError(
            f"no training row has a value, so there is nothing to learn {what} from", where=f"feature {name!r}",
            mend="give data that has the column, or `impute: constant`",
        )


def _tables(part: str) -> list[list[float]]:
    period = PERIODS[part]
    angles = [2.0 * math.pi * step / period for step in range(period)]
    return [[math.sin(angle) for angle in angles], [math.cos(angle) for angle in angles]]


def _names(feature: Feature) -> list[str]:
    if feature.operation == "one_hot":
        return [f"{feature.name}={category}" for category in feature.categories]
    if feature.operation == "cyclical":
        return [f"{feature.name}_sin", f"{feature.name}_cos"]
    return [feature.name]


def _expect_names(features: list[Feature], where: str) -> None:
    names = [output.name for feature in features for output in feature.outputs]
    twice = next((name for number, name in enumerate(names) if name in names[:number]), None)
    if twice is not None or not names:
        raise ConfigurationError(
            f"two features give a column {twice!r}" if twice else "the rules give no column", where=where,
            mend="call them differently" if twice else "declare at least one feature",
        )


def _statistics(values: Any) -> FeatureStatistics:
    known = values[~missing(values)].tolist()
    rows, gone, distinct = len(values), len(values) - len(known), len(set(known))
    if not known or values.dtype == object:
        return FeatureStatistics(rows=rows, missing=gone, distinct=distinct)
    try:
        mean: float | None = math.fsum(known) / len(known)
        deviation: float | None = _deviation(known, mean or 0.0)
    except OverflowError:
        mean = deviation = None
    return FeatureStatistics(
        rows=rows, missing=gone, distinct=distinct, minimum=min(known) + 0.0, maximum=max(known) + 0.0, mean=mean,
        deviation=deviation if deviation is not None and math.isfinite(deviation) else None,
    )
