"""The model version: from a training run to the version that may be served."""

from __future__ import annotations

from typing import Any, Literal

from mlops.records.base import Document, Record

Task = Literal["regression", "classification"]
Comparison = Literal["first", "better", "equal", "inconclusive", "worse", "floor"]


class Holdout(Record, frozen=True, kw_only=True):
    """The rows that a model is judged on; they were never trained on."""

    fingerprint: str
    rows: int


class TrainedModel(Document, frozen=True, kw_only=True):
    """A challenger: trained and tracked, not yet judged.

    Attributes:
        run_id: MLflow's run.
        model_uri: Where MLflow keeps the fitted model.
        data: The data version that it was trained on.
        identity: Hash over code, parameters and data: the same identity gives the same model.
    """

    model: str
    task: Task
    run_id: str
    model_uri: str
    data: str
    data_fingerprint: str
    simulated: bool
    parameters: dict[str, Any]
    metrics: dict[str, float]
    identity: str


class Evaluation(Document, frozen=True, kw_only=True):
    """The challenger against the champion on the same held-out rows.

    Attributes:
        champion: The champion's version, None where there was none.
        difference: Challenger minus champion in the primary metric, signed so that positive is better.
        interval: 95 % bootstrap interval of the difference, paired by row.
    """

    model: str
    run_id: str
    holdout: Holdout
    metric: str
    metrics: dict[str, float]
    champion: str | None
    champion_metrics: dict[str, float]
    difference: float | None
    interval: tuple[float, float] | None
    verdict: Comparison
    reason: str
    simulated: bool = False


class ModelVersion(Document, frozen=True, kw_only=True):
    """A registered version and its bundle (the file that is served).

    Attributes:
        version: MLflow's integer, as text.
        semantic: The semantic version, a unique tag.
        bundle: File name of the bundle in the store.
        bundle_sha256: The bundle's checksum, as written into manifests.
        engine: What scores it: `onnx`, or `sklearn` for a model that cannot be exported.
    """

    model: str
    version: str
    semantic: str
    task: Task
    run_id: str
    data: str
    data_fingerprint: str
    holdout: Holdout
    metrics: dict[str, float]
    verdict: Comparison
    bundle: str
    bundle_sha256: str
    engine: str
    identity: str
    simulated: bool = False


class Move(Record, frozen=True, kw_only=True):
    """A version moved between stages: from, to, who, when (ISO 8601) and why."""

    source: str
    target: str
    who: str
    when: str
    why: str
