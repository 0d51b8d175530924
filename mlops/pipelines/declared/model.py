"""The model pipeline: tracking, then train → evaluate → register → promote, for each model.

At the level `bounded` it is train → evaluate → judge: a sample, in a work folder of its own, and nothing is
registered, promoted or written into a store.
"""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from mlops import documents, files, product
from mlops.errors import ConfigurationError, InvalidRecordError, MissingInputError
from mlops.pipelines import asked
from mlops.pipelines.handover import version_file
from mlops.pipelines.steps import Run, Step, state_path
from mlops.records import Evaluation, ModelVersion, TrainedModel, read
from mlops.records.receipt import Artifact
from mlops.sources import Sources

_HERE = "mlops.pipelines.declared.model"
_TRACKING = "models/tracking.json"
_MODEL_FILES = ("MLmodel", "model.pkl")
_KEPT = tuple(f"model/model/{name}" for name in _MODEL_FILES)
"""Files of a bounded model, which its work folder keeps and MLflow's store does not."""


def steps(run: Run, sources: Sources) -> list[Step]:
    """The steps of all models of the tree."""
    tracking = Step(
        pipeline="model", name="tracking", subject="", function=f"{_HERE}:tracking", outputs=(_TRACKING,),
        files=_migrations(run),
        beyond=_addresses, holds=_database_is_there,
    )
    steps = {tracking.id: tracking}
    for name in product.names(run.repository, product.MODELS):
        steps |= {step.id: step for step in _model_steps(run, sources, name)}
    return list(steps.values())


def folder(run: Run, model: str, dataset: str) -> Path:
    """Where the steps of `model` hand over to each other in this run."""
    variant = run.variant(dataset)
    return run.places.model_work(model, f"{variant}.bounded" if run.level == "bounded" else variant)


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
            pipeline="model", name=step_name, subject=name, function=f"{_HERE}:{step_name}", needs=needs,
            level=run.level, **more,
        )

    def champion(run: Run) -> list[Artifact]:
        return [_champion(run, name, work)]

    trainer = (str(declared["trainer"]),) if declared.get("trainer") else ()
    bounded = run.level == "bounded"
    took = _take(run, sources, dataset)
    evaluated = step(
        "evaluate", f"model/train/{name}", files=(config,), states=(version, _TRACKING, *at("trained.json")),
        outputs=at("evaluation.json"), beyond=champion,
    )
    trained = step(
        "train", "model/tracking", *(each.id for each in took), *_data_needs(run, sources, dataset), product=trainer,
        files=(config,), states=(version, _TRACKING), outputs=at("trained.json", *(_KEPT if bounded else ())),
        holds=None if bounded else lambda run: _model_is_kept(run, name, work),
    )
    if bounded:
        judged = step(
            "judge", f"model/evaluate/{name}", files=(config,), outputs=(),
            states=at("trained.json", "evaluation.json"),
        )
        return [*took, trained, evaluated, judged]
    return [
        *took, trained, evaluated,
        step(
            "register", f"model/evaluate/{name}", files=(config,), outputs=at("registered.json"), product=trainer,
            states=(version, _TRACKING, *at("trained.json", "evaluation.json")),
            holds=lambda run: _bundle_is_there(run, work),
        ),
        step(
            "promote", f"model/register/{name}", files=(config,), states=(_TRACKING, *at("registered.json")),
            outputs=(), beyond=champion, holds=lambda run: _is_promoted(run, name),
        ),
    ]


def _data_needs(run: Run, sources: Sources, dataset: str) -> tuple[str, ...]:
    """The data pipeline's steps come first; not where a version is asked for that is there already."""
    version = run.asked.get(dataset)
    there = version is not None and asked.is_published(run, sources, dataset, version)
    return () if there else (f"data/version/{dataset}",)


