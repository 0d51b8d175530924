"""The steps of the model pipeline: train, evaluate, register. Each writes its record last."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from mlops import experiment_tracker, files, git, model_registry, product
from mlops.config import Settings, Workspace
from mlops.errors import ConfigurationError, MissingInputError, UsageError
from mlops.records import Evaluation, Holdout, ModelVersion, TrainedModel, read
from mlops.records.model import Reference
from mlops.records.receipt import Level
from mlops.serving import BundleManifest
from mlops.training import bundles, judging, metrics
from mlops.training import identity as identities
from mlops.training.answers import ask
from mlops.training.config import ModelConfig
from mlops.training.fitting import Rows, fit, held_out
from mlops.training.frames import Data, load_raw, open_data

TRAINED, EVALUATION, REGISTERED = "trained.json", "evaluation.json", "registered.json"
MODEL = "model"
"""The folder of a bounded model, which MLflow's store does not keep."""
_LOCK_SECONDS = 120.0


def train(
    places: Workspace, settings: Settings, config: ModelConfig, version_file: Path, folder: Path, *,
    level: Level = "full",
) -> TrainedModel:
    """Train a challenger with the model's own function, tracked by MLflow; writes `trained.json`.

    Args:
        level: `bounded` trains on a sample (`sampling.draw`) and keeps the model in `folder`, not in MLflow's store.

    Raises:
        ConfigurationError: the trainer cannot be loaded, or does not return what it must.
        MissingInputError, IntegrityError: the data version is not there, or its bytes have changed.
    """
    data = open_data(places, config, version_file)
    trainer = product.load(config.trainer, where=_file(config), repository=places.repository)
    made = identities.recipe(places.repository, config, experiment_tracker.versions(config.libraries))
    rows = Rows.of(data, config, level)
    experiment_tracker.prepare(settings)
    tags = {
        "mlops.identity": identities.identity(made, data, rows.sample), "mlops.recipe": made,
        "mlops.data": data.version.version, "mlops.data_fingerprint": data.version.fingerprint,
        "mlops.simulated": str(data.version.source.simulated).lower(), "mlops.level": level,
        "mlflow.source.name": config.trainer,
        "mlflow.source.git.commit": git.Git(places.repository).head() or "",
    }
    name = f"{config.name}-{data.version.version}"
    if level == "bounded":
        fitted = fit(settings, config, trainer, rows, name=name, tags=tags, folder=folder / MODEL)
        reference = None
    else:
        fitted = fit(settings, config, trainer, rows, name=name, tags=tags)
        reference = _reference(settings, config, trainer, data, name=name, tags=tags)
    trained = TrainedModel(
        model=config.name, task=config.task, run_id=fitted.run_id, model_uri=fitted.uri, data=data.version.version,
        data_fingerprint=data.version.fingerprint, simulated=data.version.source.simulated,
        parameters=_plain(fitted.parameters), metrics=fitted.metrics, identity=tags["mlops.identity"], level=level,
        sample=rows.sample, reference=reference,
    )
    files.write_atomic(folder / TRAINED, trained.to_json())
    return trained


def _reference(
    settings: Settings, config: ModelConfig, trainer: Any, data: Data, *, name: str, tags: dict[str, str]
) -> Reference | None:
    """The same recipe on the bounded sample, where that leaves rows out: see `bounded.judged`."""
    if data.split("train").rows <= config.bounded.rows:
        return None
    rows = Rows.of(data, config, "bounded")
    tags = tags | {"mlops.identity": f"reference of {tags['mlops.identity']}", "mlops.level": "bounded"}
    return Reference(model_uri=fit(settings, config, trainer, rows, name=f"{name}-reference", tags=tags).uri,
                     rows=config.bounded.rows)


