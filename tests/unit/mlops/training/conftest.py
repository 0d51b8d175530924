"""A small product in a folder of its own: two data sets, two models, one store."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlops.config import ConfigManager, Settings, Workspace
from mlops.records import ColumnShape, DataVersion, Source, Split, Validation
from mlops.training import ModelConfig, read_model

TRAINER = '''
from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def price(train_data: Any, val_data: Any, test_data: Any, config: Any, tracker: Any) -> Any:
    prepare = ColumnTransformer([
        ("numbers", SimpleImputer(strategy="median"), [x for x in config.features if x != "place"]),
        ("places", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["place"]),
    ])
    trees = HistGradientBoostingRegressor(random_state=config.seed, **config.parameters)
    model = Pipeline([("prepare", prepare), ("trees", trees)])
    model.fit(train_data[config.features], train_data[config.target])
    tracker.log_curve("curve", [3.0, 2.0, 1.0])
    errors = model.predict(val_data[config.features]) - val_data[config.target]
    return model, {"rows": len(train_data)}, {"val_rmse": float(np.sqrt((errors**2).mean()))}


def label(train_data: Any, val_data: Any, test_data: Any, config: Any, tracker: Any) -> Any:
    model = Pipeline([
        ("scale", ColumnTransformer([("numbers", StandardScaler(), config.features)])),
        ("regression", LogisticRegression(**config.parameters)),
    ])
    model.fit(train_data[config.features], train_data[config.target].to_numpy().astype(str))
    return model, {}, {"val_rows": float(len(val_data))}


class Scaled(LogisticRegression):
    """A class of the product's own, which has no counterpart in ONNX."""


def own(train_data: Any, val_data: Any, test_data: Any, config: Any, tracker: Any) -> Any:
    model = Pipeline([("own", Scaled(**config.parameters))])
    model.fit(train_data[config.features], train_data[config.target].to_numpy().astype(str))
    return model, {}, {}


def broken(train_data: Any, val_data: Any, test_data: Any, config: Any, tracker: Any) -> Any:
    raise ValueError("no such parameter: depth")


def astray(train_data: Any, val_data: Any, test_data: Any, config: Any, tracker: Any) -> Any:
    model, parameters, _ = label(train_data, val_data, test_data, config, tracker)
    return model, parameters, {"loss": float("nan")}


def nothing(train_data: Any, val_data: Any, test_data: Any, config: Any, tracker: Any) -> Any:
    return None
