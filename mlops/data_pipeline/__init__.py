"""The data pipeline: from a source to a published, fingerprinted version of a data set.

`read_dataset` reads what one file under `data/datasets/` declares; `steps` holds the steps that
the runner and the command call: ingest, validate, process, check, version. `DataPipeline` calls
the same steps for data of one's own, with a `DataSchema` and a `FeatureEngineeringConfig`.
"""

from __future__ import annotations

import importlib

from mlops.data_pipeline.dataset import Dataset, read_dataset

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlops.data_pipeline.interface import DataPipeline, DataSchema, FeatureEngineeringConfig

# Public name → module that defines it. Loaded at first use (PEP 562): who reads a declaration needs none of the steps.
_LAZY = {
    "DataPipeline": "mlops.data_pipeline.interface",
    "DataSchema": "mlops.data_pipeline.interface",
    "FeatureEngineeringConfig": "mlops.data_pipeline.interface",
}

__all__ = ["DataPipeline", "DataSchema", "Dataset", "FeatureEngineeringConfig", "read_dataset"]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
