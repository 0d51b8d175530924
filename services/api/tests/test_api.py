"""The JSON of the platform's state, and what operators ask for."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from tests.neighbour import Neighbour


def test_health_needs_nothing(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok"}


@pytest.mark.usefixtures("walked")
def test_ready_with_all_there(client: TestClient) -> None:
    answer = client.get("/ready")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "problems": []})


def test_ready_tells_of_an_empty_database_and_of_predict(client: TestClient, neighbour: Neighbour) -> None:
    neighbour.says(503, {"ready": False, "problems": ["no model"]})
    answer = client.get("/ready")
    assert answer.status_code == 200
    assert answer.json() == {
        "ready": True,
        "problems": ["database: The database is empty: there is no database yet.", "predict: no model"],
    }


def broken(tmp_path: Path, neighbour: Neighbour) -> TestClient:
    (tmp_path / "broken.db").write_bytes(b"This is no database, and longer than a header. " * 30)
    return TestClient(create_app(Settings(f"sqlite:///{tmp_path}/broken.db", neighbour.url)))


def test_not_ready_without_a_database(tmp_path: Path, neighbour: Neighbour) -> None:
    client = broken(tmp_path, neighbour)
    answer = client.get("/ready")
    assert answer.status_code == 503
    assert answer.json()["ready"] is False
    assert "no SQLite database" in answer.json()["problems"][0]
    assert client.get("/health").status_code == 200, "alive all the same: nobody restarts it for that"


@pytest.mark.parametrize("path", ["runs", "releases", "models", "data"])
def test_a_broken_database_is_a_503_with_its_mend(path: str, tmp_path: Path, neighbour: Neighbour) -> None:
    answer = broken(tmp_path, neighbour).get(f"/api/{path}")
    assert answer.status_code == 503
    assert "no SQLite database" in answer.json()["detail"]
    assert "restore it" in answer.json()["mend"]


@pytest.mark.parametrize("path", ["runs", "releases", "models", "data"])
def test_an_empty_database_gives_empty_lists_and_says_so(client: TestClient, path: str) -> None:
    assert client.get(f"/api/{path}").json() == {path: [], "note": "The database is empty: there is no database yet."}


@pytest.mark.usefixtures("walked")
def test_runs_the_newest_first_and_brief(client: TestClient) -> None:
    runs = client.get("/api/runs").json()["runs"]
    assert [run["id"] for run in runs] == ["bad", "good"]
    assert [step["step"] for step in runs[1]["steps"]] == ["validate", "train", "proof"]
    assert "inputs" not in runs[1]["steps"][0] and "changed" not in runs[1]
    assert [run["id"] for run in client.get("/api/runs?limit=1").json()["runs"]] == ["bad"]
    assert [run["id"] for run in client.get("/api/runs?outcome=success").json()["runs"]] == ["good"]


@pytest.mark.usefixtures("walked")
def test_one_run_whole(client: TestClient) -> None:
    run = client.get("/api/runs/good").json()
    assert len(run["receipts"][0]["inputs"]) == 3
    assert run["outcome"] == "success"


@pytest.mark.usefixtures("walked")
def test_a_release_ties_everything(client: TestClient) -> None:
    (release,) = client.get("/api/releases").json()["releases"]
    assert release == client.get("/api/releases/r7").json()
    assert release["models"]["housing"]["version"] == "3"
    assert release["outcome"] == "proven" and release["manifest"].startswith("beef")


@pytest.mark.usefixtures("walked")
def test_models_and_data_with_their_history(client: TestClient) -> None:
    model = client.get("/api/models/housing").json()
    assert [row["version"] for row in model["versions"]] == ["3"]
    assert model["moved"][0]["who"] == "a person"
    assert client.get("/api/models").json()["models"] == [model]
    dataset = client.get("/api/data/census").json()
    assert dataset["versions"][0]["validation"]["evaluated"] == 21
    assert client.get("/api/data").json()["data"] == [dataset]


@pytest.mark.usefixtures("walked")
@pytest.mark.parametrize("path", ["runs/x", "releases/x", "models/x", "data/x"])
def test_what_is_not_there(client: TestClient, path: str) -> None:
    answer = client.get(f"/api/{path}")
    assert answer.status_code == 404
    assert "'x'" in answer.json()["detail"]


@pytest.mark.parametrize("limit", ["0", "1001", "many", "-1"])
def test_a_wrong_limit_names_the_field(client: TestClient, limit: str) -> None:
    answer = client.get("/api/runs", params={"limit": limit})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", "limit"]


@pytest.mark.usefixtures("walked")
def test_services(client: TestClient) -> None:
    api, predict = client.get("/api/services").json()["services"]
    assert (api["name"], api["ready"]) == ("api", True)
    assert (predict["name"], predict["ready"], list(predict["models"])) == ("predict", True, ["housing"])


@pytest.mark.usefixtures("walked")
def test_metrics_count_routes_not_paths(client: TestClient) -> None:
    for path in ("/api/models/housing", "/api/models/other", "/nowhere/at/all"):
        client.get(path)
    client.get("/ready")
    answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    lines = answer.text.splitlines()
    assert 'mlops_api_requests_total{method="GET",route="/api/models/{name}",status="200"} 1.0' in lines
    assert 'mlops_api_requests_total{method="GET",route="/api/models/{name}",status="404"} 1.0' in lines
    assert 'mlops_api_requests_total{method="GET",route="none",status="404"} 1.0' in lines
    assert "mlops_api_database_up 1.0" in lines and "mlops_api_predict_ready 1.0" in lines
    assert "nowhere" not in answer.text


def test_the_interface_is_described(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert {"/api/runs", "/api/releases/{id}", "/ready", "/health", "/metrics"} <= set(paths)
    assert all(operation.get("description") for path in paths.values() for operation in path.values())
    assert client.get("/docs").status_code == 200


def test_nothing_can_be_changed(client: TestClient) -> None:
    for method in ("post", "put", "delete", "patch"):
        assert getattr(client, method)("/api/runs").status_code == 405


def test_settings_come_from_the_environment() -> None:
    found = Settings.from_environment({"MLOPS_DATABASE_URL": "sqlite:////x.db", "PREDICT_URL": "http://p:1/"})
    assert found == Settings("sqlite:////x.db", "http://p:1", "http://p:1")
    public = Settings.from_environment({"PREDICT_PUBLIC_URL": "https://predict.example/"})
    assert public.predict_public_url == "https://predict.example"
    assert public.predict_url == "http://127.0.0.1:8001"


def test_the_application_is_made_when_it_is_asked_for() -> None:
    from fastapi import FastAPI

    from app import main

    assert isinstance(main.app, FastAPI)
    assert main.app is main.app
