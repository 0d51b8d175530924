"""The model bundle: written once, verified, opened, and scored; and the process that serves it.

Importing this package imports no pandas, MLflow or scikit-learn; NumPy and ONNX Runtime come when a
bundle is opened, pandas and scikit-learn only for a bundle that could not be exported.
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlops.serving.bundle import Bundle, write_bundle
    from mlops.serving.inputs import InvalidRowsError, Problem
    from mlops.serving.manifest import BundleManifest, Input, Proof, Scores, Tensor
    from mlops.serving.proof import disagreements
    from mlops.serving.store import BundleStore, FolderStore, ListedModel, open_store, read_models

# Public name → module that defines it. Loaded at first use (PEP 562): who names one part imports no other.
_LAZY: dict[str, str] = {
    "Bundle": "mlops.serving.bundle",
    "BundleManifest": "mlops.serving.manifest",
    "BundleStore": "mlops.serving.store",
    "FolderStore": "mlops.serving.store",
    "Input": "mlops.serving.manifest",
    "InvalidRowsError": "mlops.serving.inputs",
    "ListedModel": "mlops.serving.store",
    "Problem": "mlops.serving.inputs",
    "Proof": "mlops.serving.manifest",
    "Scores": "mlops.serving.manifest",
    "Tensor": "mlops.serving.manifest",
    "disagreements": "mlops.serving.proof",
    "open_store": "mlops.serving.store",
    "read_models": "mlops.serving.store",
    "write_bundle": "mlops.serving.bundle",
}

__all__ = [
    "Bundle", "BundleManifest", "BundleStore", "FolderStore", "Input", "InvalidRowsError", "ListedModel",
    "Problem", "Proof", "Scores", "Tensor", "disagreements", "open_store", "read_models", "write_bundle",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
