"""Challenger against champion on the same rows: the verdict, and the sentence that explains it.

The interval is the percentile bootstrap of the difference (Efron 1979), paired: both models are
resampled on the same rows, so what makes rows hard for both cancels out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlops.records.model import Comparison
from mlops.training.config import ModelConfig
from mlops.training.metrics import METRICS, Answers, RowMetric

DRAWS = 1000
_CELLS = 4_000_000  # of the matrix of draws held at once: 32 MB


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on a challenger.

    Attributes:
        difference: Challenger minus champion, signed so that positive is better.
        interval: Its 95 % bootstrap interval.
        reason: One sentence with the numbers.
    """

    verdict: Comparison
    reason: str
    difference: float | None = None
    interval: tuple[float, float] | None = None


def below_floor(config: ModelConfig, metrics: dict[str, float]) -> str | None:
    """The sentence about the first floor that the metrics miss, None where they reach all."""
    for name, floor in config.floors.items():
        found = metrics.get(name)
        if found is None:
            return f"{name} has no value on the held-out rows, its floor is {floor:.6g}"
        direction = METRICS[config.task][name].direction
        if (found < floor) if direction == "higher" else (found > floor):
            bound = "at least" if direction == "higher" else "at most"
            return f"{name} is {found:.6g}, the floor of this model asks for {bound} {floor:.6g}"
    return None


def judge(config: ModelConfig, challenger: Answers, champion: Answers, champion_version: str) -> Judgement:
    """The verdict on a challenger that has reached its floors.

    worse          worse beyond the tolerance, and the interval excludes zero
    better         better, and the interval excludes zero
    equal          every answer is the same
    inconclusive   anything else: not told apart by these rows, or a loss that is tolerated
    """
    if _same(challenger, champion):
        reason = f"gives the same answers as the champion, version {champion_version}"
        return Judgement("equal", reason, 0.0, (0.0, 0.0))
    metric = METRICS[config.task][config.metric.name]
    ours, theirs = metric.rows(challenger), metric.rows(champion)
    sign = 1.0 if metric.direction == "higher" else -1.0
    here, there = float(metric.reduce(ours.mean(axis=0))), float(metric.reduce(theirs.mean(axis=0)))
    difference = sign * (here - there)
    low, high = paired_interval(metric, ours, theirs, sign, config.seed)
    tolerated = config.metric.tolerance * abs(there)
    numbers = (
        f"{metric.name} {here:.6g} against {there:.6g} of the champion, version {champion_version} "
        f"({metric.direction} is better)"
    )
    spread = f"95 % interval of the gain {low:.4g} to {high:.4g}"
    share = f"{abs(difference) / abs(there):.1%}" if there else f"{abs(difference):.4g}"
    allowed = f"{config.metric.tolerance:.1%} tolerated"
    if difference < -tolerated and high < 0.0:
        reason = f"{numbers}: worse by {share}, {allowed}; {spread} excludes zero"
        return Judgement("worse", reason, difference, (low, high))
    if low > 0.0:
        return Judgement("better", f"{numbers}: better by {share}; {spread} excludes zero", difference, (low, high))
    told = f"worse by {share}, {allowed}; " if difference < 0.0 else ""
    why = "these rows do not tell them apart" if high >= 0.0 else "the loss is within the tolerance"
    return Judgement("inconclusive", f"{numbers}: {told}{spread}; {why}", difference, (low, high))


def paired_interval(metric: RowMetric, ours: Any, theirs: Any, sign: float, seed: int) -> tuple[float, float]:
    """The 95 % interval of the signed difference over `DRAWS` resamples of the rows.

    Args:
        ours, theirs: `metric.rows` of both models, [rows, columns].
        sign: 1 where higher is better, -1 where lower is.
    """
    import numpy as np

    rows = len(ours)
    generator = np.random.default_rng(seed)
    both = np.concatenate([ours, theirs], axis=1)
    width = ours.shape[1]
    drawn = []
    step = max(1, min(DRAWS, _CELLS // rows))
    for start in range(0, DRAWS, step):
        count = min(step, DRAWS - start)
        chosen = generator.integers(0, rows, size=(count, rows))
        chosen += np.arange(count)[:, None] * rows
        weights = np.bincount(chosen.ravel(), minlength=count * rows).reshape(count, rows)
        means = weights @ both / rows
        drawn.append(sign * (metric.reduce(means[:, :width]) - metric.reduce(means[:, width:])))
    values = np.concatenate(drawn)
    # A draw may have no value (r2 where all its rows are alike): it then speaks for neither side.
    low, high = np.percentile(np.nan_to_num(values, nan=0.0), [2.5, 97.5])
    return float(low), float(high)


def _same(one: Answers, other: Answers) -> bool:
    import numpy as np

    if not np.array_equal(one.predictions, other.predictions):
        return False
    if one.probabilities is None or other.probabilities is None:
        return one.probabilities is other.probabilities
    return one.classes == other.classes and bool(np.array_equal(one.probabilities, other.probabilities))