'''
PRICES = """
name: prices
task: regression
dataset: houses
target: price
features: [rooms, age, place]
trainer: tinyproduct.trainers:price
parameters: {max_iter: 30, min_samples_leaf: 5}
seed: 7
validation: 0.2
metric: {name: rmse, direction: lower, tolerance: 0.02}
floors: {r2: 0.2}
"""
LABELS = """
name: labels
task: classification
dataset: samples
target: kind
features: [width, height]
trainer: tinyproduct.trainers:label
parameters: {C: 1.0}
seed: 7
validation: 0.2
metric: {name: log_loss, direction: lower, tolerance: 0.02}
floors: {accuracy: 0.6}
"""


@dataclass
class Product:
    """A repository with the machinery pointed at it."""

    root: Path
    places: Workspace
    settings: Settings

    def model(self, name: str) -> ModelConfig:
        return read_model(self.root, name)

    def folder(self, name: str) -> Path:
        return self.places.models / name / "work" / "default"

    def version(self, dataset: str) -> Path:
        return self.places.data / dataset / "work" / "default" / "version.json"

    def edit(self, name: str, old: str, new: str) -> ModelConfig:
        path = self.root / "model" / "configs" / f"{name}.yaml"
        content = path.read_text()
        assert old in content
        path.write_text(content.replace(old, new))
        return self.model(name)


def houses(seed: int = 1, rows: int = 400) -> pd.DataFrame:
    """A price that follows rooms, age and place; some ages are missing."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({
        "rooms": random.integers(1, 9, rows), "age": random.uniform(0, 80, rows).round(3),
        "place": random.choice(["sea", "town", "hills"], rows),
    })
    frame["price"] = 200_000 + 50_000 * frame.rooms - 900 * frame.age + 80_000 * (frame.place == "sea")
    frame["price"] += random.normal(0, 9e3, rows)
    frame.loc[random.random(rows) < 0.1, "age"] = np.nan
    return frame


def samples(seed: int = 1, rows: int = 300) -> pd.DataFrame:
    """Two kinds that mostly differ in width."""
    random = np.random.default_rng(seed)
    kind = random.random(rows) < 0.4
    return pd.DataFrame({
        "width": random.normal(0, 1, rows) + 2 * kind, "height": random.normal(5, 2, rows),
        "kind": np.where(kind, "bad", "good"),
    })


def publish(
    places: Workspace, dataset: str, frame: pd.DataFrame, target: str, *, simulated: bool = True
) -> DataVersion:
    """The frame as a data version, as the data pipeline publishes one."""
    kinds = {"f": "float", "i": "integer", "b": "boolean"}
    content = frame.to_csv().encode()
    fingerprint = hashlib.sha256(content).hexdigest()
    folder = places.data / dataset / "versions" / fingerprint[:12]
    folder.mkdir(parents=True, exist_ok=True)
    cut = int(len(frame) * 0.7)
    splits = []
    for name, part in (("train", frame[:cut]), ("test", frame[cut:])):
        path = folder / f"{name}.parquet"
        part.to_parquet(path, index=False)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        own = f"sha256:{hashlib.sha256(part.to_csv().encode()).hexdigest()}"
        splits.append(Split(name=name, file=path.name, rows=len(part), sha256=f"sha256:{digest}", fingerprint=own))
    version = DataVersion(
        dataset=dataset, version=fingerprint[:12], fingerprint=f"sha256:{fingerprint}", rows=len(frame), target=target,
        columns=[
            ColumnShape(name=name, type=kinds.get(kind.kind, "string"), nullable=bool(frame[name].isna().any()))
            for name, kind in frame.dtypes.items()
        ],
        source=Source(location="made", sha256="sha256:0", rows=len(frame), simulated=simulated), splits=splits,
        validation=Validation(
            suite="s", suite_sha256="sha256:0", success=True, evaluated=1, successful=1, engine="x"
        ),
        checks=[], quality=1.0,
    )
    for path in (folder / "version.json", places.data / dataset / "work" / "default" / "version.json"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(version.to_json())
    return version


@pytest.fixture
def product(tmp_path: Path, store: bytes) -> Iterator[Product]:
    """The small product; its MLflow tables are a copy of ones made once for all tests."""
    package = tmp_path / "tinyproduct"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "trainers.py").write_text(TRAINER)
    configs = tmp_path / "model" / "configs"
    configs.mkdir(parents=True)
    (configs / "prices.yaml").write_text(PRICES)
    (configs / "labels.yaml").write_text(LABELS)
    (tmp_path / "requirements").mkdir()
    manager = ConfigManager(tmp_path, {})
    places = manager.workspace()
    publish(places, "houses", houses(), "price")
    publish(places, "samples", samples(), "kind", simulated=False)
    places.database.write_bytes(store)
    yield Product(tmp_path, places, manager.load_config())
    for name in [name for name in sys.modules if name.partition(".")[0] == "tinyproduct"]:
        del sys.modules[name]
    sys.path[:] = [entry for entry in sys.path if entry != str(tmp_path)]


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An empty database with MLflow's tables and ours, as bytes."""
    import sqlite3

    from mlops import database, experiment_tracker

    folder = tmp_path_factory.mktemp("store")
    settings = ConfigManager(folder, {}).load_config()
    experiment_tracker.prepare(settings)
    database.migrate(settings.database.url)
    path = ConfigManager(folder, {}).workspace().database
    database.dispose(settings.database.url)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return path.read_bytes()


@pytest.fixture(name="publish")
def publish_fixture() -> object:
    """The function `publish`."""
    return publish


@pytest.fixture(name="houses")
def houses_fixture() -> object:
    """The function `houses`."""
    return houses
