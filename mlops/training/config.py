"""A model's file under `model/configs/`: one file, one model."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any, Literal

import msgspec

from mlops import documents, product
from mlops.documents import suggestion
from mlops.errors import ConfigurationError, MissingInputError
from mlops.features.rules import FeatureRule
from mlops.records.model import Task
from mlops.training.metrics import METRICS


_FEWEST = 50


class Metric(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the model is judged by.

    Attributes:
        name: One of `metrics.METRICS`.
        direction: Which way is better.
        tolerance: The relative loss against the champion that is still no reason to refuse.
    """

    name: str
    direction: Literal["lower", "higher"]
    tolerance: float = 0.0


class Bounds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many rows a bounded run (`mlops model run --level bounded`) takes at most.

    Attributes:
        rows: Of the training rows, validation rows among them.
        holdout_rows: Of the held-out rows.
    """

    rows: int = 5_000
    holdout_rows: int = 50_000


class ModelConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model as its file declares it.

    Attributes:
        dataset: The data set whose published version it is trained on.
        features: The columns that the model takes, in order.
        feature_engineering: Where it is given, the trainer gets these features, fitted on the training rows and made of
            those columns; a request still has the columns.
        trainer: `module:callable` with `(train_data, val_data, test_data, config, tracker) -> (model, parameters,
            metrics)`; the data are pandas frames with the features and the target.
        parameters: For the trainer.
        floors: Metric → the value that it must reach whatever the champion's.
        validation: Share of the training rows that the trainer gets as `val_data`, 0 for none.
        bounded: What a bounded run takes; it is no part of the model's identity.
        libraries: Distributions that the fitted model needs; their versions are part of its identity.
    """

    name: str
    task: Task
    dataset: str
    target: str
    features: list[str]
    trainer: str
    metric: Metric
    parameters: dict[str, Any] = {}
    floors: dict[str, float] = {}
    seed: int = 0
    validation: float = 0.2
    feature_engineering: dict[str, FeatureRule] = {}
    bounded: Bounds = Bounds()
    libraries: tuple[str, ...] = ("numpy", "pandas", "scikit-learn")
    description: str = ""


def read_model(repository: Path, name: str) -> ModelConfig:
    """The model whose file is `model/configs/NAME.yaml`.

    Raises:
        MissingInputError: there is no such file.
        ConfigurationError: it does not have its shape; names file, line and field.
    """
    path = repository / product.MODELS / f"{name}.yaml"
    if not path.is_file():
        known = product.names(repository, product.MODELS)
        near = difflib.get_close_matches(name, known, n=1)
        raise MissingInputError(
            f"there is no model {name!r}", where=path,
            mend=f"did you mean {near[0]}?" if near else f"the models are: {', '.join(known) or 'none'}",
        )
    config = documents.read(ModelConfig, path)
    for field, message, mend in _findings(config, name):
        raise ConfigurationError(f"field {field!r}: {message}", where=documents.place(path, field), mend=mend)
    return config


def _findings(config: ModelConfig, name: str) -> list[tuple[str, str, str]]:
    """(field, what is wrong, how to mend it), the first ones first."""
    found = []
    if config.name != name:
        found.append(("name", f"is {config.name!r} in the file of {name!r}", "name the file and the model alike"))
    if not config.features or len(set(config.features)) < len(config.features):
        found.append(("features", "must name at least one column, and each once", "list the columns the model takes"))
    if config.target in config.features:
        found.append(("features", f"hold the target {config.target!r}", "a model must not see what it predicts"))
    found += _engineering(config)
    if not 0.0 <= config.validation < 1.0:
        found.append(("validation", "must be a share from 0 up to, not including, 1", "write for example 0.2"))
    for field, rows in (("bounded.rows", config.bounded.rows), ("bounded.holdout_rows", config.bounded.holdout_rows)):
        if rows < _FEWEST:
            found.append((field, f"is {rows}", f"a model needs some rows to be judged by: at least {_FEWEST}"))
    known = METRICS[config.task]
    for field, metric in [("metric.name", config.metric.name), *((f"floors.{each}", each) for each in config.floors)]:
        if metric not in known:
            mend = f"for a {config.task} there are: {', '.join(known)}"
            found.append((field, f"{metric!r} is no metric of a {config.task}", mend))
    metric_known = known.get(config.metric.name)
    if metric_known and metric_known.direction != config.metric.direction:
        message = f"says {config.metric.direction}, but a {metric_known.direction} {config.metric.name} is better"
        found.append(("metric.direction", message, f"write {metric_known.direction}"))
    if not 0.0 <= config.metric.tolerance < 1.0:
        found.append(("metric.tolerance", "must be a share from 0 up to, not including, 1", "write for example 0.02"))
    return found


def _engineering(config: ModelConfig) -> list[tuple[str, str, str]]:
    """As `_findings`, of the declared features; whether they fit the columns' types is seen with the data."""
    rules = config.feature_engineering
    sources = {name: rule.sources(name) for name, rule in rules.items()}
    found = [
        (f"feature_engineering.{name}", f"is made of {each!r}, which is not among the features"
         f"{suggestion(each, config.features)}", "list the column under `features`, or correct `of`")
        for name, columns in sources.items() for each in columns if each not in config.features
    ]
    used = {each for columns in sources.values() for each in columns}
    unused = [name for name in config.features if name not in used] if rules else []
    if unused:
        found.append(("features", f"hold {unused[0]!r}, which no feature is made of",
                      f"leave it out, or add `{unused[0]}: {{}}` to feature_engineering, which passes it on"))
    if config.target in rules:
        found.append((f"feature_engineering.{config.target}", "has the name of the target", "call it differently"))
    return found
