"""A model whose file declares features: fitted on its training rows, in the bundle, the same when served."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlops import model_registry
from mlops.errors import ConfigurationError
from mlops.records import DataVersion, read
from mlops.serving import Bundle
from mlops.training import bundles, steps
from mlops.training.engineered import Engineered, made
from mlops.training.fitting import Rows
from mlops.training.frames import divide, load, open_data

FEATURES = """
feature_engineering:
  rooms: {}
  age: {impute: median, scale: standard}
  place: {}
  rooms_by_age: {operation: ratio, of: [rooms, age], description: rooms for each year}
  old: {operation: bucket, of: age, edges: [20, 50]}
"""
WIDTHS = """
feature_engineering:
  width: {scale: robust}
  height: {operation: log1p, impute: mean}
"""


def declare(product: Any, name: str, features: str) -> Any:
    return product.edit(name, "seed: 7\n", "seed: 7\n" + features)


def walk(product: Any, config: Any, dataset: str) -> Bundle:
    folder, version = product.folder(config.name), product.version(dataset)
    steps.train(product.places, product.settings, config, version, folder)
    steps.evaluate(product.places, product.settings, config, version, folder)
    made = steps.register(product.places, product.settings, config, version, folder)
    return Bundle.open(product.places.bundles / made.bundle, made.bundle_sha256)


def test_from_a_declaration_to_the_served_answer(product: Any) -> None:
    config = declare(product, "prices", FEATURES)
    bundle = walk(product, config, "houses")
    assert bundle.manifest.engine == "onnx", bundle.manifest.engine_reason
    assert [column.name for column in bundle.manifest.inputs] == ["rooms", "age", "place"]
    assert bundle.features is not None and [each.rows for each in bundle.features.plans] == [224]
    assert [each.name for each in bundle.features.takes] == ["rooms", "age", "place", "rooms_by_age", "old"]
    bundle.expect_proof()
    model = model_registry.load_model(product.settings, model_registry.resolve(product.settings, "prices", "1"))
    rows = [{"rooms": 3, "age": None, "place": "sea"}, {"rooms": 8.0, "age": 0, "place": "the moon"},
            {"rooms": 1, "place": "town", "age": 79.5}]
    frame = pd.DataFrame(rows).astype({"rooms": "float64", "age": "float64"})
    wanted = model.predict(frame)
    served = [bundle.score_json(json.dumps([row]).encode()).predictions[0] for row in rows]
    assert served == bundle.score(rows).predictions == pytest.approx(wanted.tolist(), rel=1e-6)
    assert bundles.difference(bundle.proof, bundle) is None


def test_a_changed_plan_is_found_by_the_proof(product: Any) -> None:
    from msgspec.structs import replace

    from mlops.errors import IntegrityError
    from mlops.serving import write_bundle
    from mlops.serving.engineered import inputs_of
    from mlops.training.export import to_onnx

    bundle = walk(product, declare(product, "prices", FEATURES), "houses")
    chain = bundle.features
    assert chain is not None
    plan = chain.plans[0]
    other = replace(chain, plans=[replace(plan, features=[
        replace(each, center=each.center + 5.0) if each.name == "age" else each for each in plan.features
    ])])
    model = model_registry.load_model(product.settings, model_registry.resolve(product.settings, "prices", "1"))
    graph = to_onnx(model.model, inputs_of(chain), name="prices", classifier=False)
    path = product.root / "other.bundle"
    write_bundle(path, bundle.manifest, graph.content, bundle.proof, chain)
    path.unlink()
    with pytest.raises(IntegrityError, match="does not answer as the registered model"):
        write_bundle(path, bundle.manifest, graph.content, bundle.proof, other)
    assert not path.exists()


def test_a_classifier_and_the_products_own_estimator(product: Any) -> None:
    declare(product, "labels", WIDTHS)
    bundle = walk(product, product.edit("labels", "trainers:label", "trainers:own"), "samples")
    assert bundle.manifest.engine == "sklearn" and bundle.features is not None
    assert bundle.manifest.classes == ["bad", "good"]
    scores = bundle.score([{"width": 2.0, "height": 5.0}, {"width": -2.0, "height": -1.5}])
    assert scores.predictions == ["bad", "good"] and scores.probabilities is not None


def test_the_plan_is_of_the_training_rows_alone(product: Any, publish: Any, houses: Any) -> None:
    config = declare(product, "prices", FEATURES)
    version = product.version("houses")
    data = open_data(product.places, config, version)
    plan = Rows.of(data, config, "full").plan
    assert plan is not None
    whole = load(data, "train", config.features)
    train, held = divide(whole, config.validation, config.seed)
    ages = train["age"].dropna()
    age = next(each for each in plan.features if each.name == "age")
    assert age.fill == float(np.median(ages))
    assert age.fill != float(np.median(whole["age"].dropna())), "fitting on the validation rows too would differ"
    assert age.fill != float(np.median(pd.concat([whole, load(data, "test", config.features)])["age"].dropna()))
    changed = houses()
    cut = int(len(changed) * 0.7)
    changed.loc[cut:, "age"] = 1e6  # every held-out row
    publish(product.places, "houses", changed, "price")
    other = open_data(product.places, config, version)
    assert other.version.fingerprint != data.version.fingerprint
    assert Rows.of(other, config, "full").plan == plan


def test_what_is_declared_is_part_of_the_models_identity(product: Any) -> None:
    from mlops.training.identity import recipe

    plain = recipe(product.root, product.model("prices"), {})
    first = recipe(product.root, declare(product, "prices", FEATURES), {})
    second = recipe(product.root, product.edit("prices", "edges: [20, 50]", "edges: [20, 60]"), {})
    assert len({plain, first, second}) == 3


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("rooms: {}", "rooms: {of: romms}", "did you mean 'rooms'"),
        ("  place: {}\n", "", "hold 'place', which no feature is made of"),
        ("old: {operation", "price: {operation", "the name of the target"),
        ("place: {}", "place: {scal: minmax}", "did you mean 'scale'"),
    ],
)
def test_a_wrong_declaration_names_file_line_and_field(product: Any, old: str, new: str, said: str) -> None:
    declare(product, "prices", FEATURES)
    with pytest.raises(ConfigurationError, match=said) as caught:
        product.edit("prices", old, new)
    assert "prices.yaml:" in str(caught.value.where)


def test_a_rule_that_does_not_fit_the_data_is_refused_before_training(product: Any) -> None:
    config = declare(product, "prices", FEATURES.replace("place: {}", "place: {operation: log1p}"))
    with pytest.raises(ConfigurationError, match="'place.of': log1p takes numbers"):
        steps.train(product.places, product.settings, config, product.version("houses"), product.folder("prices"))


def test_moments_and_whole_numbers_come_through_frames_as_through_requests() -> None:
    from mlops.features.rules import FeatureRule
    from mlops.features.fitting import fit
    from mlops.records import ColumnShape
    from mlops.serving.features import apply, column, columns_of

    shapes = [ColumnShape(name="at", type="datetime", nullable=True), ColumnShape(name="n", type="integer")]
    rules = {"at": FeatureRule(operation="cyclical", part="hour"), "n": FeatureRule(scale="standard")}
    texts = ["2024-05-01T13:30:00", None, "1969-12-31T23:00:00"]
    numbers = [2**53 + 1, -7, 3]
    plan = fit(rules, shapes, {"at": column("datetime", texts), "n": column("integer", numbers)})
    frame = pd.DataFrame({"at": pd.to_datetime(pd.Series(texts)), "n": pd.Series(numbers).astype("float64")})
    served = apply(plan, columns_of(plan, [{"at": a, "n": n} for a, n in zip(texts, numbers, strict=True)]))
    for name, values in made(plan, frame).items():
        assert values.to_numpy().tobytes() == served[str(name)].tobytes()
    assert not hasattr(Engineered(plan.to_json(), object()), "predict_proba")


def test_data_version_record_is_what_shapes_come_from(product: Any) -> None:
    config = declare(product, "prices", FEATURES)
    plan = Rows.of(open_data(product.places, config, product.version("houses")), config, "full").plan
    version = read(DataVersion, product.version("houses"))
    assert plan is not None
    assert plan.columns == [column for column in version.columns if column.name != "price"]
