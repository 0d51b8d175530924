"""Records: what rooms and pipelines hand to each other. Shapes and JSON only, no behaviour.

A record is an immutable struct. `to_json` writes it, `read` and `decode` check it against its
shape and name the file and the field that does not fit, `json_schema` describes it.
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlops.records.base import Document, Record, decode, json_schema, read
    from mlops.records.data import (
        CheckResult, ColumnShape, DataVersion, Source, SourceFile, Split, Validation, WrongCell,
    )
    from mlops.records.gate import GateVerdict, PipelineVerdict
    from mlops.records.model import Evaluation, Holdout, ModelVersion, Move, TrainedModel
    from mlops.records.plan import Plan, WorkflowVerdict
    from mlops.records.receipt import Artifact, Receipt
    from mlops.records.release import ReleasedData, ReleasedImage, ReleasedModel, Release
    from mlops.records.run import Blocked, PipelineRun, RunRecord

# Public name → module that defines it. Loaded at first use (PEP 562): who reads one kind of record defines no other.
_LAZY: dict[str, str] = {
    "Artifact": "mlops.records.receipt",
    "Blocked": "mlops.records.run",
    "CheckResult": "mlops.records.data",
    "ColumnShape": "mlops.records.data",
    "DataVersion": "mlops.records.data",
    "Document": "mlops.records.base",
    "Evaluation": "mlops.records.model",
    "GateVerdict": "mlops.records.gate",
    "Holdout": "mlops.records.model",
    "ModelVersion": "mlops.records.model",
    "Move": "mlops.records.model",
    "PipelineRun": "mlops.records.run",
    "PipelineVerdict": "mlops.records.gate",
    "Plan": "mlops.records.plan",
    "Receipt": "mlops.records.receipt",
    "Record": "mlops.records.base",
    "Release": "mlops.records.release",
    "ReleasedData": "mlops.records.release",
    "ReleasedImage": "mlops.records.release",
    "ReleasedModel": "mlops.records.release",
    "RunRecord": "mlops.records.run",
    "Source": "mlops.records.data",
    "SourceFile": "mlops.records.data",
    "Split": "mlops.records.data",
    "TrainedModel": "mlops.records.model",
    "Validation": "mlops.records.data",
    "WorkflowVerdict": "mlops.records.plan",
    "WrongCell": "mlops.records.data",
    "decode": "mlops.records.base",
    "json_schema": "mlops.records.base",
    "read": "mlops.records.base",
}

__all__ = [
    "Artifact", "Blocked", "CheckResult", "ColumnShape", "DataVersion", "Document", "Evaluation", "GateVerdict",
    "Holdout", "ModelVersion", "Move", "PipelineRun", "PipelineVerdict", "Plan", "Receipt", "Record", "Release",
    "ReleasedData", "ReleasedImage", "ReleasedModel", "RunRecord", "Source", "SourceFile", "Split", "TrainedModel",
    "Validation", "WorkflowVerdict", "WrongCell", "decode", "json_schema", "read",
]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
