"""The model pipeline: tracking, then train → evaluate → register → promote, for each model."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from mlops import documents, files, product
from mlops.errors import InvalidRecordError, MissingInputError
from mlops.pipelines.handover import version_file
from mlops.pipelines.steps import Run, Step, state_path
from mlops.records import Evaluation, ModelVersion, TrainedModel, read
from mlops.records.receipt import Artifact
from mlops.sources import Sources

_HERE = "mlops.pipelines.declared.model"
_TRACKING = "models/tracking.json"


def steps(run: Run, sources: Sources) -> list[Step]:
    """The steps of all models of the tree."""
    tracking = Step(
        pipeline="model", name="tracking", subject="", function=f"{_HERE}:tracking", outputs=(_TRACKING,),
        files=_migrations(run),
        beyond=_addresses, holds=_database_is_there,
    )
    names = product.names(run.repository, product.MODELS)
    return [tracking, *(step for name in names for step in _model_steps(run, sources, name))]


def folder(run: Run, model: str, dataset: str) -> Path:
    """Where the steps of `model` hand over to each other in this run."""
    return run.places.models / model / "work" / run.variant(dataset)


def promoted_file(run: Run, model: str) -> Path:
    """The record of the version that may be released."""
    return run.places.models / model / "promoted.json"


def _model_steps(run: Run, sources: Sources, name: str) -> list[Step]:
    config = f"{product.MODELS}/{name}.yaml"
    declared = sources.derived(config, "document", documents.mapping)
    dataset = str(declared.get("dataset", name))
    work = folder(run, name, dataset)
    version = state_path(run, version_file(run, dataset))

    def at(*names: str) -> tuple[str, ...]:
        return tuple(state_path(run, work / each) for each in names)

    def step(step_name: str, *needs: str, **more: Any) -> Step:
        return Step(
            pipeline="model", name=step_name, subject=name, function=f"{_HERE}:{step_name}", needs=needs, **more
        )

    def champion(run: Run) -> list[Artifact]:
        return [_champion(run, name, work)]

    trainer = (str(declared["trainer"]),) if declared.get("trainer") else ()
    return [
        step(
            "train", "model/tracking", f"data/version/{dataset}", files=(config,), states=(version, _TRACKING),
            outputs=at("trained.json"), product=trainer,
        ),
        step(
            "evaluate", f"model/train/{name}", files=(config,), states=(version, _TRACKING, *at("trained.json")),
            outputs=at("evaluation.json"), beyond=champion,
        ),
        step(
            "register", f"model/evaluate/{name}", files=(config,), outputs=at("registered.json"), product=trainer,
            states=(version, _TRACKING, *at("trained.json", "evaluation.json")),
        ),
        step(
            "promote", f"model/register/{name}", files=(config,), states=(_TRACKING, *at("registered.json")),
            outputs=(), beyond=champion, holds=lambda run: _is_promoted(run, name),
        ),
    ]


def _migrations(run: Run) -> tuple[str, ...]:
    """Alembic finds them by their place, so no import leads there."""
    found = (run.repository / "mlops" / "database" / "migrations").rglob("*.py")
    return tuple(sorted(path.relative_to(run.repository).as_posix() for path in found))


def _addresses(run: Run) -> list[Artifact]:
    addresses = f"{run.settings.model_registry.tracking_uri}\n{run.settings.database.url}"
    return [Artifact(namespace="setting", name="tracking_uri", hash=files.sha256_bytes(addresses.encode()))]


def _database_is_there(run: Run) -> str | None:
    address = run.settings.model_registry.tracking_uri
    if address.startswith("sqlite:///") and not Path(address.removeprefix("sqlite:///")).exists():
        return "the tracking database is not there"
    return None


def _is_promoted(run: Run, model: str) -> str | None:
    return None if promoted_file(run, model).exists() else "no promoted version is recorded"


def _champion(run: Run, model: str, work: Path) -> Artifact:
    """The champion that the challenger is held against: once it is the champion itself, the one before it."""
    version = ""
    try:
        champion = read(ModelVersion, promoted_file(run, model))
        version = champion.version
        trained = read(TrainedModel, work / "trained.json")
        if champion.run_id == trained.run_id:
            version = read(Evaluation, work / "evaluation.json").champion or ""
    except (MissingInputError, InvalidRecordError):
        pass  # none yet, or not trained yet: the step will say so where it matters
    return Artifact(namespace="record", name=f"champion of {model}", hash=files.sha256_bytes(version.encode()))


def tracking(run: Run, subject: str) -> dict[str, Any]:
    """Make or migrate the tables of MLflow and of the platform."""
    from mlops import database, experiment_tracker

    fresh = _database_is_there(run) is not None
    experiment_tracker.prepare(run.settings)
    database.migrate(run.settings.database.url)
    marker = run.places.state / _TRACKING
    if fresh or not marker.exists():  # a new store: what was registered in the old one has to be made again
        files.write_atomic(marker, f'{{"store": "{uuid.uuid4()}"}}\n')
    return {"store": run.settings.model_registry.tracking_uri.partition(":")[0]}


def _config_and_folder(run: Run, name: str) -> tuple[Any, Path, Path]:
    from mlops.training import read_model

    config = read_model(run.repository, name)
    return config, version_file(run, config.dataset), folder(run, name, config.dataset)


def train(run: Run, name: str) -> dict[str, Any]:
    """Train a challenger, tracked by MLflow."""
    from mlops.training import steps

    config, version, work = _config_and_folder(run, name)
    trained = steps.train(run.places, run.settings, config, version, work)
    return {"run": trained.run_id, "data": trained.data, "metrics": trained.metrics}


def evaluate(run: Run, name: str) -> dict[str, Any]:
    """Compare challenger and champion on the same held-out rows."""
    from mlops.training import steps

    config, version, work = _config_and_folder(run, name)
    result = steps.evaluate(run.places, run.settings, config, version, work)
    return {
        "verdict": result.verdict, "metric": result.metric, "challenger": result.metrics.get(result.metric),
        "champion": result.champion_metrics.get(result.metric), "champion_version": result.champion,
        "rows": result.holdout.rows, "reason": result.reason, "simulated": result.simulated,
    }


def register(run: Run, name: str) -> dict[str, Any]:
    """Register the challenger and write its bundle."""
    from mlops.training import steps

    config, version, work = _config_and_folder(run, name)
    registered = steps.register(run.places, run.settings, config, version, work)
    return {"version": registered.version, "semantic": registered.semantic, "engine": registered.engine}


def promote(run: Run, name: str) -> dict[str, Any]:
    """Make it the champion, keep the champion, or refuse."""
    from mlops.promotion import promote as decide

    config, _, work = _config_and_folder(run, name)
    champion, verdict = decide(run.places, run.settings, config, work, who=run.who, why="the verdict of this run")
    return {"champion": champion.version, "verdict": verdict}
