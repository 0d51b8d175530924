"""A model that takes features: the columns come in, the bundle's plan makes the features, the answer goes out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops.records import ColumnShape
from mlops.records.features import Feature, FeatureChain, FeatureOutput, FeaturePlan, FeatureStatistics
from mlops.serving import BundleManifest, Input, Proof, Tensor, write_bundle
from mlops.serving.features import taken
from tests import making
from tests.conftest import Client

ABOUT = FeatureStatistics(rows=4, missing=0, distinct=4)


def _feature(name: str, sources: list[str], **more: Any) -> Feature:
    kind = "string" if name == "where" else "float"
    return Feature(
        name=name, sources=sources, outputs=[FeatureOutput(name=name, type=kind, statistics=ABOUT)],  # type: ignore
        **{"operation": "pass", **more},
    )


PLAN = FeaturePlan(
    columns=[ColumnShape(name="area", type="float"), ColumnShape(name="people", type="integer", nullable=True),
             ColumnShape(name="where", type="string")],
    features=[
        _feature("size", ["area", "people"], operation="ratio", impute="constant", fill=0.5),
        _feature("age", ["area"], impute="none"), _feature("rooms", ["area"], scale="minmax", center=10.0, spread=2.0),
        _feature("where", ["where"]),
    ],
    rows=4,
)


CHAIN = FeatureChain(columns=PLAN.columns, plans=[PLAN], takes=taken(PLAN))


@pytest.fixture
def client(
    serve: Callable[..., Client], store: tuple[Path, dict[str, tuple[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> Client:
    """A service with `houses` behind features: 10 * area / people + (area - 10) / 2, and 0.5 on an island."""
    folder, models = store
    manifest = BundleManifest(
        model="engineered", version="1", run_id="run", task="regression", engine="onnx",
        inputs=[Input(name=each.name, type=each.type, nullable=each.nullable) for each in PLAN.columns],  # type: ignore
        tensors=[Tensor(name="numbers", columns=["size", "age", "rooms"]), Tensor(name="where", columns=["where"])],
    )
    proof = Proof(rows=[{"area": 20.0, "people": 4, "where": "ISLAND"}], predictions=[55.5])
    path = folder / "engineered" / "1.bundle"
    checksum = write_bundle(path, manifest, making.regression(10.0), proof, CHAIN)
    monkeypatch.setitem(models, "engineered", ("1", checksum))
    return serve("engineered")


def test_features_are_made_of_the_columns_of_a_request(client: Client) -> None:
    rows = [{"area": 20, "people": 4.0, "where": "ISLAND"}, {"area": 12.0, "people": 0, "where": "INLAND"},
            {"area": 10.0, "where": "x"}]
    answer = client.predict(rows, "engineered")
    assert answer.json()["predictions"] == [55.5, 6.0, 5.0], answer.text
    alone = [client.predict([row], "engineered").json()["predictions"][0] for row in rows]
    assert alone == [55.5, 6.0, 5.0]


def test_a_request_has_the_columns_and_not_the_features(client: Client) -> None:
    answer = client.predict([{"size": 5.0, "age": 20.0, "rooms": 5.0, "where": "INLAND"}], "engineered")
    assert answer.status_code == 422
    assert {each["loc"][-1] for each in answer.json()["detail"]} >= {"area", "size"}, answer.text
    described = client.ask("GET", "/v2/models/engineered").json()
    assert [column["name"] for column in described["inputs"]] == ["area", "people", "where"]
