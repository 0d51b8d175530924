"""Engines are made once, secrets stay hidden, and every fault of a database says what to do."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest

from mlops import database
from mlops.database import connections
from mlops.errors import BusyError, ConfigurationError, IntegrityError, MissingInputError, UnavailableError
from mlops.processes import free_port

SECRET = "hunter2"


def test_one_engine_for_a_url(sqlite_url: str) -> None:
    assert database.engine(sqlite_url) is database.engine(sqlite_url)
    database.dispose(sqlite_url)
    assert not [key for key in connections._ENGINES if key[0] == sqlite_url]


@pytest.mark.parametrize("url", ["postgresql://u:p@h/n", "postgres://u:p@h/n", "postgresql+psycopg://u:p@h/n"])
def test_postgresql_uses_psycopg_with_the_pool_of_the_settings(url: str) -> None:
    made = database.engine(url, pool_size=3, max_connections=7)
    assert made.dialect.driver == "psycopg"
    assert (made.pool.size(), made.pool._max_overflow) == (3, 4)  # type: ignore[attr-defined]
    database.dispose()


def test_a_pool_larger_than_the_most_connections() -> None:
    made = database.engine("postgresql://h/n", pool_size=50, max_connections=2)
    assert (made.pool.size(), made.pool._max_overflow) == (2, 0)  # type: ignore[attr-defined]
    database.dispose()


def test_sqlite_has_wal_a_busy_timeout_and_foreign_keys(sqlite_url: str) -> None:
    database.migrate(sqlite_url)
    with connections.reading(sqlite_url) as connection:
        said = [connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "busy_timeout", "foreign_keys")]
    assert said == ["wal", connections.BUSY_SECONDS * 1000, 1]


def test_a_database_in_memory_lasts_as_long_as_the_process() -> None:
    database.migrate("sqlite://")
    database.add("sqlite://", "runs", {"id": "a", "started": "2026-01-01T00:00:00Z"})
    assert len(database.rows("sqlite://", "runs")) == 1
    database.dispose()


@pytest.mark.parametrize(("url", "shown"), [
    (f"postgresql://me:{SECRET}@h:1/n", "postgresql+psycopg://me:***@h:1/n"),
    (f"postgresql://h/n?password={SECRET}&sslmode=require&sslpassword={SECRET}", None),
    (f"me:{SECRET}", "(not a database URL)"),
    ("sqlite:////tmp/a.db", "sqlite:////tmp/a.db"),
])
def test_no_secret_is_shown(url: str, shown: str | None) -> None:
    text = database.hidden(url)
    assert SECRET not in text
    assert shown is None or text == shown


@pytest.mark.parametrize("url", ["", "nonsense", f"me:{SECRET}@h/n", "postgresql://h:port/n"])
def test_no_database_url(url: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a database URL") as caught:
        database.engine(url)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_database_without_driver() -> None:
    with pytest.raises(ConfigurationError, match="no driver for oracle"):
        database.engine("oracle://h/n")


def test_reading_makes_no_file(sqlite_url: str) -> None:
    with pytest.raises(MissingInputError, match="no database yet"):
        database.rows(sqlite_url, "runs")
    file = connections.sqlite_file(sqlite_url)
    assert file is not None and not file.exists() and not file.parent.exists()


def test_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(ConfigurationError, match="folder cannot be made"):
        database.migrate(f"sqlite:///{tmp_path}/state/mlops.db")


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    (tmp_path / "mlops.db").write_bytes(b"A text that is much longer than the sixteen bytes of a header. " * 40)
    with pytest.raises(IntegrityError, match="no SQLite database"):
        database.migrate(f"sqlite:///{tmp_path}/mlops.db")


def test_a_folder_in_the_place_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be written"):
        database.migrate(f"sqlite:///{tmp_path}")


def test_another_holds_the_lock(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "BUSY_SECONDS", 0.1)
    database.migrate(sqlite_url)
    file = connections.sqlite_file(sqlite_url)
    assert file is not None
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(BusyError, match="another process has been writing"):
        database.add(sqlite_url, "runs", {"id": "a", "started": "2026-01-01T00:00:00Z"})
    other.close()
    database.add(sqlite_url, "runs", {"id": "a", "started": "2026-01-01T00:00:00Z"})


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_database_can_be_read_and_not_written(sqlite_url: str) -> None:
    database.migrate(sqlite_url)
    file = connections.sqlite_file(sqlite_url)
    assert file is not None
    file.chmod(0o444)
    assert database.rows(sqlite_url, "runs") == []
    with pytest.raises(ConfigurationError, match="cannot be written"):
        database.add(sqlite_url, "runs", {"id": "a", "started": "2026-01-01T00:00:00Z"})


def test_no_server() -> None:
    url = f"postgresql://me:{SECRET}@127.0.0.1:{free_port()}/n"
    with pytest.raises(UnavailableError, match="does not answer") as caught:
        database.migrate(url)
    assert SECRET not in str(caught.value)
    database.dispose()


def test_a_child_after_a_fork_opens_its_own_connections(sqlite_url: str) -> None:
    database.migrate(sqlite_url)
    made = database.engine(sqlite_url)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        fresh = database.engine(sqlite_url) is not made and database.rows(sqlite_url, "runs") == []
        os.write(writer, b"fresh" if fresh else b"shared")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 10) == b"fresh"
    os.close(reader)
    os.close(writer)
    assert database.engine(sqlite_url) is made
