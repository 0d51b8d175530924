from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from app import models as models_module
from app.settings import Settings, read_settings
from mlops.errors import ConfigurationError, ReleaseError
from tests import making
from tests.conftest import Client
from tests.making import HOUSE

Store = tuple[Path, dict[str, tuple[str, str]]]


def test_a_ready_service_says_what_it_serves(client: Client, store: Store) -> None:
    answer = client.ask("GET", "/ready")
    assert answer.status_code == 200
    assert answer.json() == {"ready": True, "models": {
        name: {"version": version, "sha256": sha256, "engine": "sklearn" if name == "slow" else "onnx"}
        for name, (version, sha256) in store[1].items()
    }}
    assert client.ask("GET", "/health").json() == {"status": "ok", "slow": ["slow"]}
    assert client.metric("predict_ready") == 1
    labels = f'engine="sklearn",model="slow",sha256="{store[1]["slow"][1]}",version="1"'
    assert client.metric(f"predict_model_info{{{labels}}}") == 1


def test_without_a_list_it_lives_and_says_so() -> None:
    client = Client(Settings())
    answer = client.ask("GET", "/ready")
    assert answer.status_code == 503
    assert answer.json()["ready"] is False
    assert "MLOPS_MODELS_FILE" in answer.json()["problems"][0]
    assert client.ask("GET", "/health").status_code == 200
    assert client.ask("GET", "/v2/health/ready").status_code == 503
    assert client.ask("GET", "/ping").status_code == 503
    assert client.ask("GET", "/docs").status_code == 200
    assert client.predict([HOUSE]).status_code == 404
    assert client.metric("predict_ready") == 0


@pytest.mark.parametrize("problem", ["absent", "another checksum", "another model", "no store", "empty", "no YAML"])
def test_what_cannot_be_served_is_named_and_the_rest_is_served(tmp_path: Path, store: Store, problem: str) -> None:
    folder, models = store
    path, listed, location = tmp_path / "release.yaml", dict(models), str(folder)
    if problem == "absent":
        listed["houses"] = ("99", models["houses"][1])
    elif problem == "another checksum":
        listed["houses"] = ("3", models["lab"][1])
    elif problem == "another model":
        listed["villas"] = listed.pop("houses")
        (tmp_path / "villas").mkdir()
        for name in ("lab", "slow"):
            (tmp_path / name).symlink_to(folder / name)
        (tmp_path / "villas" / "3.bundle").symlink_to(folder / "houses" / "3.bundle")
        location = str(tmp_path)
    elif problem == "no store":
        location = ""
    making.write_list(path, {} if problem == "empty" else listed)
    if problem == "no YAML":
        path.write_text("models: {")
    client = Client(Settings(models_file=str(path), bundle_store=location))
    answer = client.ask("GET", "/ready")
    assert answer.status_code == 503 and answer.json()["problems"]
    whole = problem in ("absent", "another checksum", "another model")
    assert client.predict([{"radius": 1.0}], "lab").status_code == (200 if whole else 404)
    assert client.ask("GET", "/health").status_code == 200
    with pytest.raises(ReleaseError):
        client.app.reload()


def test_a_broken_pickle_of_the_right_checksum_takes_nobody_down(tmp_path: Path, store: Store) -> None:
    import io
    import zipfile

    from mlops import files

    folder, models = store
    buffer = io.BytesIO()
    with zipfile.ZipFile(folder / "slow" / "1.bundle") as old, zipfile.ZipFile(buffer, "w") as new:
        for info in old.infolist():
            new.writestr(info.filename, b"\x80\x05." if info.filename == "model.pkl" else old.read(info))
    (tmp_path / "slow").mkdir()
    (tmp_path / "slow" / "1.bundle").write_bytes(buffer.getvalue())
    (tmp_path / "lab").symlink_to(folder / "lab")
    path = tmp_path / "release.yaml"
    making.write_list(path, {"slow": ("1", files.sha256_bytes(buffer.getvalue())), "lab": models["lab"]})
    client = Client(Settings(models_file=str(path), bundle_store=str(tmp_path)))
    assert "slow" in client.ask("GET", "/ready").json()["problems"][0]
    assert client.predict([{"radius": 1.0}], "lab").status_code == 200


def test_no_byte_is_unpickled_before_its_checksum_matched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    making.slow(tmp_path)
    path = tmp_path / "release.yaml"
    making.write_list(path, {"slow": ("1", "sha256:" + "0" * 64)})
    monkeypatch.setattr("pickle.loads", lambda _: pytest.fail("it was unpickled"))
    client = Client(Settings(models_file=str(path), bundle_store=str(tmp_path)))
    assert "checksum" in client.ask("GET", "/ready").json()["problems"][0]


