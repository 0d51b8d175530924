"""One training: the rows that it takes, the trainer's call, and what MLflow is told of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlops import experiment_tracker
from mlops.config import Settings
from mlops.records.features import FeatureChain, FeaturePlan
from mlops.records.model import Sample
from mlops.records.receipt import Level
from mlops.training import engineered, sampling
from mlops.training.config import ModelConfig
from mlops.training.frames import Data, divide, load, load_raw
from mlops.training.threads import one_thread
from mlops.training.trainers import Trained, call


SHOWN = 100
"""Rows that MLflow is shown, for the model's signature."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The frames of one training; `sample` says how they were drawn, None where all were taken.

    `plan`: the features that the model's file declares, fitted on `train` alone; None where it declares none.
    `chain`: all features, those of the data set before; None for a model that takes a row's columns as they are.
    `inputs`: some held-out rows as they are before any features.
    """

    train: Any
    val: Any
    test: Any
    sample: Sample | None
    inputs: Any
    plan: FeaturePlan | None = None
    chain: FeatureChain | None = None

    @classmethod
    def of(cls, data: Data, config: ModelConfig, level: Level) -> Rows:
        """The rows of a data version that a level takes.

        Raises:
            MissingInputError, IntegrityError: see `frames.load`.
            ConfigurationError, BadDataError: see `engineered.fitted`.
        """
        columns = [*config.features, config.target]
        train, test = load(data, "train", columns), load(data, "test", columns)
        sample = None
        if level == "bounded":
            of, holdout_of = len(train), len(test)
            train, test = bounded(train, config, config.bounded.rows), held_out(test, config, level)[0]
            sample = Sample(
                rows=config.bounded.rows, holdout_rows=config.bounded.holdout_rows, used=len(train), of=of,
                holdout_used=len(test), holdout_of=holdout_of,
            )
        train, val = divide(train, config.validation, config.seed)
        plan = engineered.fitted(config, train, data.version.columns)
        chain = engineered.chain(config, data, plan)
        surface = data.surface_of(config.features)
        raw = load_raw(data, "test", surface) if data.plan else test[surface]
        return cls(train, val, test, sample, raw.head(SHOWN), plan, chain)


def bounded(frame: Any, config: ModelConfig, rows: int) -> Any:
    """The sample of at most `rows` rows."""
    return sampling.take(frame, sampling.chosen(frame, rows, task=config.task, target=config.target))


def held_out(frame: Any, config: ModelConfig, level: Level) -> tuple[Any, Any]:
    """The held-out rows that a level judges on, and their positions (None for all)."""
    if level == "full":
        return frame, None
    positions = sampling.chosen(frame, config.bounded.holdout_rows, task=config.task, target=config.target)
    return sampling.take(frame, positions), positions


@dataclass(frozen=True, slots=True)
class Fitted:
    """A training's outcome: MLflow's run, where the model is, parameters and metrics."""

    run_id: str
    uri: str
    parameters: dict[str, Any]
    metrics: dict[str, float]


def fit(
    settings: Settings, config: ModelConfig, trainer: Callable[..., Any], rows: Rows, *, name: str,
    tags: dict[str, str], folder: Path | None = None,
) -> Fitted:
    """Call the trainer in a run of MLflow's. Samples have an experiment of their own, `MODEL-bounded`.

    Args:
        folder: Where the model is written instead of into MLflow's store.

    Raises:
        ConfigurationError: the trainer failed, or does not return what it must.
    """
    experiment = config.name if rows.sample is None else f"{config.name}-bounded"
    asked = {**config.parameters, "seed": config.seed, "validation": config.validation}
    with experiment_tracker.start(settings, experiment, name=name, parameters=asked, tags=tags) as run:
        model, parameters, found = _trained(config, trainer, rows, run)
        run.log_parameters({key: value for key, value in parameters.items() if key not in asked})
        run.log_metrics(found)
        with one_thread():
            outputs = model.predict(rows.inputs)
        if folder is not None:
            run.save_model(folder, model, inputs=rows.inputs, outputs=outputs, libraries=config.libraries)
            uri = folder.name
        else:
            uri = run.log_model(model, inputs=rows.inputs, outputs=outputs, libraries=config.libraries)
    return Fitted(run.id, uri, {**asked, **parameters}, found)


def _trained(config: ModelConfig, trainer: Callable[..., Any], rows: Rows, run: Any) -> Trained:
    """The trainer's outcome; a model that was given features stands behind them."""
    plan, parts = rows.plan, (rows.train, rows.val, rows.test)
    if plan is None:
        model, parameters, found = call(trainer, (*parts, config, run), config)
    else:
        frames = engineered.frames(plan, config.target, *parts)
        model, parameters, found = call(trainer, (*frames, engineered.seen(plan, config), run), config)
    if rows.chain is not None:
        model = engineered.Engineered(rows.chain.to_json(), model)
    return model, parameters, found
