"""The data pipeline as a library: `DataPipeline` with its schema and its features."""

from mlops.data_pipeline.interface.pipeline import DataPipeline
from mlops.data_pipeline.interface.records import (
    DataRun,
    DataSchema,
    FeatureEngineeringConfig,
    QualityReport,
    RunStatus,
)

__all__ = ["DataPipeline", "DataRun", "DataSchema", "FeatureEngineeringConfig", "QualityReport", "RunStatus"]
