"""A database with one walk in it, a `predict` that answers on localhost, and the service's client."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from mlops import database
from tests.neighbour import SHA, Neighbour


@pytest.fixture(scope="session")
def server() -> Iterator[Neighbour]:
    made = Neighbour()
    yield made
    made.close()


@pytest.fixture
def neighbour(server: Neighbour) -> Neighbour:
    server.reset()
    return server


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/mlops.db"


@pytest.fixture
def client(url: str, neighbour: Neighbour) -> Iterator[TestClient]:
    settings = Settings(url, neighbour.url, "http://predict.example:8001")
    with TestClient(create_app(settings)) as made:
        yield made
    database.dispose()


def step(pipeline: str, name: str, subject: str = "", **more: Any) -> dict[str, Any]:
    return {
        "pipeline": pipeline, "step": name, "subject": subject, "outcome": "success", "seconds": 1.25,
        "reason": "it never ran here", "error": None, "facts": {}, "inputs": [{"name": "x", "hash": SHA}] * 3,
        "outputs": [], **more,
    }


@pytest.fixture
def walked(url: str, walk: Path) -> str:
    """A copy of `walk` for a test to read and change."""
    shutil.copy(walk, url.removeprefix("sqlite:///"))
    return url


@pytest.fixture(scope="session")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database after a good walk and, later, one that failed."""
    path = tmp_path_factory.mktemp("walk") / "mlops.db"
    url = f"sqlite:///{path}"
    database.migrate(url)
    database.add(url, "data_versions", {
        "dataset": "census", "version": "f" * 12, "created": "2026-01-31T09:00:00Z", "rows": 5000, "success": True,
        "simulated": True, "document": {
            "dataset": "census", "version": "f" * 12, "quality": 0.97, "target": "median_house_value",
            "source": {"location": "data/raw/housing.csv", "sha256": SHA, "rows": 5000, "simulated": True},
            "validation": {"suite": "census", "success": True, "evaluated": 21, "successful": 21, "engine": "gx",
                           "report": "reports/data_docs/census/index.html"},
            "checks": [{"name": "duplicates", "success": True, "severity": "block", "message": "no row stands twice"},
                       {"name": "capped", "success": False, "severity": "warn", "message": "4 % of rows are capped"}],
        },
    })
    database.add(url, "models", {
        "model": "housing", "version": "3", "created": "2026-01-31T10:00:00Z", "verdict": "better", "run_id": "9" * 32,
        "document": {
            "model": "housing", "version": "3", "task": "regression", "data": "f" * 12, "simulated": True,
            "metrics": {"rmse": 48123.4, "r2": 0.8312}, "holdout": {"fingerprint": SHA, "rows": 1000}, "engine": "onnx",
        },
    })
    database.add(url, "model_moves", {
        "model": "housing", "version": "3", "source": "none", "target": "champion", "who": "a person", "why": "better",
        "at": "2026-01-31T10:01:00Z", "verdict": "better",
    })
    database.add(url, "releases", {
        "id": "r7", "created": "2026-01-31T10:02:00Z", "kind": "release", "commit": "c0ffee" + "0" * 34,
        "outcome": "proven", "document": {
            "id": "r7", "build": 7, "environment": "development", "dirty": True, "manifest": "beef" + "0" * 36,
            "data": {"census": {"version": "f" * 12, "fingerprint": SHA, "validated": True, "expectations": 21,
                                "simulated": True}},
            "models": {"housing": {"version": "3", "run_id": "9" * 32, "sha256": SHA, "dataset": "census",
                                   "metrics": {"rmse": 48123.4}}},
            "images": {"api": {"digest": "sha256:" + "12" * 32, "build": 7}},
        },
    })
    facts = {"fingerprint": SHA, "simulated": True, "rows": 5000, "list": [1]}
    database.add(url, "runs", {
        "id": "good", "started": "2026-01-31T09:59:00Z", "outcome": "success", "event": "local", "commit": "c0ffee" * 6,
        "document": {"seconds": 71.5, "changed": {"a": SHA}, "blocked": [], "receipts": [
            step("data", "validate", "census", facts=facts),
            step("model", "train", "housing", outcome="cached", seconds=0.001),
            step("release", "proof", facts={"proof": "200 rows of housing agree"}),
        ]},
    })
    database.add(url, "runs", {
        "id": "bad", "started": "2026-02-01T09:59:00Z", "outcome": "failure", "event": "local", "commit": None,
        "document": {"seconds": 3, "blocked": [{"step": "data/process/census", "by": "data/validate/census"}],
                     "receipts": [step("data", "validate", "census", outcome="failure",
                                       error="<b>the suite</b> found 3 bad rows\n  mend: correct them")]},
    })
    return path
