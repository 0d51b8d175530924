"""MLflow's addresses after its folder was moved, copied, lost, or shared."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from mlops.mlflow_places import follow

TABLES = """
CREATE TABLE experiments (name TEXT, artifact_location TEXT);
CREATE TABLE runs (run_uuid TEXT, artifact_uri TEXT);
CREATE TABLE logged_models (model_id TEXT, artifact_location TEXT);
CREATE TABLE model_versions (name TEXT, storage_location TEXT, source TEXT);
"""


def store(state: Path) -> Path:
    """A state folder with one model, as MLflow leaves it: the database's path."""
    artifacts = state / "artifacts"
    place = artifacts / "a model" / "models" / "m-1" / "artifacts"
    place.mkdir(parents=True)
    (place / "MLmodel").write_text("x")
    with closing(sqlite3.connect(state / "mlops.db")) as connection:
        connection.executescript(TABLES)
        root = artifacts.as_uri()
        connection.execute("INSERT INTO experiments VALUES ('Default', ?), ('a model', ?)", (
            f"{root}/0", f"{root}/a%20model"))
        connection.execute("INSERT INTO runs VALUES ('r', ?)", (f"{root}/a%20model/r/artifacts",))
        connection.execute("INSERT INTO logged_models VALUES ('m-1', ?)", (place.as_uri(),))
        connection.execute("INSERT INTO model_versions VALUES ('a model', ?, 'models:/m-1')", (place.as_uri(),))
        connection.commit()
    return state / "mlops.db"


def addresses(database: Path) -> set[str]:
    with closing(sqlite3.connect(database)) as connection:
        return {
            row[0] for table, column in (
                ("experiments", "artifact_location"), ("runs", "artifact_uri"),
                ("logged_models", "artifact_location"), ("model_versions", "storage_location"),
                ("model_versions", "source"),
            ) for row in connection.execute(f"SELECT {column} FROM {table}")
        }


@pytest.fixture
def old(tmp_path: Path) -> Path:
    (tmp_path / "old ä").mkdir()
    store(tmp_path / "old ä")
    return tmp_path / "old ä"


def all_in(database: Path, artifacts: Path) -> bool:
    return all(each == "models:/m-1" or each.startswith(f"{artifacts.as_uri()}/") for each in addresses(database))


def test_a_store_that_was_not_moved_is_left_alone(old: Path) -> None:
    before = (old / "mlops.db").read_bytes()
    assert follow(old / "mlops.db", old / "artifacts") == []
    assert (old / "mlops.db").read_bytes() == before


def test_a_moved_store_finds_its_files(old: Path, tmp_path: Path) -> None:
    old.rename(tmp_path / "new")
    new = tmp_path / "new"
    assert follow(new / "mlops.db", new / "artifacts") == [(old / "artifacts").as_uri()]
    assert all_in(new / "mlops.db", new / "artifacts")
    assert (new / "artifacts").as_uri() + "/a%20model/models/m-1/artifacts" in addresses(new / "mlops.db")
    assert follow(new / "mlops.db", new / "artifacts") == []


def test_a_copy_is_a_store_of_its_own(old: Path, tmp_path: Path) -> None:
    shutil.copytree(old, tmp_path / "copy")
    follow(tmp_path / "copy" / "mlops.db", tmp_path / "copy" / "artifacts")
    assert all_in(tmp_path / "copy" / "mlops.db", tmp_path / "copy" / "artifacts")
    assert all_in(old / "mlops.db", old / "artifacts"), "the first one stays what it was"


def test_another_folder_for_what_comes_next_moves_nothing(old: Path, tmp_path: Path) -> None:
    before = addresses(old / "mlops.db")
    (tmp_path / "elsewhere").mkdir()
    assert follow(old / "mlops.db", tmp_path / "elsewhere") == []
    assert addresses(old / "mlops.db") == before


def test_half_a_copy_is_none(old: Path, tmp_path: Path) -> None:
    shutil.copytree(old, tmp_path / "half")
    shutil.rmtree(tmp_path / "half" / "artifacts" / "a model")
    assert follow(tmp_path / "half" / "mlops.db", tmp_path / "half" / "artifacts") == []


def test_a_neighbour_whose_name_begins_alike_is_not_touched(old: Path, tmp_path: Path) -> None:
    stranger = f"{(old / 'artifacts').as_uri()}-of-another/x"
    with closing(sqlite3.connect(old / "mlops.db")) as connection:
        connection.execute("INSERT INTO runs VALUES ('s', ?)", (stranger,))
        connection.commit()
    old.rename(tmp_path / "new")
    follow(tmp_path / "new" / "mlops.db", tmp_path / "new" / "artifacts")
    assert stranger in addresses(tmp_path / "new" / "mlops.db")


def test_no_store_and_no_tables_are_nothing_to_do(tmp_path: Path) -> None:
    assert follow(tmp_path / "none.db", tmp_path) == [] and not (tmp_path / "none.db").exists()
    (tmp_path / "empty.db").touch()
    assert follow(tmp_path / "empty.db", tmp_path) == []
    (tmp_path / "bad.db").write_bytes(b"no database at all, but long enough to be looked at" * 40)
    with pytest.raises(sqlite3.DatabaseError):
        follow(tmp_path / "bad.db", tmp_path)
