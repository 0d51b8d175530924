"""Calling a product's training function: what it returns is checked, what it raises is explained."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable
from typing import Any

from mlops.errors import ConfigurationError, MlopsError
from mlops.training.config import ModelConfig
from mlops.training.threads import one_thread

Trained = tuple[Any, dict[str, Any], dict[str, float]]
"""A fitted model with `predict`; parameters found on the way; metrics."""


def call(trainer: Callable[..., Any], arguments: tuple[Any, ...], config: ModelConfig) -> Trained:
    """The training function's result.

    Raises:
        ConfigurationError: it failed, or does not return (model, parameters, metrics) with finite metrics.
    """
    try:
        with one_thread():
            result = trainer(*arguments)
    except (MlopsError, MemoryError):
        raise
    except Exception as error:
        raise ConfigurationError(
            f"the training function failed: {type(error).__name__}: {error} ({_place(error)})", where=config.trainer,
            mend=f"correct the function, or the parameters in model/configs/{config.name}.yaml",
        ) from error
    return _checked(result, config)


def _place(error: Exception) -> str:
    """The line of the product, rather than the one inside a library that it called."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [each for each in frames if "site-packages" not in each.filename]
    last = (own or frames)[-1]
    return f"{last.filename}:{last.lineno}"


def _checked(result: Any, config: ModelConfig) -> Trained:
    if not (isinstance(result, tuple) and len(result) == 3) or not hasattr(result[0], "predict"):
        raise ConfigurationError(
            "does not return (model, parameters, metrics) with a model that has `predict`", where=config.trainer,
            mend="see the training function of another model under model/src",
        )
    model, parameters, metrics = result
    numbers = {name: float(value) for name, value in metrics.items()}
    odd = [name for name, value in numbers.items() if not math.isfinite(value)]
    if odd:
        raise ConfigurationError(
            f"the training function gives {odd[0]} = {numbers[odd[0]]}", where=config.trainer,
            mend="a training that went astray has no use: look at the parameters and at the data",
        )
    return model, dict(parameters), numbers