def evaluate(
    places: Workspace, settings: Settings, config: ModelConfig, version_file: Path, folder: Path
) -> Evaluation:
    """Hold the challenger against the champion on the same held-out rows; writes `evaluation.json`.

    A worse challenger raises nothing: the verdict says it, and `promotion` acts on it. A bounded challenger is
    judged as `judging` says.

    Raises:
        MissingInputError: nothing is trained yet, or MLflow has lost a model.
        ConfigurationError: the two cannot be compared, see `judging.judge`.
    """
    trained = read(TrainedModel, folder / TRAINED)
    data = _data_of(trained, open_data(places, config, version_file), folder)
    bounded = trained.level == "bounded"
    address = str(folder / trained.model_uri / "model") if bounded else trained.model_uri
    model = model_registry.load_logged(settings, address)
    surface = data.surface_of(config.features)
    whole = load_raw(data, "test", [*surface, config.target])
    held = judging.Held(data, *held_out(whole, config, trained.level))
    challenger = ask(model, held.frame[surface], held.frame[config.target], config.task, config.name)
    found = metrics.evaluate(config.task, challenger)
    if config.metric.name not in found:
        raise ConfigurationError(
            f"field 'metric.name': {config.metric.name} has no value for this model's answers",
            where=f"{product.MODELS}/{config.name}.yaml",
            mend="log_loss needs a model with probabilities (predict_proba); choose another metric, or such a model",
        )
    champion = model_registry.champion(settings, config.name)
    judgement, theirs = judging.judge(settings, config, trained, challenger, found, held, champion)
    evaluation = Evaluation(
        model=config.name, run_id=trained.run_id, metric=config.metric.name, metrics=found,
        holdout=Holdout(fingerprint=data.split("test").fingerprint, rows=len(held.frame)),
        champion=champion.version if champion else None, champion_metrics=theirs, difference=judgement.difference,
        interval=judgement.interval, verdict=judgement.verdict, reason=judging.terms(trained) + judgement.reason,
        simulated=trained.simulated, level=trained.level, sample=trained.sample,
    )
    files.write_atomic(folder / EVALUATION, evaluation.to_json())
    return evaluation


def register(
    places: Workspace, settings: Settings, config: ModelConfig, version_file: Path, folder: Path
) -> ModelVersion:
    """Register the challenger in MLflow, once an identity, and write its bundle; writes `registered.json`.

    What is proven and exported is the model that the registry gives back, not the one in memory.

    Raises:
        MissingInputError: nothing is trained or evaluated yet.
        ConfigurationError: the store of bundles cannot be written.
        UsageError: the challenger is a bounded one.
    """
    trained = read(TrainedModel, folder / TRAINED)
    if trained.level == "bounded":
        raise UsageError(
            "is a bounded training, which proves a change and is never registered", where=folder / TRAINED,
            mend=f"run `mlops model run {config.name}`, which trains on everything",
        )
    evaluation = read(Evaluation, folder / EVALUATION)
    if evaluation.run_id != trained.run_id:
        raise ConfigurationError(
            "is the evaluation of another training", where=folder / EVALUATION,
            mend=f"run `mlops model evaluate {config.name}` first",
        )
    data = _data_of(trained, open_data(places, config, version_file), folder)
    with files.lock(places.models / config.name / ".lock", timeout=_LOCK_SECONDS, what="another registration"):
        record = _register(places, settings, config, data, trained, evaluation)
    files.write_atomic(folder / REGISTERED, record.to_json())
    return record


