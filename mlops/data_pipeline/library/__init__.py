"""The data pipeline as a library: `DataPipeline` with its schema and its features."""

from mlops.data_pipeline.library.pipeline import DataPipeline
from mlops.data_pipeline.library.records import DataRun, DataSchema, FeatureEngineeringConfig, QualityReport, RunStatus

__all__ = ["DataPipeline", "DataRun", "DataSchema", "FeatureEngineeringConfig", "QualityReport", "RunStatus"]
