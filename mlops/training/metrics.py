"""Metrics as functions of means over rows.

Each metric is a small table of numbers a row and a function of its column means. So one code gives
the metric itself and, on reweighted rows, all draws of a bootstrap at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class RowMetric:
    """A metric of one task.

    Attributes:
        rows: Answers → array [rows, columns].
        reduce: Array [..., columns] of column means → array [...] of the metric.
    """

    name: str
    direction: Literal["lower", "higher"]
    rows: Callable[[Answers], Any]
    reduce: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Answers:
    """What is true and what a model says, a row each.

    Attributes:
        truth: Numbers, or class labels.
        predictions: The same.
        probabilities: For a classifier with them, [rows, classes].
        classes: Their labels, in order.
    """

    truth: Any
    predictions: Any
    probabilities: Any | None = None
    classes: tuple[Any, ...] = ()


def _squared(answers: Answers) -> Any:
    return ((answers.truth - answers.predictions) ** 2)[:, None]


def _absolute(answers: Answers) -> Any:
    import numpy as np

    return np.abs(answers.truth - answers.predictions)[:, None]


def _explained(answers: Answers) -> Any:
    import numpy as np

    centred = answers.truth - answers.truth.mean()  # else the difference of two large squares loses its digits
    return np.column_stack([(answers.truth - answers.predictions) ** 2, centred, centred**2])


def _r2(means: Any) -> Any:
    import numpy as np

    spread = means[..., 2] - means[..., 1] ** 2
    return 1.0 - means[..., 0] / np.where(spread > 0.0, spread, np.nan)


def _hits(answers: Answers) -> Any:
    return (answers.truth == answers.predictions).astype(float)[:, None]


def _surprise(answers: Answers) -> Any:
    """-log of the probability of what came true (Good 1952); clipped as scikit-learn does."""
    import numpy as np

    if answers.probabilities is None:
        return np.full((len(answers.truth), 1), np.nan)
    smallest = np.finfo(float).eps
    column = {label: index for index, label in enumerate(answers.classes)}
    chosen = np.array([column.get(label, -1) for label in answers.truth])
    given = np.where(chosen >= 0, answers.probabilities[np.arange(len(chosen)), chosen], 0.0)
    return -np.log(np.clip(given, smallest, 1.0))[:, None]


def _first(means: Any) -> Any:
    return means[..., 0]


def _root(means: Any) -> Any:
    import numpy as np

    return np.sqrt(means[..., 0])


METRICS: dict[str, dict[str, RowMetric]] = {
    "regression": {
        "rmse": RowMetric("rmse", "lower", _squared, _root),
        "mae": RowMetric("mae", "lower", _absolute, _first),
        "r2": RowMetric("r2", "higher", _explained, _r2),
    },
    "classification": {
        "accuracy": RowMetric("accuracy", "higher", _hits, _first),
        "log_loss": RowMetric("log_loss", "lower", _surprise, _first),
    },
}


def evaluate(task: str, answers: Answers) -> dict[str, float]:
    """All metrics of the task; those that have no value for these answers are left out."""
    import numpy as np

    values = {name: float(metric.reduce(metric.rows(answers).mean(axis=0))) for name, metric in METRICS[task].items()}
    return {name: value for name, value in values.items() if np.isfinite(value)}
