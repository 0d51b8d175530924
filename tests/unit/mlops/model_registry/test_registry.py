"""Versions, tags and aliases on MLflow's registry."""

from __future__ import annotations

import pytest

from mlops import experiment_tracker, mlflow_client, model_registry
from mlops.config import ConfigManager, Settings
from mlops.errors import IntegrityError, MissingInputError, RefusedError
from mlops.model_registry import Interface, Registered, next_version
from mlops.records import Holdout, ModelVersion


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = ConfigManager(tmp_path_factory.mktemp("registry"), {}).load_config()
    experiment_tracker.prepare(made)
    return made


def create(settings: Settings, model: str, number: int) -> Registered:
    return model_registry.create(
        settings, model, source="/somewhere", run_id="",
        tags={"mlops.identity": f"i{number}", "mlops.semantic": f"1.{number}.0"},
    )


def record(model: str, version: str, verdict: str = "first") -> ModelVersion:
    return ModelVersion(
        model=model, version=version, semantic="1.1.0", task="regression", run_id="r", data="d", data_fingerprint="f",
        holdout=Holdout(fingerprint="h", rows=3), metrics={"rmse": 1.0}, verdict=verdict,  # type: ignore[arg-type]
        bundle="b", bundle_sha256="s", engine="onnx", identity="i1",
    )


def test_a_model_that_was_never_registered(settings: Settings) -> None:
    assert model_registry.versions(settings, "nobody") == []
    assert model_registry.champion(settings, "nobody") is None
    assert model_registry.history(settings, "nobody") == {"model": "nobody", "versions": []}
    with pytest.raises(MissingInputError, match="registered are: none"):
        model_registry.resolve(settings, "nobody", "1")


def test_a_version_is_found_by_identity_and_by_either_name(settings: Settings) -> None:
    create(settings, "a", 1)
    create(settings, "a", 2)
    found = model_registry.find(settings, "a", "i2")
    assert found is not None and found.version == "2" and model_registry.find(settings, "a", "i9") is None
    assert model_registry.resolve(settings, "a", "1.2.0") == model_registry.resolve(settings, "a", "2") == found
    with pytest.raises(MissingInputError, match=r"1 \(1.1.0\), 2 \(1.2.0\)"):
        model_registry.resolve(settings, "a", "3")


def test_many_versions_are_all_seen_in_order(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlops.model_registry.registered._PAGE", 3)
    for number in range(1, 12):
        create(settings, "many", number)
    assert [each.version for each in model_registry.versions(settings, "many")] == [str(n) for n in range(1, 12)]


def test_the_champion_is_the_alias(settings: Settings) -> None:
    create(settings, "c", 1)
    create(settings, "c", 2)
    assert model_registry.champion(settings, "c") is None
    for version in ("1", "2", "1"):
        model_registry.set_champion(settings, "c", version)
        found = model_registry.champion(settings, "c")
        assert found is not None and found.version == version
        assert mlflow_client.client(settings).get_model_version_by_alias("c", "champion").version == int(version)
    model_registry.set_champion(settings, "c", None)
    assert model_registry.champion(settings, "c") is None


def test_quarantine_bars_from_the_alias(settings: Settings) -> None:
    create(settings, "q", 1)
    model_registry.quarantine(settings, "q", "1.1.0", "because")
    assert model_registry.resolve(settings, "q", "1").quarantine == "because"
    with pytest.raises(RefusedError, match="because"):
        model_registry.set_champion(settings, "q", "1")
    assert model_registry.history(settings, "q")["versions"][0]["quarantine"] == "because"
    for _ in range(2):
        model_registry.lift_quarantine(settings, "q", "1")
    model_registry.set_champion(settings, "q", "1")


def test_a_record_is_kept_with_its_version_and_for_the_platform(settings: Settings) -> None:
    from mlops import database

    create(settings, "r", 1)
    assert model_registry.resolve(settings, "r", "1").record() is None
    model_registry.keep_record(settings, record("r", "1"))
    first = database.rows(settings.database.url, "models", model="r")[0]
    model_registry.keep_record(settings, record("r", "1", "better"))
    kept = model_registry.resolve(settings, "r", "1").record()
    assert kept == record("r", "1", "better")
    row = database.rows(settings.database.url, "models", model="r")[0]
    assert (row["verdict"], row["created"], row["document"]["semantic"]) == ("better", first["created"], "1.1.0")


def test_a_version_registered_by_hand_does_no_harm(settings: Settings) -> None:
    client = mlflow_client.client(settings)
    client.create_registered_model("hand")
    client.create_model_version("hand", "/somewhere")
    listed = model_registry.history(settings, "hand")["versions"]
    assert [(each["version"], each["stage"], each["verdict"], each["metrics"]) for each in listed] == [
        ("1", "development", "", {})
    ]
    assert next_version(Interface.of(1, "r"), model_registry.versions(settings, "hand")) == "1.0.0"


def test_moves_are_written_once_and_in_order(settings: Settings) -> None:
    create(settings, "m", 1)
    steps = [("development", "production"), ("development", "production"), ("production", "archived"),
             ("archived", "production")]
    for source, target in steps:
        model_registry.record_move(settings, "m", "1", source=source, target=target, who="w", why="y", verdict="first")
    moved = model_registry.moves(settings, "m")["1"]
    assert [(each.source, each.target) for each in moved] == [steps[0], *steps[2:]]


def registered(semantic: str, interface: Interface) -> Registered:
    return Registered("m", "1", "", "", interface.tags() | {"mlops.semantic": semantic})


def test_the_bump_rule() -> None:
    first = Interface.of("a", "recipe")
    history = [registered("1.9.3", first), registered("1.10.0", first), registered("0.5.0", Interface.of("z", "z"))]
    assert next_version(first, []) == "1.0.0"
    assert next_version(first, history) == "1.10.1"
    assert next_version(Interface.of("a", "other"), history) == "1.11.0"
    assert next_version(Interface.of("b", "recipe"), history) == "2.0.0"
    with pytest.raises(IntegrityError, match="'1.x' is no semantic version"):
        next_version(first, [registered("1.x", first)])
