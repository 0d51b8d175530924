"""The gate of the model pipeline, and the way back.

`promoted.json` is what a release reads. It is written last: a killed command leaves the one before,
and the same command again finds the alias moved, and writes what is missing.
"""

from __future__ import annotations

from pathlib import Path

from mlops import files, model_registry
from mlops.config import Settings, Workspace
from mlops.errors import MissingInputError, UsageError, WorseModelError
from mlops.model_registry import ARCHIVED, DEVELOPMENT, PRODUCTION, Registered
from mlops.records import Evaluation, ModelVersion, TrainedModel, read
from mlops.records.model import Comparison
from mlops.training import ModelConfig
from mlops.training.steps import EVALUATION, REGISTERED, TRAINED, version_of

PROMOTED = "promoted.json"
_LOCK_SECONDS = 120.0


def promote(
    places: Workspace, settings: Settings, config: ModelConfig, folder: Path, *, who: str, why: str
) -> tuple[ModelVersion, Comparison]:
    """Make the registered challenger champion where its verdict allows it.

    first, better         the challenger becomes champion
    equal, inconclusive   the champion stays; where there is none (any more), reaching the floors suffices
    worse, floor          refused

    Returns:
        The champion in force, also written to `promoted.json`, and the verdict.

    Raises:
        WorseModelError: the verdict is worse or floor; the champion stays as it is.
        RefusedError: the version is in quarantine.
        MissingInputError: nothing is evaluated or registered yet.
    """
    challenger = version_of(folder)
    evaluation, trained = read(Evaluation, folder / EVALUATION), read(TrainedModel, folder / TRAINED)
    if evaluation.run_id != trained.run_id or challenger.identity != trained.identity:
        raise UsageError(
            "belongs to an earlier training", where=folder / REGISTERED, mend=_again(config.name)
        )
    with files.lock(places.models / config.name / ".lock", timeout=_LOCK_SECONDS, what="another promotion"):
        champion = model_registry.champion(settings, config.name)
        if evaluation.verdict in ("worse", "floor"):
            _write(places, champion)
            raise _refused(config, challenger, evaluation, champion)
        stays = champion is not None and evaluation.verdict in ("equal", "inconclusive")
        if stays and champion is not None and (kept := _write(places, champion)) is not None:
            return kept, evaluation.verdict
        if evaluation.champion != (champion.version if champion else None) and (
            champion is None or champion.version != challenger.version
        ):
            raise UsageError(
                f"was made against champion {evaluation.champion or 'none'}, in force is "
                f"{champion.version if champion else 'none'}", where=folder / EVALUATION,
                mend=_again(config.name),
            )
        _crown(settings, challenger, champion, who=who, why=why)
        files.write_atomic(_promoted(places, config.name), challenger.to_json())
    return challenger, evaluation.verdict


def judge(config: ModelConfig, folder: Path) -> Evaluation:
    """The evaluation in `folder` where its verdict would let it be promoted; nothing is registered or moved.

    Raises:
        WorseModelError: the verdict is worse or floor.
        MissingInputError: nothing is trained or evaluated yet.
        UsageError: the evaluation is of an earlier training.
    """
    evaluation, trained = read(Evaluation, folder / EVALUATION), read(TrainedModel, folder / TRAINED)
    if evaluation.run_id != trained.run_id:
        raise UsageError(
            "is of an earlier training", where=folder / EVALUATION, mend=f"run `mlops model evaluate {config.name}`"
        )
    if evaluation.verdict in ("worse", "floor"):
        raise _refusal(config, f"the {evaluation.level} challenger", trained.data, evaluation, "nothing was moved")
    return evaluation


def withdraw(
    places: Workspace, settings: Settings, model: str, version: str, *, who: str, why: str
) -> ModelVersion | None:
    """Quarantine a version; a champion gives way to the one before it that is sound.

    Returns:
        The champion in force then, None where there is none.

    Raises:
        MissingInputError: there is no such version.
    """
    with files.lock(places.models / model / ".lock", timeout=_LOCK_SECONDS, what="another promotion"):
        found = model_registry.resolve(settings, model, version)
        model_registry.quarantine(settings, model, found.version, why)
        if found.champion:
            before = _before(settings, found)
            model_registry.set_champion(settings, model, before.version if before else None)
            _move(settings, found, PRODUCTION, ARCHIVED, who, why)
            if before:
                _move(settings, before, ARCHIVED, PRODUCTION, who, f"version {found.version} was withdrawn: {why}")
        champion = model_registry.champion(settings, model)
        record = _write(places, champion)
        if record is None:
            _promoted(places, model).unlink(missing_ok=True)
    return record


