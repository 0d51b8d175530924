"""The model version: from a training run to the version that may be served."""

from __future__ import annotations

from typing import Any, Literal

from mlops.records.base import Document, Record
from mlops.records.receipt import Level

Task = Literal["regression", "classification"]
Comparison = Literal["first", "better", "equal", "inconclusive", "worse", "floor"]


class Sample(Record, frozen=True, kw_only=True):
    """How many rows a bounded run used, of how many.

    Attributes:
        rows, holdout_rows: The bounds that it was drawn by, from the model's file.
        used, of: Training rows (validation rows among them).
        holdout_used, holdout_of: Held-out rows.
    """

    rows: int
    holdout_rows: int
    used: int
    of: int
    holdout_used: int
    holdout_of: int

    @property
    def cut(self) -> bool:
        """Whether training rows were left out; where none were, the run is as strict as a full one."""
        return self.used < self.of


class Reference(Record, frozen=True, kw_only=True):
    """A full model's twin: the same recipe trained on the bounded sample, for bounded challengers to be held against.

    Attributes:
        model_uri: Where MLflow keeps it.
        rows: The bound that its sample was drawn by.
    """

    model_uri: str
    rows: int


class Holdout(Record, frozen=True, kw_only=True):
    """The rows that a model is judged on; they were never trained on."""

    fingerprint: str
    rows: int


class TrainedModel(Document, frozen=True, kw_only=True):
    """A challenger: trained and tracked, not yet judged.

    Attributes:
        run_id: MLflow's run.
        model_uri: Where MLflow keeps the fitted model; of a bounded one the folder beside this record.
        data: The data version that it was trained on.
        identity: Hash over code, parameters and data: the same identity gives the same model.
        sample: The rows of a bounded model.
        reference: What bounded challengers will be held against; None where the bound cuts nothing off.
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
    level: Level = "full"
    sample: Sample | None = None
    reference: Reference | None = None


class Evaluation(Document, frozen=True, kw_only=True):
    """The challenger against the champion on the same held-out rows.

    Attributes:
        champion: The champion's version, None where there was none.
        difference: Challenger minus champion in the primary metric, signed so that positive is better.
        interval: 95 % bootstrap interval of the difference, paired by row.
        level: Whether a bounded or a full model was judged.
        sample: The rows of a bounded judgement; where rows were cut off, `champion_metrics` are those of the champion's
            reference, which was trained on as few.
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
    level: Level = "full"
    sample: Sample | None = None


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
