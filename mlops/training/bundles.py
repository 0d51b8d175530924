"""The bundle of a registered version: exported, held against the pipeline, proven, written to the store."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from mlops import serving
from mlops.errors import MlopsError
from mlops.experiment_tracker import versions
from mlops.records.features import FeatureChain
from mlops.serving import Bundle, BundleManifest, Input, Proof, engineered
from mlops.serving.bundle import SUFFIX
from mlops.serving.manifest import InputType
from mlops.training.config import ModelConfig
from mlops.training.engineered import Engineered
from mlops.training.export import Graph, NotExportableError, to_onnx
from mlops.training.frames import Data, load_raw
from mlops.training.threads import one_thread

PROOF_ROWS = 500
TOLERANCE = 1e-5
"""Relative for numbers, absolute for probabilities; what a release allows between service and registered model."""

_MOST_CATEGORIES = 100


def inputs_of(config: ModelConfig, data: Data) -> list[Input]:
    """The columns of a row that the model takes, with the categories that were trained on."""
    columns = data.surface(config.features)
    texts = [each.name for each in columns if each.type == "string"]
    seen = load_raw(data, "train", texts) if texts else {}
    found = []
    for each in columns:
        values = sorted({str(value) for value in seen[each.name].dropna().unique()}) if each.name in texts else []
        kind = msgspec.convert(each.type, InputType)
        few = 0 < len(values) <= _MOST_CATEGORIES
        found.append(Input(name=each.name, type=kind, nullable=each.nullable, categories=values if few else None))
    return found


def rows_of(frame: Any, inputs: Sequence[Input]) -> list[dict[str, Any]]:
    """The frame's rows as a client would send them: None for a missing value, integers as integers."""
    columns = {each.name: [_sent(value, each.type) for value in frame[each.name].tolist()] for each in inputs}
    names = list(columns)
    return [dict(zip(names, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _sent(value: Any, kind: str) -> Any:
    if value is None or value != value:
        return None
    if kind == "integer":
        return int(value)
    if kind == "boolean":
        return bool(value)
    return value.isoformat() if kind == "datetime" else value


def proof_rows(frame: Any) -> Any:
    """Up to `PROOF_ROWS` held-out rows: spread over the frame, those with gaps first among them."""
    import numpy as np

    if len(frame) <= PROOF_ROWS:
        return frame.reset_index(drop=True)
    gaps = np.flatnonzero(frame.isna().any(axis=1).to_numpy())[: PROOF_ROWS // 2]
    rest = np.setdiff1d(np.arange(len(frame)), gaps)
    chosen = rest[np.linspace(0, len(rest) - 1, PROOF_ROWS - len(gaps)).astype(int)]
    return frame.iloc[np.sort(np.concatenate([gaps, chosen]))].reset_index(drop=True)


def prove(model: Any, frame: Any, inputs: Sequence[Input], classifier: bool) -> Proof:
    """The model's own answers to the frame's rows."""
    with one_thread():
        predictions = model.predict(frame).reshape(-1).tolist()
        probabilities = model.predict_proba(frame).tolist() if classifier else None
    return Proof(rows=rows_of(frame, inputs), predictions=predictions, probabilities=probabilities)


def write(store: Path, config: ModelConfig, model: Any, manifest: BundleManifest, frame: Any) -> tuple[str, str, str]:
    """Write the version's bundle into the store, exported where that gives the same answers.

    Args:
        model: The registered model, as MLflow gave it back.
        manifest: Of the version; engine, tensors and outputs are filled in here.
        frame: Held-out rows.

    Returns:
        Its path in the store, its checksum, its engine.

    Raises:
        ConfigurationError: the store cannot be written.
    """
    classifier = config.task == "classification"
    proof = prove(model, proof_rows(frame), manifest.inputs, classifier)
    probes = _probes(model, frame, manifest.inputs, classifier)
    chain, inner = (model.chain, model.model) if isinstance(model, Engineered) else (None, model)
    taken = manifest.inputs if chain is None else engineered.inputs_of(chain)
    name = f"{manifest.model}/{manifest.version}{SUFFIX}"
    path, trial = store / name, store / f".{manifest.model}-{manifest.version}-{os.getpid()}.part"
    for left in store.glob(f".{manifest.model}-*.part"):  # by a command that was killed; the model's lock is ours
        left.unlink(missing_ok=True)
    reasons = []
    try:
        for double in (True, False):
            try:
                graph = to_onnx(inner, taken, name=config.name, classifier=classifier, double=double)
                exported = replace(manifest, engine="onnx", tensors=graph.tensors, outputs=graph.outputs)
                reason = _trial(trial, exported, graph, proof, probes, chain)
            except NotExportableError as error:
                reason = str(error)
            if reason is None:
                return name, serving.write_bundle(path, exported, graph.content, proof, chain), "onnx"
            reasons.append(f"{'double' if double else 'single'} precision: {reason}")
    finally:
        trial.unlink(missing_ok=True)
    own = replace(
        manifest, engine="sklearn", engine_reason="; ".join(reasons),
        requires=versions([*config.libraries, "cloudpickle"]),
    )
    return name, serving.write_bundle(path, own, _pickle(inner, config), proof, chain), "sklearn"


def _trial(
    path: Path, manifest: BundleManifest, graph: Graph, proof: Proof, probes: list[Proof], chain: FeatureChain | None
) -> str | None:
    """What speaks against the export; None where it answers as the pipeline does."""
    try:
        empty = Proof(rows=[], predictions=[], probabilities=None)
        serving.write_bundle(path, manifest, graph.content, empty, chain)
        bundle = Bundle.open(path, None)
        for each in (proof, *probes):
            found = difference(each, bundle)
            if found:
                return found
    except MlopsError as error:
        return error.message
    return None


def difference(proof: Proof, bundle: Bundle) -> str | None:
    """Where a bundle's answers are not those of the proof; None where they are, within `TOLERANCE`."""
    scores = bundle.score(proof.rows)
    for row, (found, wanted) in enumerate(zip(scores.predictions, proof.predictions, strict=True)):
        if isinstance(wanted, float):
            if not math.isclose(found, wanted, rel_tol=TOLERANCE, abs_tol=0.0) and found != wanted:
                return f"row {row} gives {found!r} instead of {wanted!r}"
        elif found != wanted:
            return f"row {row} gives {found!r} instead of {wanted!r}"
    for row, (mine, wanted_row) in enumerate(zip(scores.probabilities or [], proof.probabilities or [], strict=True)):
        if any(abs(one - other) > TOLERANCE for one, other in zip(mine, wanted_row, strict=True)):
            return f"row {row} has the probabilities {mine} instead of {wanted_row}"
    return None


def _probes(model: Any, frame: Any, inputs: Sequence[Input], classifier: bool) -> list[Proof]:
    """Rows that held-out data may not hold but a client may send: each gap alone, a category never seen.

    A probe that the pipeline itself refuses says nothing about its export.
    """
    found = []
    for each in inputs:
        values: list[Any] = [float("nan") if each.type != "string" else None] if each.nullable else []
        values += ["a category never seen"] if each.type == "string" else []
        for value in values:
            probe = frame.head(3).copy()
            probe[each.name] = value if each.type != "string" else [value] * len(probe)
            try:
                found.append(prove(model, probe, inputs, classifier))
            except ValueError:
                continue
    return found


def _pickle(model: Any, config: ModelConfig) -> bytes:
    """The pipeline, with the product's own classes by value: the service does not have their modules."""
    import cloudpickle  # type: ignore[import-untyped]

    top = sys.modules.get(config.trainer.partition(".")[0].partition(":")[0])
    if top is None:
        return bytes(cloudpickle.dumps(model))
    cloudpickle.register_pickle_by_value(top)
    try:
        return bytes(cloudpickle.dumps(model))
    finally:
        cloudpickle.unregister_pickle_by_value(top)
