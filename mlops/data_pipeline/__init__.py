"""The data pipeline: from a source to a published, fingerprinted version of a data set.

`read_dataset` reads what one file under `data/datasets/` declares; `steps` holds the steps that
the runner and the command call: ingest, validate, process, check, version. `DataPipeline` calls
the same steps for data of one's own, with a `DataSchema` and a `FeatureEngineeringConfig`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops.data_pipeline.dataset import Dataset, read_dataset

if TYPE_CHECKING:
    from typing import Any

    from mlops.data_pipeline.library import DataPipeline, DataSchema, FeatureEngineeringConfig

__all__ = ["DataPipeline", "DataSchema", "Dataset", "FeatureEngineeringConfig", "read_dataset"]


def __getattr__(name: str) -> Any:
    if name in __all__:  # asyncio and the steps: loaded when they are asked for
        from mlops.data_pipeline import library

        return getattr(library, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
