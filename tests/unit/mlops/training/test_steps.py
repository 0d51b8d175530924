"""Train, evaluate, register on a small product: the whole way, and what stops it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlops import model_registry
from mlops.errors import ConfigurationError, MissingInputError
from mlops.records import DataVersion, Evaluation, ModelVersion, TrainedModel, read
from mlops.serving import Bundle
from mlops.training import bundles, steps


def walk(product: Any, name: str, dataset: str) -> tuple[TrainedModel, Evaluation, ModelVersion]:
    config, folder, version = product.model(name), product.folder(name), product.version(dataset)
    trained = steps.train(product.places, product.settings, config, version, folder)
    evaluation = steps.evaluate(product.places, product.settings, config, version, folder)
    return trained, evaluation, steps.register(product.places, product.settings, config, version, folder)


@pytest.mark.parametrize(("name", "dataset"), [("prices", "houses"), ("labels", "samples")])
def test_from_data_to_a_bundle(product: Any, name: str, dataset: str) -> None:
    trained, evaluation, made = walk(product, name, dataset)
    version = read(DataVersion, product.version(dataset))
    assert (evaluation.verdict, evaluation.champion, made.version, made.semantic) == ("first", None, "1", "1.0.0")
    assert evaluation.holdout.fingerprint == version.splits[1].fingerprint
    assert (trained.data_fingerprint, trained.simulated) == (version.fingerprint, version.source.simulated)
    for kind, file, record in (
        (TrainedModel, "trained.json", trained), (Evaluation, "evaluation.json", evaluation),
        (ModelVersion, "registered.json", made),
    ):
        assert read(kind, product.folder(name) / file) == record
    bundle = Bundle.open(product.places.bundles / made.bundle, made.bundle_sha256)
    assert (bundle.manifest.version, bundle.manifest.run_id, bundle.manifest.engine) == ("1", trained.run_id, "onnx")
    assert bundle.manifest.simulated is version.source.simulated
    assert bundles.difference(bundle.proof, bundle) is None


def test_the_proof_is_what_the_registry_gives_back(product: Any) -> None:
    _, _, made = walk(product, "labels", "samples")
    found = model_registry.resolve(product.settings, "labels", "1.0.0")
    model = model_registry.load_model(product.settings, found)
    bundle = Bundle.open(product.places.bundles / made.bundle, made.bundle_sha256)
    proof = bundle.proof
    import pandas as pd

    assert proof.predictions == model.predict(pd.DataFrame(proof.rows)).tolist()
    assert bundle.manifest.classes == ["bad", "good"]


def test_the_run_tells_where_it_came_from(product: Any) -> None:
    from mlops import mlflow_client

    trained, _, _ = walk(product, "prices", "houses")
    client = mlflow_client.client(product.settings)
    run = client.get_run(trained.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.tags["mlops.identity"] == trained.identity
    assert run.data.tags["mlops.data"] == trained.data
    assert run.data.params["max_iter"] == "30" and run.data.params["rows"] == "224"
    assert [each.value for each in client.get_metric_history(trained.run_id, "curve")] == [3.0, 2.0, 1.0]
    artifacts = Path(product.settings.model_registry.tracking_dir)
    requirements = next(artifacts.rglob("requirements.txt")).read_text()
    assert "scikit-learn==" in requirements and "cloudpickle==" in requirements


def test_the_same_model_is_registered_once(product: Any) -> None:
    first, _, one = walk(product, "prices", "houses")
    again, _, two = walk(product, "prices", "houses")
    assert first.run_id != again.run_id
    assert (one.version, one.run_id, one.bundle_sha256) == (two.version, two.run_id, two.bundle_sha256)
    assert len(model_registry.versions(product.settings, "prices")) == 1
    product.edit("prices", "max_iter: 30", "max_iter: 20")
    assert walk(product, "prices", "houses")[2].semantic == "1.1.0"


def test_training_again_gives_the_same_answers(product: Any) -> None:
    first, _, _ = walk(product, "prices", "houses")
    model_registry.set_champion(product.settings, "prices", "1")
    trainers = product.root / "tinyproduct" / "trainers.py"
    trainers.write_text(trainers.read_text() + "\n# refactored\n")
    again, evaluation, made = walk(product, "prices", "houses")
    assert first.identity != again.identity and made.version == "2"
    assert evaluation.verdict == "equal" and "same answers as the champion, version 1" in evaluation.reason


def test_the_champion_held_against_itself_is_equal_and_keeps_its_verdict(product: Any) -> None:
    walk(product, "prices", "houses")
    model_registry.set_champion(product.settings, "prices", "1")
    _, evaluation, made = walk(product, "prices", "houses")
    assert evaluation.verdict == "equal" and "champion itself" in evaluation.reason
    assert made.verdict == "first"


def test_a_worse_model_gets_its_verdict_and_no_error(product: Any) -> None:
    walk(product, "prices", "houses")
    model_registry.set_champion(product.settings, "prices", "1")
    product.edit("prices", "max_iter: 30", "max_iter: 3")
    product.edit("prices", "r2: 0.2", "r2: 0.0")
    _, evaluation, made = walk(product, "prices", "houses")
    assert (evaluation.verdict, made.verdict, evaluation.champion) == ("worse", "worse", "1")
    assert evaluation.difference is not None and evaluation.difference < 0
    assert evaluation.champion_metrics["rmse"] < evaluation.metrics["rmse"]


def test_a_floor_comes_before_everything(product: Any) -> None:
    product.edit("prices", "r2: 0.2", "r2: 0.9999")
    assert walk(product, "prices", "houses")[1].verdict == "floor"


def test_a_command_killed_after_the_registration_goes_on_with_the_same_version(
    product: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = bundles.write

    def killed(*arguments: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(bundles, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        walk(product, "prices", "houses")
    assert not (product.folder("prices") / "registered.json").exists()
    monkeypatch.setattr(bundles, "write", real)
    config, folder, version = product.model("prices"), product.folder("prices"), product.version("houses")
    made = steps.register(product.places, product.settings, config, version, folder)
    assert made.version == "1" and len(model_registry.versions(product.settings, "prices")) == 1
    assert Bundle.open(product.places.bundles / made.bundle, made.bundle_sha256)


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"half")])
def test_a_lost_or_damaged_bundle_is_written_anew_with_the_same_bytes(product: Any, damage: Any) -> None:
    _, _, made = walk(product, "prices", "houses")
    damage(product.places.bundles / made.bundle)
    config, folder, version = product.model("prices"), product.folder("prices"), product.version("houses")
    again = steps.register(product.places, product.settings, config, version, folder)
    assert again == made and Bundle.open(product.places.bundles / made.bundle, made.bundle_sha256)


def test_a_champion_whose_columns_are_gone_is_no_licence(product: Any, publish: Any, houses: Any) -> None:
    walk(product, "prices", "houses")
    model_registry.set_champion(product.settings, "prices", "1")
    publish(product.places, "houses", houses().drop(columns="age"), "price")
    config = product.edit("prices", "[rooms, age, place]", "[rooms, place]")
    folder, version = product.folder("prices"), product.version("houses")
    steps.train(product.places, product.settings, config, version, folder)
    said = r"(?s)version 1: it needs the column 'age'.*mlops model retire prices"
    with pytest.raises(ConfigurationError, match=said):
        steps.evaluate(product.places, product.settings, config, version, folder)


def test_a_champion_with_fewer_columns_is_asked_about_its_own(product: Any) -> None:
    product.edit("prices", "[rooms, age, place]", "[rooms, place]")
    walk(product, "prices", "houses")
    model_registry.set_champion(product.settings, "prices", "1")
    product.edit("prices", "[rooms, place]", "[rooms, age, place]")
    _, evaluation, made = walk(product, "prices", "houses")
    assert evaluation.verdict == "better" and made.semantic == "2.0.0"  # another interface


@pytest.mark.parametrize(
    ("trainer", "said"),
    [
        ("broken", r"ValueError: no such parameter: depth \(.*trainers.py:\d+\)"), ("astray", "loss = nan"),
        ("nothing", "does not return"), ("missing", "has no 'missing'"),
    ],
)
def test_a_training_function_that_fails_is_named(product: Any, trainer: str, said: str) -> None:
    from mlops import mlflow_client

    config = product.edit("labels", "trainers:label", f"trainers:{trainer}")
    with pytest.raises(ConfigurationError, match=said):
        steps.train(product.places, product.settings, config, product.version("samples"), product.folder("labels"))
    assert not (product.folder("labels") / "trained.json").exists()
    experiment = mlflow_client.client(product.settings).get_experiment_by_name("labels")
    if experiment:
        runs = mlflow_client.client(product.settings).search_runs([experiment.experiment_id])
        assert [run.info.status for run in runs] == ["FAILED"]


def test_other_data_than_the_model_was_trained_on_is_refused(product: Any, publish: Any, houses: Any) -> None:
    walk(product, "prices", "houses")
    publish(product.places, "houses", houses(seed=9), "price")
    with pytest.raises(ConfigurationError, match="was trained on data version"):
        steps.evaluate(
            product.places, product.settings, product.model("prices"), product.version("houses"),
            product.folder("prices"),
        )


def test_steps_out_of_order_say_what_is_missing(product: Any) -> None:
    with pytest.raises(MissingInputError, match="trained.json"):
        steps.evaluate(
            product.places, product.settings, product.model("prices"), product.version("houses"),
            product.folder("prices"),
        )


def test_lost_artifacts_are_named(product: Any) -> None:
    import shutil

    walk(product, "prices", "houses")
    shutil.rmtree(product.settings.model_registry.tracking_dir)
    with pytest.raises(MissingInputError, match="train the model again"):
        steps.evaluate(
            product.places, product.settings, product.model("prices"), product.version("houses"),
            product.folder("prices"),
        )


def test_an_artifacts_folder_that_cannot_be_written_is_an_error_not_a_trace(product: Any) -> None:
    Path(product.settings.model_registry.tracking_dir).write_text("in the way")
    with pytest.raises(ConfigurationError, match="cannot write"):
        steps.train(
            product.places, product.settings, product.model("prices"), product.version("houses"),
            product.folder("prices"),
        )