def _register(
    places: Workspace, settings: Settings, config: ModelConfig, data: Data, trained: TrainedModel,
    evaluation: Evaluation,
) -> ModelVersion:
    inputs = bundles.inputs_of(config, data)
    known = model_registry.versions(settings, config.name)
    found = next((each for each in known if each.tags.get("mlops.identity") == trained.identity), None)
    if found is None:
        made = identities.recipe(places.repository, config, experiment_tracker.versions(config.libraries))
        surface = [(each.name, each.type, each.nullable) for each in inputs]
        interface = model_registry.Interface.of((config.task, config.target, surface), made)
        found = model_registry.create(
            settings, config.name, source=trained.model_uri, run_id=trained.run_id,
            tags=interface.tags() | {
                "mlops.identity": trained.identity, "mlops.semantic": model_registry.next_version(interface, known),
                "mlops.data": trained.data, "mlops.data_fingerprint": trained.data_fingerprint,
                "mlops.simulated": str(trained.simulated).lower(),
            },
        )
    elif (record := found.record()) is not None and evaluation.champion == found.version:
        # The champion held against itself: it stays what it was judged to be.
        evaluation = msgspec.structs.replace(evaluation, verdict=record.verdict, metrics=record.metrics)
    _keep_files(settings, config, found, trained)
    bundle, checksum, engine = _bundle(settings, config, data, found, inputs, evaluation)
    record = ModelVersion(
        model=config.name, version=found.version, semantic=found.tags["mlops.semantic"], task=config.task,
        run_id=found.run_id, data=trained.data, data_fingerprint=trained.data_fingerprint, holdout=evaluation.holdout,
        metrics=evaluation.metrics, verdict=evaluation.verdict, bundle=bundle, bundle_sha256=checksum, engine=engine,
        identity=trained.identity, simulated=trained.simulated,
    )
    model_registry.keep_record(settings, record)
    return record


def _keep_files(
    settings: Settings, config: ModelConfig, found: model_registry.Registered, trained: TrainedModel
) -> None:
    """What later challengers are held against: the version's own files, and its reference."""
    model_registry.heal(settings, found, trained.model_uri)
    if trained.reference is not None:
        model_registry.tag(settings, config.name, found.version, {
            judging.REFERENCE: trained.reference.model_uri, judging.REFERENCE_ROWS: str(trained.reference.rows),
        })


def _bundle(
    settings: Settings, config: ModelConfig, data: Data, found: model_registry.Registered, inputs: list[Any],
    evaluation: Evaluation,
) -> tuple[str, str, str]:
    """Path, checksum and engine of the version's bundle, written where it is not in the store yet."""
    store = Path(settings.model_registry.registry_path)
    record = found.record()
    if record is not None and (store / record.bundle).is_file():
        if files.sha256_file(store / record.bundle) == record.bundle_sha256:
            return record.bundle, record.bundle_sha256, record.engine
    model = model_registry.load_model(settings, found)
    classes = [getattr(each, "item", lambda each=each: each)() for each in getattr(model, "classes_", [])]
    manifest = BundleManifest(
        model=config.name, version=found.version, run_id=found.run_id, task=config.task, engine="onnx", inputs=inputs,
        classes=classes if config.task == "classification" else [], data=data.version.version,
        data_fingerprint=data.version.fingerprint, simulated=data.version.source.simulated, metrics=evaluation.metrics,
    )
    return bundles.write(store, config, model, manifest, load_raw(data, "test", data.surface_of(config.features)))


def _data_of(trained: TrainedModel, data: Data, folder: Path) -> Data:
    if data.version.fingerprint != trained.data_fingerprint:
        raise ConfigurationError(
            f"was trained on data version {trained.data}, not on {data.version.version}", where=folder / TRAINED,
            mend=f"run `mlops model train {trained.model}` first, or give the version that it was trained on",
        )
    return data


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Parameters as JSON holds them; what it cannot hold as text."""
    return {
        name: value if isinstance(value, bool | int | float | str | list | dict | None) else str(value)
        for name, value in values.items()
    }


def _file(config: ModelConfig) -> str:
    return f"{product.MODELS}/{config.name}.yaml, field 'trainer'"


def version_of(folder: Path) -> ModelVersion:
    """The version that `register` has written into the work folder.

    Raises:
        MissingInputError: nothing is registered yet.
    """
    try:
        return read(ModelVersion, folder / REGISTERED)
    except MissingInputError as error:
        raise MissingInputError(
            "nothing is registered yet", where=folder, mend="run `mlops model register MODEL` first"
        ) from error