def test_a_reload_swaps_versions_and_keeps_what_did_not_change(tmp_path: Path, store: Store) -> None:
    folder, path = tmp_path / "store", tmp_path / "release.yaml"
    first, second = making.houses(folder, "3"), making.houses(folder, "4", factor=20.0)
    lab = making.lab(folder)
    making.write_list(path, {"houses": ("3", first), "lab": ("7", lab)})
    client = Client(Settings(models_file=str(path), bundle_store=str(folder)))
    before = client.app.models.table
    making.write_list(path, {"houses": ("4", second), "lab": ("7", lab)})
    assert client.app.reload()["models"]["houses"]["version"] == "4"
    assert client.predict([HOUSE]).json() | {"request_id": ""} == {
        "model": "houses", "version": "4", "predictions": [1043.0], "request_id": "",
    }
    table = client.app.models.table
    assert table.slots["lab"] is before.slots["lab"]
    # What a request took before the swap still answers as version 3.
    assert before.slots["houses"].version == "3"
    assert before.slots["houses"].bundle.score([HOUSE]).predictions == [1023.0]
    assert client.metric('predict_reloads_total{outcome="success"}') == 1


def test_a_reload_that_fails_leaves_everything_as_it_was(serve: Callable[..., Client], store: Store) -> None:
    client = serve("houses", "lab")
    before = client.app.models.table
    listed = {"lab": store[1]["lab"], "houses": ("99", store[1]["houses"][1])}
    making.write_list(Path(client.settings.models_file), listed)
    with pytest.raises(ReleaseError, match=r"99\.bundle"):
        client.app.reload()
    assert client.app.models.table is before
    assert client.ask("GET", "/ready").status_code == 200
    assert client.metric('predict_reloads_total{outcome="failure"}') == 1


def test_counters_survive_a_version_that_comes_back(tmp_path: Path) -> None:
    folder, path = tmp_path / "store", tmp_path / "release.yaml"
    versions = {"3": making.houses(folder, "3"), "4": making.houses(folder, "4")}
    making.write_list(path, {"houses": ("3", versions["3"])})
    client = Client(Settings(models_file=str(path), bundle_store=str(folder)))
    for version in ("4", "3", "4"):
        client.predict([HOUSE])
        making.write_list(path, {"houses": (version, versions[version])})
        client.app.reload()
    assert client.metric('predict_requests_total{code="200",model="houses",version="3"}') == 2
    assert client.metric('predict_requests_total{code="200",model="houses",version="4"}') == 1


def test_a_store_that_comes_back_is_found_without_a_reload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models_module, "RETRY_SECONDS", (0.01, 0.02))
    folder, path = tmp_path / "store", tmp_path / "release.yaml"
    client = Client(Settings(models_file=str(path), bundle_store=str(folder)))
    assert not client.app.models.table.ready

    async def lives() -> None:
        trying = asyncio.create_task(client.app.models.keep_trying())
        await asyncio.sleep(0.05)
        making.write_list(path, {"houses": ("3", making.houses(folder))})
        await asyncio.wait_for(trying, 10)

    asyncio.run(lives())
    assert client.predict([HOUSE]).json()["version"] == "3"


def test_the_document_describes_the_models_in_service(client: Client) -> None:
    document = client.ask("GET", "/openapi.json").json()
    assert {"/predict", "/invocations", "/ready", "/metrics", "/v2/models/{name}/infer"} <= set(document["paths"])
    schemas = document["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["schema"]["oneOf"]
    assert [each["title"] for each in schemas] == ["houses", "lab", "slow"]
    import jsonschema

    jsonschema.validate({"model": "houses", "rows": [HOUSE]}, schemas[0])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"model": "houses", "rows": [HOUSE | {"size": None}]}, schemas[0])
    assert client.predict(schemas[0]["example"]["rows"]).status_code == 200


def test_metrics_are_in_prometheus_own_format(client: Client) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    client.predict([HOUSE])
    families = {each.name: each for each in text_string_to_metric_families(client.ask("GET", "/metrics").text)}
    assert families["predict_latency_seconds"].type == "histogram"
    assert {"predict_requests", "predict_rows", "predict_ready", "process_resident_memory_bytes"} <= set(families)


def test_limits_are_read_from_the_environment() -> None:
    variables = {"MLOPS_PREDICT_MOST_ROWS": "7", "MLOPS_PREDICT_MOST_BYTES": " 9 ", "MLOPS_MODELS_FILE": "a"}
    assert read_settings(variables) == Settings(models_file="a", most_rows=7, most_bytes=9)
    for odd in ("many", "-1", "0", "1.5"):
        with pytest.raises(ConfigurationError, match="MLOPS_PREDICT_MOST_ROWS"):
            read_settings({"MLOPS_PREDICT_MOST_ROWS": odd})
