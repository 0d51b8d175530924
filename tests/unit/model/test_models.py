"""The product's own two models, on rows in the shape of their data; of `data/` nothing is read."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlops.serving import Bundle, BundleManifest, Input
from mlops.training import ModelConfig, bundles, read_model
from mlops.training.answers import ask
from mlops.training.frames import divide
from mlops.training.metrics import evaluate
from mlops.training.trainers import call

ROOT = Path(__file__).parents[3]


class Notes:
    """Takes what a training function writes."""

    def __init__(self) -> None:
        self.curves: dict[str, list[float]] = {}

    def log_curve(self, name: str, values: list[float]) -> None:
        self.curves[name] = values


def train(name: str, frame: pd.DataFrame) -> tuple[ModelConfig, Any, pd.DataFrame, Notes]:
    from mlops import product

    config, notes = read_model(ROOT, name), Notes()
    rest, test = divide(frame, 0.2, seed=1)
    train_data, val_data = divide(rest, config.validation, config.seed)
    trainer = product.load(config.trainer, where="test", repository=ROOT)
    model, parameters, metrics = call(trainer, (train_data, val_data, test, config, notes), config)
    assert parameters and metrics
    return config, model, test, notes


def housing(path: Path) -> pd.DataFrame:
    return pd.read_csv(path).astype({"ocean_proximity": object})


def houses(rows: int = 4000) -> pd.DataFrame:
    """Block groups as the census has them: dear where people earn much and the sea is near, with gaps and noise."""
    draw = np.random.default_rng(1990)
    longitude, income = draw.uniform(-124, -114, rows), draw.lognormal(1.2, 0.45, rows)
    households = draw.integers(50, 1500, rows).astype(float)
    near = longitude < -120
    value = 45_000 * income + 70_000 * near - 4_000 * np.abs(longitude + 119) + draw.normal(0, 20_000, rows)
    frame = pd.DataFrame({
        "longitude": longitude, "latitude": draw.uniform(32, 42, rows), "median_income": income,
        "housing_median_age": draw.integers(1, 53, rows).astype(float), "households": households,
        "total_rooms": np.round(households * draw.uniform(4, 7, rows)),
        "total_bedrooms": np.where(draw.random(rows) < 0.01, np.nan, np.round(1.1 * households)),
        "population": np.round(households * draw.uniform(2, 4, rows)),
        "ocean_proximity": np.where(near, draw.choice(["NEAR BAY", "NEAR OCEAN"], rows), "INLAND").astype(object),
        "median_house_value": np.clip(value, 15_000, 500_001),
    })
    return frame.astype({"ocean_proximity": object})


def lab() -> pd.DataFrame:
    from sklearn.datasets import load_breast_cancer  # and not data.src: a model knows data as a published version

    bunch = load_breast_cancer(as_frame=True)
    frame = bunch.data.rename(columns=lambda name: name.replace(" ", "_"))
    return frame.assign(diagnosis=bunch.target_names[bunch.target].astype(object))


def served(config: ModelConfig, model: Any, test: pd.DataFrame, store: Path) -> Bundle:
    manifest = BundleManifest(
        model=config.name, version="1", run_id="r", task=config.task, engine="onnx",
        inputs=[
            Input(
                name=name, type="string" if test[name].dtype == object else "float",
                nullable=name == "total_bedrooms",
            )
            for name in config.features
        ],
        classes=model.classes_.tolist() if config.task == "classification" else [],
    )
    name, checksum, _ = bundles.write(store, config, model, manifest, test[config.features])
    return Bundle.open(store / name, checksum)


@pytest.mark.parametrize("name", ["housing", "lab"])
def test_every_model_trains_reaches_its_floors_and_is_served_by_onnx(name: str, tmp_path: Path) -> None:
    frame = houses() if name == "housing" else lab()
    config, model, test, _ = train(name, frame)
    found = evaluate(config.task, ask(model, test[config.features], test[config.target], config.task, name))
    for metric, floor in config.floors.items():
        assert found[metric] > floor
    bundle = served(config, model, test, tmp_path)
    assert bundle.manifest.engine == "onnx" and bundle.manifest.engine_reason == ""
    assert len(bundle.manifest.tensors) == (2 if name == "housing" else 1)  # the numbers come in as one matrix


@pytest.mark.parametrize("name", ["housing", "lab"])
def test_training_twice_gives_the_same_model(name: str) -> None:
    frame = houses(1000) if name == "housing" else lab()
    answers = []
    for _ in range(2):
        config, model, test, _ = train(name, frame)
        answers.append(model.predict(test[config.features]))
    assert np.array_equal(*answers)


def test_housing_stops_when_the_validation_rows_gain_no_more() -> None:
    config, model, _, notes = train("housing", houses())
    curve = notes.curves["validation_rmse"]
    assert len(curve) == model[-1].n_iter_ + 1 <= config.parameters["max_iter"] + 1
    assert min(curve) < 0.7 * curve[0]


def test_housing_trains_without_validation_rows_and_with_a_column_of_gaps_only() -> None:
    from model.src.housing import train as fit

    frame = houses(300)
    frame["total_bedrooms"] = np.nan
    model, parameters, metrics = fit(frame, frame.head(0), frame, read_model(ROOT, "housing"), Notes())
    assert parameters["trees"] == 200 and set(metrics) == {"train_rmse"}
    assert np.isfinite(model.predict(frame.head(3))).all()


@pytest.mark.skipif("MLOPS_REAL_DATA" not in os.environ, reason="MLOPS_REAL_DATA names no census file")
def test_the_real_census_file(tmp_path: Path) -> None:
    config, model, test, _ = train("housing", housing(Path(os.environ["MLOPS_REAL_DATA"])))
    found = evaluate(config.task, ask(model, test[config.features], test[config.target], config.task, "housing"))
    assert found["r2"] > 0.8
    bundle = served(config, model, test, tmp_path)
    assert bundle.manifest.engine == "onnx"
    proof = bundles.prove(model, test[config.features], bundle.manifest.inputs, False)  # all held-out rows
    assert bundles.difference(proof, bundle) is None
