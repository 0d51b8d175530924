"""The steps of the model pipeline: train, evaluate, register. Each writes its record last."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from mlops import experiment_tracker, files, git, model_registry, product
from mlops.config import Settings, Workspace
from mlops.errors import ConfigurationError, MissingInputError
from mlops.records import Evaluation, Holdout, ModelVersion, TrainedModel, read
from mlops.serving import BundleManifest
from mlops.training import bundles, comparison, metrics
from mlops.training import identity as identities
from mlops.training.answers import ask
from mlops.training.config import ModelConfig
from mlops.training.frames import Data, divide, load, open_data
from mlops.training.threads import one_thread
from mlops.training.trainers import call

TRAINED, EVALUATION, REGISTERED = "trained.json", "evaluation.json", "registered.json"
_LOCK_SECONDS = 120.0


def train(places: Workspace, settings: Settings, config: ModelConfig, version_file: Path, folder: Path) -> TrainedModel:
    """Train a challenger with the model's own function, tracked by MLflow; writes `trained.json`.

    Raises:
        ConfigurationError: the trainer cannot be loaded, or does not return what it must.
        MissingInputError, IntegrityError: the data version is not there, or its bytes have changed.
    """
    data = open_data(places, config, version_file)
    trainer = product.load(config.trainer, where=_file(config), repository=places.repository)
    libraries = experiment_tracker.versions(config.libraries)
    made = identities.recipe(places.repository, config, libraries)
    columns = [*config.features, config.target]
    train_data, val_data = divide(load(data, "train", columns), config.validation, config.seed)
    test_data = load(data, "test", columns)
    experiment_tracker.prepare(settings)
    own = git.Git(places.repository)
    tags = {
        "mlops.identity": identities.identity(made, data), "mlops.recipe": made, "mlops.data": data.version.version,
        "mlops.data_fingerprint": data.version.fingerprint,
        "mlops.simulated": str(data.version.source.simulated).lower(),
        "mlflow.source.name": config.trainer, "mlflow.source.git.commit": own.head() or "",
    }
    asked = {**config.parameters, "seed": config.seed, "validation": config.validation}
    with experiment_tracker.start(
        settings, config.name, name=f"{config.name}-{data.version.version}", parameters=asked, tags=tags
    ) as run:
        model, parameters, found = call(trainer, (train_data, val_data, test_data, config, run), config)
        run.log_parameters({name: value for name, value in parameters.items() if name not in asked})
        run.log_metrics(found)
        sample = test_data[config.features].head(100)
        with one_thread():
            outputs = model.predict(sample)
        uri = run.log_model(model, inputs=sample, outputs=outputs, libraries=config.libraries)
    trained = TrainedModel(
        model=config.name, task=config.task, run_id=run.id, model_uri=uri, data=data.version.version,
        data_fingerprint=data.version.fingerprint, simulated=data.version.source.simulated,
        parameters=_plain({**asked, **parameters}), metrics=found, identity=tags["mlops.identity"],
    )
    files.write_atomic(folder / TRAINED, trained.to_json())
    return trained


def evaluate(
    places: Workspace, settings: Settings, config: ModelConfig, version_file: Path, folder: Path
) -> Evaluation:
    """Hold the challenger against the champion on the same held-out rows; writes `evaluation.json`.

    A worse challenger raises nothing: the verdict says it, and `promotion.promote` acts on it.

    Raises:
        MissingInputError: nothing is trained yet, or MLflow has lost a model.
        ConfigurationError: the champion takes columns that this data version does not have, so that the two
            cannot be compared. It is no "first" then: that would let any change of columns around the gate.
    """
    trained = read(TrainedModel, folder / TRAINED)
    data = _data_of(trained, open_data(places, config, version_file), folder)
    model = model_registry.load_logged(settings, trained.model_uri)
    frame = load(data, "test", [*config.features, config.target])
    challenger = ask(model, frame[config.features], frame[config.target], config.task, config.name)
    found = metrics.evaluate(config.task, challenger)
    if config.metric.name not in found:
        raise ConfigurationError(
            f"field 'metric.name': {config.metric.name} has no value for this model's answers",
            where=f"{product.MODELS}/{config.name}.yaml",
            mend="log_loss needs a model with probabilities (predict_proba); choose another metric, or such a model",
        )
    champion = model_registry.champion(settings, config.name)
    theirs: dict[str, float] = {}
    missed = comparison.below_floor(config, found)
    if missed:
        judgement = comparison.Judgement("floor", missed)
    elif champion is None:
        judgement = comparison.Judgement("first", "there is no champion yet, and every floor is reached")
    elif champion.tags.get("mlops.identity") == trained.identity:
        theirs = found
        reason = f"is the champion itself, version {champion.version}: same code, parameters and data"
        judgement = comparison.Judgement("equal", reason, 0.0, (0.0, 0.0))
    else:
        answers = _champion_answers(settings, config, champion, data, frame)
        theirs = metrics.evaluate(config.task, answers)
        if config.metric.name not in theirs:
            raise _incomparable(config, champion, f"it has no value of {config.metric.name}")
        judgement = comparison.judge(config, challenger, answers, champion.version)
    split = data.split("test")
    evaluation = Evaluation(
        model=config.name, run_id=trained.run_id, holdout=Holdout(fingerprint=split.fingerprint, rows=split.rows),
        metric=config.metric.name, metrics=found, champion=champion.version if champion else None,
        champion_metrics=theirs, difference=judgement.difference, interval=judgement.interval,
        verdict=judgement.verdict, reason=judgement.reason, simulated=trained.simulated,
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
    """
    trained = read(TrainedModel, folder / TRAINED)
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
    bundle, checksum, engine = _bundle(settings, config, data, found, inputs, evaluation)
    record = ModelVersion(
        model=config.name, version=found.version, semantic=found.tags["mlops.semantic"], task=config.task,
        run_id=found.run_id, data=trained.data, data_fingerprint=trained.data_fingerprint, holdout=evaluation.holdout,
        metrics=evaluation.metrics, verdict=evaluation.verdict, bundle=bundle, bundle_sha256=checksum, engine=engine,
        identity=trained.identity, simulated=trained.simulated,
    )
    model_registry.keep_record(settings, record)
    return record


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
    return bundles.write(store, config, model, manifest, load(data, "test", config.features))


def _champion_answers(
    settings: Settings, config: ModelConfig, champion: model_registry.Registered, data: Data, frame: Any
) -> metrics.Answers:
    """The champion's answers to the challenger's held-out rows, from the columns that it was fitted on."""
    try:
        model = model_registry.load_model(settings, champion)
    except MissingInputError as error:
        raise _incomparable(config, champion, error.message) from error
    columns = [str(name) for name in getattr(model, "feature_names_in_", config.features)]
    known = {column.name for column in data.version.columns}
    missing = [name for name in columns if name not in known]
    if missing:
        lacks = f"it needs the column {missing[0]!r}, which data version {data.version.version} does not have"
        raise _incomparable(config, champion, lacks)
    try:
        return ask(model, load(data, "test", columns), frame[config.target], config.task, config.name)
    except (ValueError, TypeError, AttributeError, ConfigurationError) as error:
        raise _incomparable(config, champion, f"it does not take these rows: {error}") from error


def _incomparable(config: ModelConfig, champion: model_registry.Registered, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"the challenger cannot be compared with the champion, version {champion.version}: {why}",
        where=f"model {config.name}",
        mend="bring back what the champion needs; or, to begin anew with the floors alone, run "
        f"`mlops model retire {config.name} --why TEXT`, which takes the champion out of the competition",
    )


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
