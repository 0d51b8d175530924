"""The judgement on a challenger: its floors, and the champion held against it on the same rows and like terms.

A model that was trained on a sample is not held against one that was trained on everything: it would
lose for its rows and not for its recipe. So a full training whose data exceed the bound leaves a
*reference* behind, the same recipe on the bounded sample, and a bounded challenger is held against the
champion's reference. The floors stay what they are. Where the bound cuts no training row off, a bounded
challenger is judged exactly as a full one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlops import model_registry
from mlops.config import Settings
from mlops.errors import ConfigurationError, MissingInputError
from mlops.features import kept
from mlops.model_registry import Registered
from mlops.records import TrainedModel
from mlops.training import comparison, metrics, sampling
from mlops.training.answers import ask
from mlops.training.comparison import Judgement
from mlops.training.config import ModelConfig
from mlops.training.frames import Data, load_raw

REFERENCE, REFERENCE_ROWS = "mlops.reference", "mlops.reference_rows"
"""Tags of a registered version: where its reference is, and the bound of the reference's sample."""


@dataclass(frozen=True, slots=True)
class Held:
    """The held-out rows that both are asked about; `positions` are theirs in the data version, None for all."""

    data: Data
    frame: Any
    positions: Any


def judge(
    settings: Settings, config: ModelConfig, trained: TrainedModel, challenger: metrics.Answers,
    found: dict[str, float], held: Held, champion: Registered | None,
) -> tuple[Judgement, dict[str, float]]:
    """The verdict on a challenger with the metrics `found`, and the metrics of what it was held against.

    Raises:
        ConfigurationError: the champion takes columns that this data version does not have, or MLflow has
            lost it, so that the two cannot be compared. It is no "first" then: that would let any change of
            columns around the gate.
    """
    cut = trained.sample is not None and trained.sample.cut
    missed = comparison.below_floor(config, found)
    if missed:
        return Judgement("floor", missed), {}
    if champion is None:
        return Judgement("first", "there is no champion yet, and every floor is reached"), {}
    if champion.tags.get("mlops.identity") == trained.identity:
        reason = f"is the champion itself, version {champion.version}: same code, parameters and data"
        return Judgement("equal", reason, 0.0, (0.0, 0.0)), found
    if cut and champion.tags.get(REFERENCE_ROWS) != str(config.bounded.rows):
        return Judgement("inconclusive", _alone(config, champion)), {}
    answers = _champion_answers(settings, config, champion, held, reference=cut)
    theirs = metrics.evaluate(config.task, answers)
    if config.metric.name not in theirs:
        raise _incomparable(config, champion, f"it has no value of {config.metric.name}")
    return comparison.judge(config, challenger, answers, champion.version), theirs


def terms(trained: TrainedModel) -> str:
    """What a bounded judgement rests on, for people; empty for a full one."""
    sample = trained.sample
    if sample is None:
        return ""
    if not sample.cut and sample.holdout_used == sample.holdout_of:
        return "bounded, and nothing was left out: "
    told = f"bounded to {sample.used:,} of {sample.of:,} training rows"
    if sample.holdout_used < sample.holdout_of:
        told += f" and {sample.holdout_used:,} of {sample.holdout_of:,} held-out rows"
    return f"{told}, the champion's reference likewise: " if sample.cut else f"{told}: "


def _alone(config: ModelConfig, champion: Registered) -> str:
    bound = champion.tags.get(REFERENCE_ROWS)
    why = f"its reference was trained on {int(bound):,}" if bound and bound.isdecimal() else "it has no reference"
    return (
        f"every floor is reached; there is nothing fair to hold {config.bounded.rows:,} training rows against, since "
        f"the champion, version {champion.version}, was trained on all and {why}. The next full run judges"
    )


def _champion_answers(
    settings: Settings, config: ModelConfig, champion: Registered, held: Held, *, reference: bool
) -> metrics.Answers:
    """The champion's (or its reference's) answers to the same rows, from the columns that it was fitted on."""
    try:
        if reference:
            model = model_registry.load_logged(settings, champion.tags[REFERENCE])
        else:
            model = model_registry.load_model(settings, champion)
    except MissingInputError as error:
        raise _incomparable(config, champion, error.message) from error
    columns = [str(name) for name in getattr(model, "feature_names_in_", config.features)]
    known = {column.name for column in kept.raw_columns(held.data.version, held.data.plan)}
    missing = [name for name in columns if name not in known]
    if missing:
        lacks = f"it needs the column {missing[0]!r}, which data version {held.data.version.version} does not have"
        raise _incomparable(config, champion, lacks)
    try:
        rows = sampling.take(load_raw(held.data, "test", columns), held.positions)
        return ask(model, rows, held.frame[config.target], config.task, config.name)
    except (ValueError, TypeError, AttributeError, ConfigurationError) as error:
        raise _incomparable(config, champion, f"it does not take these rows: {error}") from error


def _incomparable(config: ModelConfig, champion: Registered, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"the challenger cannot be compared with the champion, version {champion.version}: {why}",
        where=f"model {config.name}",
        mend="bring back what the champion needs; or, to begin anew with the floors alone, run "
        f"`mlops model retire {config.name} --why TEXT`, which takes the champion out of the competition",
    )
