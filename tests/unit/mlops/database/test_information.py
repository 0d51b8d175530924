"""`test_connection` and `get_connection_info`, as the troubleshooting page of the guide calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops import database
from mlops.errors import ConfigurationError, UnavailableError
from mlops.processes import free_port

SECRET = "hunter2"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLOPS_DATABASE_URL", "MLOPS_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / ".git").mkdir()
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")


def test_it_answers_for_the_repository_that_one_stands_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert database.test_connection() is True
    said = capsys.readouterr().out
    assert str(tmp_path / ".mlops" / "mlops.db") in said and "tables not made yet" in said
    database.migrate(f"sqlite:///{tmp_path}/.mlops/mlops.db")
    database.test_connection()
    assert "tables up to date" in capsys.readouterr().out


def test_a_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("MLOPS_DATABASE_URL", f"postgresql://me:{SECRET}@127.0.0.1:{free_port()}/n")
    with pytest.raises(UnavailableError) as caught:
        database.test_connection()
    assert SECRET not in str(caught.value) + capsys.readouterr().out


@pytest.mark.engine
def test_a_server_that_answers(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLOPS_DATABASE_URL", postgres_url)
    assert database.test_connection() is True
    assert "answers in" in capsys.readouterr().out
    assert "connections in pool: 1" in database.get_connection_info()["status"].lower()


def test_the_information_holds_no_secret_and_is_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_DATABASE_URL", f"postgresql://me:{SECRET}@db.example/n")
    found = database.get_connection_info()
    assert SECRET not in json.dumps(found)
    assert found["url"] == "postgresql+psycopg://me:***@db.example/n"
    assert {"dialect": "postgresql", "driver": "psycopg", "host": "db.example", "database": "n", "pool_size": 5,
            "max_connections": 20}.items() <= found.items()


def test_an_address_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLOPS_DATABASE_URL", "nowhere")
    with pytest.raises(ConfigurationError, match="is not a database URL"):
        database.get_connection_info()
