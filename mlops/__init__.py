"""Switchyard's machinery: a library and the command `mlops`. It knows nothing of houses or lab samples."""

from __future__ import annotations

import importlib

TYPE_CHECKING = False  # typing's own costs every command's start five milliseconds; type checkers know the name

__version__ = "0.1.0"

# Public name → module that defines it. Loaded at first use (PEP 562): importing `mlops` stays cheap.
_LAZY: dict[str, str] = {
    "ConfigManager": "mlops.config",
    "DataPipeline": "mlops.data_pipeline",
    "Environment": "mlops.config",
    "MlopsError": "mlops.errors",
    "PathFilter": "mlops.routing",
}

__all__ = ["ConfigManager", "DataPipeline", "Environment", "MlopsError", "PathFilter", "__version__"]

if TYPE_CHECKING:
    from typing import Any

    from mlops.config import ConfigManager, Environment
    from mlops.data_pipeline import DataPipeline
    from mlops.errors import MlopsError
    from mlops.routing import PathFilter


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'mlops' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
