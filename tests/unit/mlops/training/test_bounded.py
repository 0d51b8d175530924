"""The bounded level: a sample where the data exceed the bound, like held against like, nothing registered."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from mlops import mlflow_client, model_registry, promotion
from mlops.errors import ConfigurationError, UsageError, WorseModelError
from mlops.records import Evaluation, TrainedModel, read
from mlops.training import judging, steps
from mlops.training.config import read_model


def full(product: Any, name: str = "prices", dataset: str = "houses") -> TrainedModel:
    """A full run, to the champion."""
    config, folder, version = product.model(name), product.folder(name), product.version(dataset)
    trained = steps.train(product.places, product.settings, config, version, folder)
    steps.evaluate(product.places, product.settings, config, version, folder)
    steps.register(product.places, product.settings, config, version, folder)
    promotion.promote(product.places, product.settings, config, folder, who="w", why="y")
    return trained


def bounded(product: Any, name: str = "prices", dataset: str = "houses") -> tuple[TrainedModel, Evaluation]:
    config, version = product.model(name), product.version(dataset)
    folder = product.folder(name).with_name("default.bounded")
    trained = steps.train(product.places, product.settings, config, version, folder, level="bounded")
    return trained, steps.evaluate(product.places, product.settings, config, version, folder)


def cut(product: Any, rows: int = 100, more: str = "") -> None:
    """Bound the model `prices`, whose 280 training rows then are cut."""
    path = product.root / "model" / "configs" / "prices.yaml"
    path.write_text(path.read_text() + f"bounded: {{rows: {rows}{more}}}\n")


def snapshot(product: Any) -> dict[str, bytes]:
    """Every file that a bounded run must leave alone: bundles, artifacts, what is promoted, the work of full runs.

    MLflow writes a note, `registered_model_meta`, beside a model that it loads; that is no model.
    """
    places = product.places
    found = {}
    for top in (places.bundles, Path(product.settings.model_registry.tracking_dir), places.models):
        for path in top.rglob("*") if top.exists() else ():
            told = path.name in (".lock", "registered_model_meta")
            if path.is_file() and "default.bounded" not in path.parts and not told:
                found[str(path)] = path.read_bytes()
    return found


def test_where_nothing_is_cut_it_is_as_strict_as_a_full_run(product: Any) -> None:
    champion = full(product)
    assert champion.reference is None, "nothing to leave a reference for"
    trained, evaluation = bounded(product)
    assert trained.identity == champion.identity and trained.metrics == champion.metrics
    assert trained.sample is not None and not trained.sample.cut
    assert (evaluation.verdict, evaluation.champion) == ("equal", "1")
    assert evaluation.reason.startswith("bounded, and nothing was left out")
    product.edit("prices", "max_iter: 30", "max_iter: 4")
    _, evaluation = bounded(product)
    assert evaluation.verdict == "worse" and evaluation.champion_metrics == read(
        Evaluation, product.folder("prices") / "evaluation.json"
    ).metrics


def test_a_cut_challenger_is_held_against_the_champions_reference(product: Any) -> None:
    cut(product)
    champion = full(product)
    assert champion.reference is not None and champion.reference.rows == 100
    trained, evaluation = bounded(product)
    assert trained.sample is not None and (trained.sample.used, trained.sample.of) == (100, 280)
    assert trained.identity != champion.identity
    # the same recipe on the same sample: the very same answers, which the champion itself, on all rows, does not give
    assert evaluation.verdict == "equal" and evaluation.champion_metrics == evaluation.metrics
    assert evaluation.metrics != read(Evaluation, product.folder("prices") / "evaluation.json").metrics
    assert "bounded to 100 of 280 training rows" in evaluation.reason
    assert (evaluation.level, evaluation.sample) == ("bounded", trained.sample)
    product.edit("prices", "max_iter: 30", "max_iter: 3")
    product.edit("prices", "floors: {r2: 0.2}", "floors: {}")
    assert bounded(product)[1].verdict == "worse"


def test_a_bounded_run_leaves_registry_and_stores_alone(product: Any) -> None:
    cut(product)
    full(product)
    before = snapshot(product)
    versions = model_registry.versions(product.settings, "prices")
    product.edit("prices", "max_iter: 30", "max_iter: 25")
    trained, _ = bounded(product)
    assert snapshot(product) == before
    assert model_registry.versions(product.settings, "prices") == versions
    client = mlflow_client.client(product.settings)
    experiment = client.get_experiment_by_name("prices-bounded").experiment_id
    assert client.get_run(trained.run_id).info.experiment_id == experiment
    assert client.get_run(trained.run_id).data.tags["mlops.level"] == "bounded"
    with pytest.raises(UsageError, match="never registered"):
        steps.register(
            product.places, product.settings, product.model("prices"), product.version("houses"),
            product.folder("prices").with_name("default.bounded"),
        )


def test_without_a_champion_the_floors_decide(product: Any) -> None:
    cut(product)
    assert bounded(product)[1].verdict == "first"
    product.edit("prices", "r2: 0.2", "r2: 0.9999")
    _, evaluation = bounded(product)
    folder = product.folder("prices").with_name("default.bounded")
    assert evaluation.verdict == "floor" and evaluation.reason.startswith("bounded to 100 of 280")
    with pytest.raises(WorseModelError) as refused:
        promotion.judge(product.model("prices"), folder)
    assert refused.value.exit_code == 1 and "bounded.rows" in refused.value.mend
    assert "below a floor" in refused.value.message


def test_a_champion_without_a_reference_is_not_held_against_a_sample(product: Any) -> None:
    full(product)
    cut(product)
    _, evaluation = bounded(product)
    assert (evaluation.verdict, evaluation.champion_metrics) == ("inconclusive", {})
    assert "nothing fair" in evaluation.reason and "it has no reference" in evaluation.reason
    promotion.judge(product.model("prices"), product.folder("prices").with_name("default.bounded"))


def test_another_bound_than_the_references_is_said(product: Any) -> None:
    cut(product, 150)
    full(product)
    product.edit("prices", "rows: 150", "rows: 100")
    assert "its reference was trained on 150" in bounded(product)[1].reason
    assert full(product).reference is not None, "the next full run leaves another reference with the same version"
    found = model_registry.champion(product.settings, "prices")
    assert found is not None and (found.version, found.tags[judging.REFERENCE_ROWS]) == ("1", "100")
    assert bounded(product)[1].verdict == "equal"


def test_held_out_rows_are_bounded_too_and_the_same_for_both(product: Any) -> None:
    cut(product, 100, ", holdout_rows: 60")
    full(product)
    trained, evaluation = bounded(product)
    assert trained.sample is not None and (trained.sample.holdout_used, trained.sample.holdout_of) == (60, 120)
    assert (evaluation.holdout.rows, evaluation.verdict) == (60, "equal")
    assert "60 of 120 held-out rows" in evaluation.reason


def test_a_classifier_keeps_its_classes(product: Any) -> None:
    path = product.root / "model" / "configs" / "labels.yaml"
    path.write_text(path.read_text() + "bounded: {rows: 50}\n")
    full(product, "labels", "samples")
    trained, evaluation = bounded(product, "labels", "samples")
    assert trained.sample is not None and trained.sample.used in (50, 51, 52)
    assert evaluation.verdict == "equal"


def test_a_bound_too_small_to_judge_by_is_refused(product: Any) -> None:
    cut(product, 3)
    with pytest.raises(ConfigurationError, match="bounded.rows"):
        read_model(product.root, "prices")


def test_the_judgement_of_an_earlier_training_is_none(product: Any) -> None:
    bounded(product)
    folder = product.folder("prices").with_name("default.bounded")
    shutil.copy(folder / "evaluation.json", folder / "kept.json")
    bounded(product)
    shutil.move(folder / "kept.json", folder / "evaluation.json")
    with pytest.raises(UsageError, match="earlier training"):
        promotion.judge(product.model("prices"), folder)