def retire(settings: Settings, model: str, *, who: str, why: str) -> Registered:
    """Take the champion out of the competition: the next challenger is judged by the floors alone.

    What is released stays released until another version is promoted.

    Raises:
        MissingInputError: there is no champion.
    """
    champion = model_registry.champion(settings, model)
    if champion is None:
        raise MissingInputError(
            "there is no champion to retire", where=f"model {model}", mend="see `mlops model history`"
        )
    model_registry.set_champion(settings, model, None)
    _move(settings, champion, PRODUCTION, ARCHIVED, who, why)
    return champion


def _crown(
    settings: Settings, challenger: ModelVersion, champion: Registered | None, *, who: str, why: str
) -> None:
    registered = model_registry.resolve(settings, challenger.model, challenger.version)
    model_registry.expect_sound(registered)
    before = champion
    if champion is None or champion.version != challenger.version:
        model_registry.set_champion(settings, challenger.model, challenger.version)
    else:  # a command before this one was ended after the alias was moved
        before = _before(settings, champion)
    moved = model_registry.moves(settings, challenger.model).get(challenger.version, [])
    _move(settings, registered, moved[-1].target if moved else DEVELOPMENT, PRODUCTION, who, why, challenger.verdict)
    if before is not None and before.version != challenger.version:
        gone = f"version {challenger.version} took its place: {challenger.verdict}"
        _move(settings, before, PRODUCTION, ARCHIVED, who, gone)


def _before(settings: Settings, champion: Registered) -> Registered | None:
    """The sound version that was in production last before the champion."""
    moved = model_registry.moves(settings, champion.model)
    candidates = [
        (max(each.when for each in moved[known.version] if each.target == PRODUCTION), known)
        for known in model_registry.versions(settings, champion.model)
        if known.version != champion.version and not known.quarantine and known.record() is not None
        and any(each.target == PRODUCTION for each in moved.get(known.version, []))
    ]
    return max(candidates, key=lambda pair: pair[0])[1] if candidates else None


def _move(
    settings: Settings, found: Registered, source: str, target: str, who: str, why: str, verdict: str = ""
) -> None:
    model_registry.record_move(
        settings, found.model, found.version, source=source, target=target, who=who, why=why,
        verdict=verdict or found.tags.get("mlops.verdict", ""),
    )


def _again(model: str) -> str:
    return f"run `mlops model evaluate {model}` and `mlops model register {model}` again, then promote"


def _promoted(places: Workspace, model: str) -> Path:
    return places.models / model / PROMOTED


def _write(places: Workspace, champion: Registered | None) -> ModelVersion | None:
    """Write `promoted.json` for the champion in force; unchanged content is not written again."""
    record = champion.record() if champion else None
    if record is not None:
        path, content = _promoted(places, record.model), record.to_json()
        if not path.is_file() or path.read_bytes() != content:
            files.write_atomic(path, content)
    return record


def _refused(
    config: ModelConfig, challenger: ModelVersion, evaluation: Evaluation, champion: Registered | None
) -> WorseModelError:
    stays = (
        f"version {champion.version} stays champion and keeps serving" if champion else "nothing was promoted"
    )
    return _refusal(config, f"version {challenger.version}", challenger.data, evaluation, stays)


def _refusal(config: ModelConfig, who: str, data: str, evaluation: Evaluation, stays: str) -> WorseModelError:
    rows = f"judged on {evaluation.holdout.rows:,} held-out rows of data version {data}"
    if evaluation.verdict == "floor":
        message = f"{who} is below a floor: {evaluation.reason} ({rows})"
        field = "floors"
    else:
        message = f"{who} is worse than the champion: {evaluation.reason} ({rows})"
        field = "metric.tolerance"
    cut = evaluation.sample is not None and evaluation.sample.cut
    bound = "; if it is the sample that is too small, raise bounded.rows there" if cut else ""
    return WorseModelError(
        message, where=f"model {config.name}",
        mend=f"{stays}. Look at what changed in model/configs/{config.name}.yaml, {config.trainer.partition(':')[0]} "
        f"or the data, correct it and run the same command again. If the loss is meant, change {field} in the "
        f"model's file{bound}. `mlops model history {config.name}` shows all versions",
    )
