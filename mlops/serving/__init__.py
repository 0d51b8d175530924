"""The model bundle: written once, verified, opened, and scored; and the process that serves it.

Importing this package imports no pandas, MLflow or scikit-learn; NumPy and ONNX Runtime come when a
bundle is opened, pandas and scikit-learn only for a bundle that could not be exported.
"""

from __future__ import annotations

from mlops.serving.bundle import Bundle, write_bundle
from mlops.serving.inputs import InvalidRowsError, Problem
from mlops.serving.manifest import BundleManifest, Input, Proof, Scores, Tensor
from mlops.serving.proof import disagreements
from mlops.serving.store import BundleStore, FolderStore, ListedModel, open_store, read_models

__all__ = [
    "Bundle", "BundleManifest", "BundleStore", "FolderStore", "Input", "InvalidRowsError", "ListedModel",
    "Problem", "Proof", "Scores", "Tensor", "disagreements", "open_store", "read_models", "write_bundle",
]
