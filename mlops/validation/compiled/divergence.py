"""The Kullback-Leibler divergence of a column from a distribution that is given, as Great Expectations computes it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlops.validation.compiled.asks import Steps
from mlops.validation.compiled.case import Case
from mlops.validation.compiled.columns import Declined, Raised
from mlops.validation.compiled.rowwise import counted, domain

if TYPE_CHECKING:
    import polars


def divergence(case: Case) -> Steps:
    """`kl_divergence_to_be_less_than`: over values, or over bins with what lies outside of them."""
    column, given = case.column(), case.given
    partition = given["partition_object"]
    if column.family not in ("integer", "float", "text"):
        raise Declined(f"distributions of {column.family}s are not compiled")
    if given["threshold"] is not None and given["threshold"] < 0:
        raise Raised("Threshold must be specified, greater than or equal to zero.")
    if "values" in partition:
        return (yield from _of_values(case, partition))
    if column.family == "text" and column.missing < column.rows:
        if case.where is not None:
            raise Declined("distributions of texts in some rows are not compiled")
        raise Raised("'>' not supported between instances of 'str' and 'int'")
    return (yield from _of_bins(case, partition))


def _of_values(case: Case, partition: dict[str, Any]) -> Steps:
    column, holdout = case.column(), case.given["tail_weight_holdout"]
    values, weights = partition["values"], _weights(partition, "values", len(partition["values"]))
    if "tail_weights" in partition or len(set(values)) < len(values) or any(
        isinstance(value, bool | None) for value in values
    ):
        raise Declined("the distribution has a form that is not the engine's")
    if case.given["internal_weight_holdout"] > 0:
        raise Raised("Internal weight holdout cannot be used for discrete data.")
    asks = domain(case, column)
    histogram, *answers = yield [case.histogram(column), *asks]
    considered = counted(case, column, answers)[1]
    found = dict(zip(histogram[column.name].to_list(), histogram["count"].to_list(), strict=True))
    strange = sorted(value for value in found if value not in set(values))
    every = [*values, *strange]
    observed = [found.get(value, 0) / considered if considered else 0.0 for value in every]
    expected = [weight * (1 - holdout) if strange else weight for weight in weights]
    expected += [holdout / len(strange) for _ in strange]
    shown = [*values, *(column.shown(value) for value in strange)]
    return _result(
        case, observed, expected, {"values": shown, "weights": observed}, {"values": shown, "weights": expected})


def _of_bins(case: Case, partition: dict[str, Any]) -> Steps:
    bins, given = partition.get("bins"), case.given
    if not isinstance(bins, list) or len(bins) < 2 or not all(_finite(edge) for edge in bins):
        raise Declined("the distribution has a form that is not the engine's")
    if any(low >= high for low, high in zip(bins, bins[1:], strict=False)):
        raise Declined("the bins do not ascend")
    weights = _weights(partition, "bins", len(bins) - 1)
    tails = partition.get("tail_weights")
    holdout, inside = given["tail_weight_holdout"], given["internal_weight_holdout"]
    whole = isinstance(tails, list) and len(tails) == 2 and all(map(_finite, tails))
    if tails is not None and (holdout or not whole):
        raise Declined("the distribution has a form that is not the engine's")
    if not given["bucketize_data"]:
        raise Raised("KL Divergence cannot be computed with a continuous partition object and the bucketize_data "
                     "parameter set to false.")
    column = case.column()
    counts: list[int] = [0] * (len(bins) + 1)
    if column.missing < column.rows:
        (counts,) = yield [case.whole(
            [column.numbers().alias("numbers")], lambda series: _counts(series, bins), "numbers", column.name)]
    total = sum(counts)
    observed = [count / total if total else math.nan for count in counts]
    expected = [weight * (1 - holdout - inside) for weight in weights]
    if inside > 0 and 0 in expected:
        expected = [weight or inside / expected.count(0) for weight in expected]
    outside = tails if tails is not None else [holdout / 2, holdout / 2]
    return _result(
        case, observed, [outside[0], *expected, outside[1]],
        {"bins": bins, "weights": observed[1:-1], "tail_weights": [observed[0], observed[-1]]},
        {"bins": bins, "weights": expected, "tail_weights": outside},
    )


def _weights(partition: dict[str, Any], beside: str, count: int) -> list[float]:
    """The weights, which must be as many as there are values or bins, and sum to one."""
    weights = partition.get("weights")
    if not isinstance(weights, list) or len(weights) != count or not all(map(_finite, weights)):
        raise Declined("the distribution has a form that is not the engine's")
    tails = partition.get("tail_weights", [])
    if set(partition) - {beside, "weights", "tail_weights"} or not isinstance(tails, list):
        raise Declined("the distribution has a form that is not the engine's")
    if abs(sum(weights) + sum(tails) - 1.0) > 1e-8 + 1e-5:
        raise Raised("Invalid partition object.")
    return [float(weight) for weight in weights]


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _counts(series: Sequence[polars.Series], bins: list[float]) -> list[int]:
    """How many values lie below, in each bin (the last takes its upper edge in), and above."""
    ordered = series[0].drop_nulls().sort()
    edges = [int(ordered.search_sorted(edge, side="left")) for edge in bins[:-1]]
    edges.append(int(ordered.search_sorted(bins[-1], side="right")))
    marks = [0, *edges, len(ordered)]
    return [high - low for low, high in zip(marks, marks[1:], strict=False)]


def _result(
    case: Case, observed: list[float], expected: list[float], seen: dict[str, Any], wanted: dict[str, Any]
) -> dict[str, Any]:
    found, threshold = _entropy(observed, expected), case.given["threshold"]
    return {"success": threshold is None or found <= threshold, "result": {
        "observed_value": found if math.isfinite(found) else None,
        "details": {"observed_partition": seen, "expected_partition": wanted},
    }}


def _entropy(observed: list[float], expected: list[float]) -> float:
    """Relative entropy of two distributions, each scaled to sum to one."""
    p_sum, q_sum = sum(observed), sum(expected)
    if not p_sum or not q_sum or math.isnan(p_sum):
        return math.nan
    total = 0.0
    for p, q in zip(observed, expected, strict=True):
        p, q = p / p_sum, q / q_sum
        if p > 0 and q <= 0:
            return math.inf
        total += p * math.log(p / q) if p > 0 else 0.0
    return total