def _take(run: Run, sources: Sources, dataset: str) -> list[Step]:
    """Where the version that is asked for has to be made first: the step that holds it against what was made."""
    version = run.asked.get(dataset)
    needs = _data_needs(run, sources, dataset)
    if version is None or not needs:
        return []
    setting = Artifact(namespace="setting", name=f"version of {dataset}", hash=files.sha256_bytes(version.encode()))
    return [Step(
        pipeline="model", name="data", subject=dataset, function=f"{_HERE}:take", needs=needs,
        states=(state_path(run, version_file(run, dataset)),), beyond=lambda run: [setting],
    )]


def _migrations(run: Run) -> tuple[str, ...]:
    """Alembic finds them by their place, so no import leads there."""
    found = (run.repository / "mlops" / "database" / "migrations").rglob("*.py")
    return tuple(sorted(path.relative_to(run.repository).as_posix() for path in found))


def _addresses(run: Run) -> list[Artifact]:
    """Addresses under `.mlops/` by their place in it: they are the same when the folder is restored elsewhere."""
    addresses = f"{run.settings.model_registry.tracking_uri}\n{run.settings.database.url}"
    addresses = addresses.replace(f"{run.places.state}/", ".mlops/")
    return [Artifact(namespace="setting", name="tracking_uri", hash=files.sha256_bytes(addresses.encode()))]


def _database_is_there(run: Run) -> str | None:
    address = run.settings.model_registry.tracking_uri
    if address.startswith("sqlite:///") and not Path(address.removeprefix("sqlite:///")).exists():
        return "the tracking database is not there"
    return None


def _model_is_kept(run: Run, model: str, work: Path) -> str | None:
    """Whether MLflow still has the fitted model; asked of local files only."""
    if not run.settings.model_registry.tracking_uri.startswith("sqlite:"):
        return None
    try:
        logged = read(TrainedModel, work / "trained.json").model_uri.rpartition("/")[2]
    except (MissingInputError, InvalidRecordError):
        return "the training's record cannot be read"
    kept = Path(run.settings.model_registry.tracking_dir) / model / "models" / logged / "artifacts"
    return None if all((kept / name).is_file() for name in _MODEL_FILES) else "MLflow has lost the model's files"


def _bundle_is_there(run: Run, work: Path) -> str | None:
    try:
        bundle = read(ModelVersion, work / "registered.json").bundle
    except (MissingInputError, InvalidRecordError):
        return "the registration's record cannot be read"
    there = (Path(run.settings.model_registry.registry_path) / bundle).is_file()
    return None if there else f"the bundle {bundle} is not in the store"


def _is_promoted(run: Run, model: str) -> str | None:
    try:
        read(ModelVersion, promoted_file(run, model))
    except (MissingInputError, InvalidRecordError):
        return "no promoted version is recorded"
    return None


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


def take(run: Run, dataset: str) -> dict[str, Any]:
    """Hold the data version that was asked for against the one that the data here make.

    Raises:
        ConfigurationError: they are not the same.
    """
    wanted, made = run.asked[dataset], asked.made_here(run, dataset)
    if made != wanted:
        raise ConfigurationError(
            f"version {wanted} was asked for, and is not published here; the data of this tree make version {made}",
            where=f"data set {dataset}",
            mend=f"check out the commit whose data make {wanted}, or ask for {made}: --data {dataset}={made}",
        )
    return {"version": made}


def train(run: Run, name: str) -> dict[str, Any]:
    """Train a challenger, tracked by MLflow."""
    from mlops.training import steps

    config, version, work = _config_and_folder(run, name)
    trained = steps.train(run.places, run.settings, config, version, work, level=run.level)
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
        "level": result.level,
    }


def judge(run: Run, name: str) -> dict[str, Any]:
    """Refuse a bounded challenger that is worse, or below a floor; nothing is moved."""
    from mlops.promotion import judge as decide

    config, _, work = _config_and_folder(run, name)
    evaluation = decide(config, work)
    sample = evaluation.sample
    rows = f", {sample.used} of {sample.of} rows" if sample is not None and sample.cut else ""
    return {"verdict": f"bounded{rows}: {evaluation.verdict}", "reason": evaluation.reason}


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
