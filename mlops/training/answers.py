"""Asking a fitted model about a frame."""

from __future__ import annotations

from typing import Any

from mlops.errors import ConfigurationError
from mlops.records.model import Task
from mlops.training.metrics import Answers
from mlops.training.threads import one_thread


def ask(model: Any, frame: Any, truth: Any, task: Task, name: str) -> Answers:
    """The model's answers to the frame's rows, beside what is true.

    Raises:
        ConfigurationError: the model answers with something else than one finite number, or one label, a row.
    """
    import numpy as np

    with one_thread():
        predictions = np.asarray(model.predict(frame)).reshape(-1)
        probable = task == "classification" and hasattr(model, "predict_proba")
        probabilities = model.predict_proba(frame) if probable else None
    if len(predictions) != len(frame):
        raise _odd(name, f"{len(predictions)} answers to {len(frame)} rows")
    truth = np.asarray(truth)
    if task == "regression":
        predictions, truth = _numbers(predictions, name), _numbers(truth, name)
        return Answers(truth, predictions)
    classes = tuple(np.asarray(model.classes_).tolist()) if hasattr(model, "classes_") else ()
    if probabilities is not None and not np.isfinite(probabilities).all():
        raise _odd(name, "a probability that is no finite number")
    return Answers(truth.astype(object), predictions.astype(object), probabilities, classes)


def _numbers(values: Any, name: str) -> Any:
    import numpy as np

    try:
        numbers = values.astype(float)
    except (TypeError, ValueError) as error:
        raise _odd(name, f"texts where numbers are expected ({error})") from error
    if not np.isfinite(numbers).all():
        raise _odd(name, "NaN or infinity")
    return numbers


def _odd(name: str, what: str) -> ConfigurationError:
    return ConfigurationError(
        f"the model or its target gives {what}", where=f"model {name}",
        mend="correct the trainer's estimator, or task and target in the model's file",
    )
