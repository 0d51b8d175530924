"""What the service reads from its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from mlops.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Settings:
    """The environment variables in brackets.

    Attributes:
        models_file: A `release.yaml` that lists the models to serve [MLOPS_MODELS_FILE].
        bundle_store: The folder that holds NAME/VERSION.bundle [MLOPS_BUNDLE_STORE].
        most_rows: How many rows one request may hold [MLOPS_PREDICT_MOST_ROWS].
        most_bytes: How large a body may be [MLOPS_PREDICT_MOST_BYTES].
    """

    models_file: str = ""
    bundle_store: str = ""
    most_rows: int = 10_000
    most_bytes: int = 16 << 20


def read_settings(variables: Mapping[str, str] = os.environ) -> Settings:
    """The settings in `variables`.

    Raises:
        ConfigurationError: a limit is no positive whole number.
    """
    return Settings(
        models_file=variables.get("MLOPS_MODELS_FILE", ""),
        bundle_store=variables.get("MLOPS_BUNDLE_STORE", ""),
        most_rows=_limit(variables, "MLOPS_PREDICT_MOST_ROWS", Settings().most_rows),
        most_bytes=_limit(variables, "MLOPS_PREDICT_MOST_BYTES", Settings().most_bytes),
    )


def _limit(variables: Mapping[str, str], name: str, default: int) -> int:
    text = variables.get(name, "").strip()
    if text and (not text.isdecimal() or int(text) == 0):
        raise ConfigurationError(f"is {text!r}, not a positive whole number", where=name, mend="write 10000")
    return int(text) if text else default
