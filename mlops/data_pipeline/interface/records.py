"""What a caller of the library gives and gets: schema, features, run, quality."""

from __future__ import annotations

import dataclasses
import enum
from typing import Any, Literal

from mlops.records.features import Scaling


@dataclasses.dataclass(kw_only=True)
class DataSchema:
    """What the columns of some data must be. Columns that it does not name are allowed, and not carried on.

    Attributes:
        schema_id: "" for an id of its own.
        columns: Name → `{"type", "nullable"}` and, where wanted, `min`, `max` (numbers), `values` (all that may occur),
            `pattern` (a regular expression that a text must match from its beginning), `unique`, `format` (of a
            datetime in a text file), `unit`, `description`. Types are string, float, integer, boolean, datetime.
        target: The column that a model predicts, if any.
    """

    name: str
    columns: dict[str, dict[str, Any]]
    version: str = "1.0"
    schema_id: str = ""
    description: str = ""
    target: str = ""


@dataclasses.dataclass(kw_only=True)
class FeatureEngineeringConfig:
    """How columns become features. Scales, fills and classes are learnt on the training rows alone.

    Attributes:
        config_id: "" for an id of its own.
        datetime_features: Moments; each becomes a sine and a cosine of its month, weekday and hour.
        scaling_method: standard, minmax, robust or none.
        encoding_method: onehot, or ordinal; a class that the training rows do not have is none of them.
        missing_method: What an empty number becomes: median, mean or zero; none leaves it empty.
    """

    name: str
    config_id: str = ""
    description: str = ""
    numeric_features: list[str] = dataclasses.field(default_factory=list)
    categorical_features: list[str] = dataclasses.field(default_factory=list)
    datetime_features: list[str] = dataclasses.field(default_factory=list)
    scaling_method: Scaling = "standard"
    encoding_method: Literal["onehot", "ordinal"] = "onehot"
    missing_method: Literal["median", "mean", "zero", "none"] = "median"


class RunStatus(str, enum.Enum):
    """How a run stands. A run of a process that was killed stays `running`."""

    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataRun:
    """One run of a pipeline.

    Attributes:
        started: ISO 8601 in UTC; `finished` None while it runs.
        version: The data version that it made, None where it made none.
        steps: The steps that ended well, with what each says of itself.
        error: Why it failed.
    """

    run_id: str
    pipeline_id: str
    status: RunStatus
    started: str
    finished: str | None
    version: str | None
    steps: dict[str, Any]
    input_data_path: str
    schema_id: str
    feature_config_id: str
    error: str | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class QualityReport:
    """How good some rows are.

    Attributes:
        score: Share of what was asked that holds, between 0 and 1; `parts`: the same for each aspect.
        success: Whether nothing that blocks was found.
        missing: Column → share of empty cells, for those with any.
        issues: What does not hold, a sentence each.
    """

    dataset: str
    version: str | None
    rows: int
    score: float
    parts: dict[str, float]
    success: bool
    missing: dict[str, float]
    issues: list[str]
