from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

from mlops.serving import Bundle, BundleManifest, Input, Proof
from mlops.training import bundles

INPUTS = [Input(name="a", type="float", nullable=True), Input(name="n", type="integer"), Input(name="t", type="string")]


def test_rows_are_as_a_client_sends_them() -> None:
    frame = pd.DataFrame({"a": [1.5, np.nan], "n": [2.0, 3.0], "t": ["x", None]})
    assert bundles.rows_of(frame, INPUTS) == [{"a": 1.5, "n": 2, "t": "x"}, {"a": None, "n": 3, "t": None}]
    assert type(bundles.rows_of(frame, INPUTS)[0]["n"]) is int


def test_the_proof_holds_rows_with_gaps_however_rare() -> None:
    frame = pd.DataFrame({"a": np.arange(9000.0), "t": "x"})
    frame.loc[8888, "a"] = np.nan
    chosen = bundles.proof_rows(frame)
    assert len(chosen) == bundles.PROOF_ROWS and chosen.a.isna().sum() == 1
    assert chosen.a.iloc[0] == 0.0 and chosen.a.iloc[-1] == 8999.0
    assert len(bundles.proof_rows(frame.head(20))) == 20


def manifest(**more: Any) -> BundleManifest:
    return BundleManifest(
        model="m", version="1", run_id="r", engine="onnx", inputs=[Input(name="a", type="float")], **more
    )


def linear(tmp_path: Path, product: Any, model: Any, frame: pd.DataFrame, task: str = "regression") -> Bundle:
    config = product.model("prices" if task == "regression" else "labels")
    classes = [str(each) for each in getattr(model, "classes_", [])]
    name, checksum, _ = bundles.write(tmp_path / "store", config, model, manifest(task=task, classes=classes), frame)
    return Bundle.open(tmp_path / "store" / name, checksum)


def test_a_bundle_answers_as_the_pipeline(tmp_path: Path, product: Any) -> None:
    frame = pd.DataFrame({"a": np.linspace(0, 9, 40)})
    bundle = linear(tmp_path, product, LinearRegression().fit(frame, frame.a * 3 + 1), frame)
    assert bundle.manifest.engine == "onnx"
    assert bundle.score([{"a": 2.0}]).predictions == pytest.approx([7.0])
    assert bundle.proof.predictions[0] == pytest.approx(1.0)
    assert not [path for path in (tmp_path / "store").iterdir() if path.name.startswith(".")]


def test_an_export_that_answers_otherwise_is_not_taken(
    tmp_path: Path, product: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = pd.DataFrame({"a": np.linspace(0, 9, 40)})
    real = bundles.to_onnx

    def other(model: Any, *arguments: Any, **options: Any) -> Any:
        return real(LinearRegression().fit(frame, frame.a * 3 + 1.001), *arguments, **options)

    monkeypatch.setattr(bundles, "to_onnx", other)
    bundle = linear(tmp_path, product, LinearRegression().fit(frame, frame.a * 3 + 1), frame)
    assert bundle.manifest.engine == "sklearn"
    assert "double precision: row 0 gives 1.00" in bundle.manifest.engine_reason
    assert bundle.score([{"a": 2.0}]).predictions == pytest.approx([7.0])


def test_a_class_of_the_product_is_served_by_its_own_pipeline(tmp_path: Path, product: Any) -> None:
    """Pickled by value: a service has none of the product's modules."""
    import sys

    from mlops import product as door

    own = door.load("tinyproduct.trainers:Scaled", where="test", repository=product.root)
    config = product.edit("labels", "trainers:label", "trainers:own")
    frame = pd.DataFrame({"a": np.linspace(0, 9, 40)})
    model = own().fit(frame, np.where(frame.a > 4, "big", "small"))
    made = manifest(task="classification", classes=["big", "small"])
    name, checksum, engine = bundles.write(tmp_path / "store", config, model, made, frame)
    assert engine == "sklearn"
    sys.path.remove(str(product.root))
    for loaded in ("tinyproduct.trainers", "tinyproduct"):
        del sys.modules[loaded]
    bundle = Bundle.open(tmp_path / "store" / name, checksum)
    assert "Scaled" in bundle.manifest.engine_reason
    assert set(bundle.manifest.requires) == {"numpy", "pandas", "scikit-learn", "cloudpickle"}
    assert bundle.score([{"a": 8.0}, {"a": 1.0}]).predictions == ["big", "small"]


def test_differences_are_seen() -> None:
    class Said:
        def __init__(self, predictions: list[Any], probabilities: Any = None) -> None:
            self.predictions, self.probabilities = predictions, probabilities

        def score(self, rows: Any) -> Any:
            return self

    rows = [{"a": 1.0}]
    number = Proof(rows=rows, predictions=[100.0])
    assert bundles.difference(number, Said([100.0009])) is None  # type: ignore[arg-type]
    assert "100.002" in (bundles.difference(number, Said([100.002])) or "")  # type: ignore[arg-type]
    label = Proof(rows=rows, predictions=["x"], probabilities=[[0.5, 0.5]])
    assert bundles.difference(label, Said(["x"], [[0.500009, 0.499991]])) is None  # type: ignore[arg-type]
    assert bundles.difference(label, Said(["y"], [[0.5, 0.5]]))  # type: ignore[arg-type]
    assert bundles.difference(label, Said(["x"], [[0.50002, 0.49998]]))  # type: ignore[arg-type]


def test_integer_classes_stay_integers(tmp_path: Path, product: Any) -> None:
    frame = pd.DataFrame({"a": np.linspace(0, 9, 40)})
    model = LogisticRegression().fit(frame, (frame.a > 4).astype(int))
    config = product.model("labels")
    name, checksum, engine = bundles.write(
        tmp_path / "store", config, model, manifest(task="classification", classes=[0, 1]), frame
    )
    assert engine == "onnx"
    assert Bundle.open(tmp_path / "store" / name, checksum).score([{"a": 9.0}]).predictions == [1]
