"""MLflow's tables: made wholly or not at all, beside ours, in either order."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from mlops import database, experiment_tracker, mlflow_client
from mlops.config import ConfigManager, Settings
from mlops.errors import ConfigurationError, IntegrityError, UnavailableError
from mlops.experiment_tracker import stores


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's tables in a file of their own, made once for these tests."""
    path = tmp_path_factory.mktemp("template") / "fresh.db"
    stores._store(path, str(path.parent / "artifacts"))
    return path


@pytest.fixture
def settings(tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    def from_template(path: Path, artifacts: str) -> None:
        path.write_bytes(template.read_bytes())

    monkeypatch.setattr(stores, "_store", from_template)
    return ConfigManager(tmp_path, {}).load_config()


def file(settings: Settings) -> Path:
    path = stores.sqlite_path(settings.database.url)
    assert path is not None
    return path


def tables(settings: Settings) -> set[str]:
    with closing(sqlite3.connect(file(settings))) as connection:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def works(settings: Settings) -> None:
    """Both sides can write, and neither has lost a table."""
    client = mlflow_client.client(settings)
    assert client.create_run(client.create_experiment("e")).info.run_id
    database.add(settings.database.url, "runs", {"id": "1", "started": "2026-01-01T00:00:00+00:00"})
    assert {"experiments", "registered_models", "alembic_version", "mlops_runs"} <= tables(settings)
    with closing(sqlite3.connect(file(settings))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("order", ["mlflow first", "ours first"])
def test_two_owners_of_one_database_in_either_order_and_twice(settings: Settings, order: str) -> None:
    steps = [lambda: experiment_tracker.prepare(settings), lambda: database.migrate(settings.database.url)]
    for step in [*(steps if order == "mlflow first" else steps[::-1]), *steps]:
        step()
    works(settings)


def test_the_copied_tables_are_mlflows_own(settings: Settings, template: Path) -> None:
    experiment_tracker.prepare(settings)
    query = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"
    with closing(sqlite3.connect(file(settings))) as made, closing(sqlite3.connect(template)) as own:
        assert made.execute(query).fetchall() == own.execute(query).fetchall()
        rows = "SELECT * FROM experiments"
        assert made.execute(rows).fetchall() == own.execute(rows).fetchall() != []


def test_killed_in_the_middle_leaves_nothing_and_works_again(tmp_path: Path, template: Path) -> None:
    """A process that dies by SIGKILL between two tables."""
    code = f"""
import os, signal, pathlib
from mlops import database
from mlops.config import ConfigManager
from mlops.experiment_tracker import prepare, stores
settings = ConfigManager(pathlib.Path({str(tmp_path)!r}), {{}}).load_config()
database.migrate(settings.database.url)
stores._store = lambda path, artifacts: path.write_bytes(pathlib.Path({str(template)!r}).read_bytes())
real, seen = stores._copy_rows, []
def kill(connection, table):
    seen.append(table)
    if len(seen) == 20:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(connection, table)
stores._copy_rows = kill
prepare(settings)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == -9, done.stderr.decode()
    settings = ConfigManager(tmp_path, {}).load_config()
    assert "mlops_runs" in tables(settings) and "experiments" not in tables(settings)
    experiment_tracker.prepare(settings)
    assert not list(file(settings).parent.glob("*.part")) + list(file(settings).parent.glob(".*.part"))
    works(settings)


def test_an_older_mlflows_tables_are_upgraded_and_the_old_ones_kept(settings: Settings) -> None:
    experiment_tracker.prepare(settings)
    database.migrate(settings.database.url)
    older = _downgrade(file(settings))
    with closing(sqlite3.connect(file(settings))) as connection:
        connection.execute("INSERT INTO registered_models (name, workspace) VALUES ('kept', 'default')")
        connection.commit()
    experiment_tracker.prepare(settings)
    assert mlflow_client.client(settings).get_registered_model("kept").name == "kept"
    works(settings)
    kept = file(settings).with_name(f"{file(settings).name}.before-{older}")
    with closing(sqlite3.connect(kept)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (older,)


def _downgrade(path: Path) -> str:
    """Replace MLflow's tables by those of the migration before the last; returns its name."""
    from alembic import command
    from alembic.script import ScriptDirectory
    from mlflow.store.db import utils
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    older_file = path.with_name("older.db")
    engine = create_engine(f"sqlite:///{older_file}", poolclass=NullPool)
    utils.InitialBase.metadata.create_all(engine)
    config = utils._get_alembic_config(f"sqlite:///{older_file}")
    script = ScriptDirectory.from_config(config)
    head = script.get_revision(script.get_current_head())
    assert head is not None and isinstance(head.down_revision, str)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, head.down_revision)
    path.unlink()
    for tail in ("-wal", "-shm"):
        path.with_name(path.name + tail).unlink(missing_ok=True)
    older_file.rename(path)
    with closing(sqlite3.connect(path)) as plain:
        plain.execute(
            "INSERT OR IGNORE INTO experiments (experiment_id, name, lifecycle_stage) VALUES (0, 'Default', 'active')"
        )
        plain.commit()
    database.dispose()
    database.migrate(f"sqlite:///{path}")
    return head.down_revision


def test_tables_that_collide_are_named(settings: Settings) -> None:
    file(settings).parent.mkdir()
    with closing(sqlite3.connect(file(settings))) as connection:
        connection.execute("CREATE TABLE metrics (mine TEXT)")
    with pytest.raises(ConfigurationError, match=r"(?s)collide.*metrics.*MLFLOW_TRACKING_URI"):
        experiment_tracker.prepare(settings)
    assert tables(settings) == {"metrics"}


def test_a_file_that_is_no_database_is_named(settings: Settings) -> None:
    file(settings).parent.mkdir()
    file(settings).write_text("not a database, " * 100)
    with pytest.raises(IntegrityError, match="no SQLite database"):
        experiment_tracker.prepare(settings)
    assert not [path for path in file(settings).parent.iterdir() if path.suffix == ".part"]


def test_a_folder_that_is_a_file_is_named(settings: Settings) -> None:
    file(settings).parent.write_text("in the way")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        experiment_tracker.prepare(settings)


def test_a_database_in_memory_is_refused(settings: Settings) -> None:
    settings.model_registry.tracking_uri = "sqlite:///:memory:"
    with pytest.raises(ConfigurationError, match="gone when the command ends"):
        experiment_tracker.prepare(settings)


def test_a_server_that_is_down_is_said_soon(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlops.processes import free_port

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    settings.model_registry.tracking_uri = f"http://someone:secret@127.0.0.1:{free_port()}"
    with pytest.raises(UnavailableError, match="does not answer") as caught:
        experiment_tracker.prepare(settings)
    assert caught.value.where is not None and "secret" not in caught.value.where
