"""A model of a data set with features: it is judged, proven and served on raw rows; its features agree to the bit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlops import model_registry
from mlops.data_pipeline import read_dataset
from mlops.data_pipeline import steps as data_steps
from mlops.errors import IntegrityError
from mlops.features import kept
from mlops.records import DataVersion, Evaluation, read
from mlops.serving import Bundle
from mlops.serving.features import apply_chain, columns_of
from mlops.training import steps
from mlops.training.engineered import given
from mlops.training.frames import load, load_raw, open_data

DATASET = """
title: Houses
source: data/raw/houses.csv
suite: data/expectations/houses.json
target: price
identity: rows
columns:
  rooms: {type: integer}
  age: {type: float, nullable: true}
  place: {type: string}
  price: {type: float}
split: {test: 0.3}
checks:
  volume: {minimum_rows: 20, minimum_test_rows: 2}
features:
  age: {impute: median, scale: standard}
  rooms_by_age: {operation: ratio, of: [rooms, age], impute: constant, constant: 0}
  many: {operation: log1p, of: rooms}
"""
SUITE = {"name": "houses", "expectations": [{"type": "expect_column_to_exist", "kwargs": {"column": "age"}}]}


@pytest.fixture
def declared(product: Any, houses: Any) -> Any:
    """The product whose houses come through the data pipeline, with features; the model takes all but one."""
    data = product.root / "data"
    for name in ("datasets", "expectations", "raw"):
        (data / name).mkdir(parents=True)
    (data / "expectations" / "houses.json").write_text(json.dumps(SUITE))
    houses().to_csv(data / "raw" / "houses.csv", index=False)
    product.edit("prices", "features: [rooms, age, place]", "features: [many, age, place]")
    publish(product, DATASET)
    return product


def publish(product: Any, declaration: str) -> DataVersion:
    (product.root / "data" / "datasets" / "houses.yaml").write_text(declaration)
    dataset, folder = read_dataset(product.root, "houses"), product.places.data / "houses" / "work" / "default"
    for step in (data_steps.ingest, data_steps.validate, data_steps.process, data_steps.check, data_steps.version):
        step(product.places, dataset, folder)
    return read(DataVersion, product.version("houses"))


def walk(product: Any) -> tuple[Evaluation, Bundle]:
    config, version, folder = product.model("prices"), product.version("houses"), product.folder("prices")
    steps.train(product.places, product.settings, config, version, folder)
    evaluation = steps.evaluate(product.places, product.settings, config, version, folder)
    made = steps.register(product.places, product.settings, config, version, folder)
    return evaluation, Bundle.open(product.places.bundles / made.bundle, made.bundle_sha256)


def test_raw_rows_are_served_with_the_features_of_the_version(declared: Any) -> None:
    config = declared.model("prices")
    _, bundle = walk(declared)
    assert bundle.manifest.engine == "onnx", bundle.manifest.engine_reason
    inputs = {each.name: each for each in bundle.manifest.inputs}
    assert list(inputs) == ["rooms", "age", "place"] and inputs["place"].categories == ["hills", "sea", "town"]
    assert inputs["rooms"].type == "integer" and inputs["age"].nullable
    chain = bundle.features
    assert chain is not None and [each.name for each in chain.takes] == ["many", "age", "place"]
    assert [each.name for plan in chain.plans for each in plan.features] == ["age", "many"]  # one is not needed
    bundle.expect_proof()
    assert set(bundle.proof.rows[0]) == set(inputs)

    data = open_data(declared.places, config, declared.version("houses"))
    kept_rows, raw = load(data, "test", config.features), load_raw(data, "test", list(inputs))
    rows = [
        {"rooms": int(rooms), "age": None if np.isnan(age) else age, "place": place}
        for rooms, age, place in raw.itertuples(index=False)
    ]
    table = given(chain, raw)
    for name in ("many", "age"):
        wanted = kept_rows[name].to_numpy().view(np.int64)
        assert (table[name].to_numpy().view(np.int64) == wanted).all()
        for number in range(40):  # a row that is served alone
            single = apply_chain(chain, columns_of(data.plan, [rows[number]]) | {"place": np.array([""], object)})
            assert single[name].view(np.int64)[0] == wanted[number]
    assert table["place"].tolist() == kept_rows["place"].tolist()

    model = model_registry.load_model(declared.settings, model_registry.resolve(declared.settings, "prices", "1"))
    answers = model.predict(raw)
    assert (answers == model.model.predict(kept_rows)).all(), "the inner model, on the version's own features"
    assert bundle.score(rows).predictions == pytest.approx(answers.tolist(), rel=1e-6)
    served = bundle.score_json(json.dumps([{"rooms": 4, "place": "the moon"}]).encode()).predictions
    frame = pd.DataFrame({"rooms": [4.0], "age": [np.nan], "place": ["the moon"]})
    assert served == pytest.approx(model.predict(frame).tolist(), rel=1e-6)


def test_features_of_the_models_file_come_after_those_of_the_data(declared: Any) -> None:
    declared.edit("prices", "seed: 7\n", "seed: 7\nfeature_engineering: {place: {}, age: {scale: minmax}, "
                  "both: {operation: product, of: [many, age]}}\n")
    _, bundle = walk(declared)
    assert bundle.features is not None and len(bundle.features.plans) == 2
    assert [each.name for each in bundle.features.takes] == ["place", "age", "both"]
    assert sorted(each.name for each in bundle.manifest.inputs) == ["age", "place", "rooms"]
    bundle.expect_proof()


def test_a_champion_with_other_features_is_judged_on_the_same_raw_rows(declared: Any, houses: Any) -> None:
    first, bundle = walk(declared)
    assert first.verdict == "first"
    model_registry.set_champion(declared.settings, "prices", "1")
    before = read(DataVersion, declared.version("houses"))
    changed = DATASET.replace("scale: standard", "scale: minmax").replace("{operation: log1p", "{impute: mean")
    after = publish(declared, changed)
    assert after.version != before.version and after.features[kept.PLAN] != before.features[kept.PLAN]
    second, other = walk(declared)
    assert second.champion == "1" and second.verdict in ("equal", "inconclusive", "better")
    assert second.champion_metrics == pytest.approx(first.metrics), "the champion's features are its own still"
    assert other.manifest.version == "2" and other.manifest.inputs == bundle.manifest.inputs
    # A champion that took the columns themselves is asked about the same rows too.
    publish(declared, DATASET.partition("features:")[0])
    declared.edit("prices", "features: [many, age, place]", "features: [rooms, age, place]")
    plain, _ = walk(declared)
    assert plain.champion == "1" and plain.champion_metrics == pytest.approx(first.metrics)
    model_registry.set_champion(declared.settings, "prices", "3")
    publish(declared, DATASET)
    declared.edit("prices", "features: [rooms, age, place]", "features: [many, rooms_by_age, place]")
    last, _ = walk(declared)
    assert last.champion == "3" and last.champion_metrics == pytest.approx(plain.metrics)


@pytest.mark.parametrize("file", [kept.PLAN, "test.sources.parquet"])
def test_what_was_changed_beside_the_parts_is_not_taken(declared: Any, file: str) -> None:
    version = read(DataVersion, declared.version("houses"))
    path: Path = declared.places.data / "houses" / "versions" / version.version / file
    path.write_bytes(path.read_bytes().replace(b"a", b"b"))
    with pytest.raises(IntegrityError, match="checksum|sha256"):
        walk(declared)
