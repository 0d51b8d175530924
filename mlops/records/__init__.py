"""Records: what rooms and pipelines hand to each other. Shapes and JSON only, no behaviour.

A record is an immutable struct. `to_json` writes it, `read` and `decode` check it against its
shape and name the file and the field that does not fit, `json_schema` describes it.
"""

from mlops.records.base import Document, Record, decode, json_schema, read
from mlops.records.data import CheckResult, ColumnShape, DataVersion, Source, SourceFile, Split, Validation, WrongCell
from mlops.records.gate import GateVerdict, PipelineVerdict
from mlops.records.model import Evaluation, Holdout, ModelVersion, Move, TrainedModel
from mlops.records.plan import Plan, WorkflowVerdict
from mlops.records.receipt import Artifact, Receipt
from mlops.records.release import ReleasedData, ReleasedImage, ReleasedModel, Release
from mlops.records.run import Blocked, PipelineRun, RunRecord

__all__ = [
    "Artifact", "Blocked", "CheckResult", "ColumnShape", "DataVersion", "Document", "Evaluation", "GateVerdict",
    "Holdout", "ModelVersion", "Move", "PipelineRun", "PipelineVerdict", "Plan", "Receipt", "Record", "Release",
    "ReleasedData", "ReleasedImage", "ReleasedModel", "RunRecord", "Source", "SourceFile", "Split", "TrainedModel",
    "Validation", "WorkflowVerdict", "WrongCell", "decode", "json_schema", "read",
]
