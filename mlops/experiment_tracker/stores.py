"""MLflow's tables, made once, wholly or not at all, beside ours or alone, in either order.

MLflow makes its tables by some forty migrations, which on SQLite are no transaction: a process killed
in the middle leaves tables that no later start can repair. So they are made in a file of their own,
and then copied into the database in one transaction.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import Any

from mlops import files, mlflow_client
from mlops.config import Settings
from mlops.errors import ConfigurationError

_LOCK_SECONDS = 120.0
_BUSY_SECONDS = 30.0


def prepare(settings: Settings) -> None:
    """Make MLflow's tracking and registry tables on the settings' address, or upgrade them.

    Nothing to do is found without importing MLflow where the database is SQLite and its tables are
    there; their version is checked when the store is opened. A SQLite database of an older MLflow is
    upgraded in a copy, and kept beside as `NAME.before-REVISION`.

    Raises:
        ConfigurationError: the database cannot be written, or a newer MLflow has made its tables.
        IntegrityError: the file is no SQLite database.
        UnavailableError: a server does not answer.
    """
    uri = settings.model_registry.tracking_uri
    path = sqlite_path(uri)
    if path is None:  # a server: PostgreSQL migrates in a transaction, an MLflow server has its own tables
        with mlflow_client.explained(uri):
            mlflow_client.client(settings).search_experiments(max_results=1)
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise files.unwritable(path, error) from error
    with files.lock(path.with_name(f".{path.name}.lock"), timeout=_LOCK_SECONDS, what="another preparation"):
        for left in path.parent.glob(f".{path.name}.*.part*"):  # by a command that was killed; we hold the lock
            left.unlink(missing_ok=True)
        with mlflow_client.explained(uri):
            if _revision(path) is None:
                _build(path, settings.model_registry.tracking_dir)
            else:
                _upgrade(path)


def sqlite_path(uri: str) -> Path | None:
    """The file of a `sqlite:///…` address, None for a server.

    Raises:
        ConfigurationError: a database in memory, which no second process could read.
    """
    if not uri.startswith("sqlite:"):
        return None
    path = uri.partition("///")[2].partition("?")[0]
    if not path or path == ":memory:":
        raise ConfigurationError(
            "a database in memory is gone when the command ends", where="model_registry.tracking_uri",
            mend="write sqlite:///path/to/file.db",
        )
    return Path(path)


def _revision(path: Path) -> str | None:
    """The version of MLflow's tables, None where there are none; the file is not made by looking."""
    if not path.exists() or path.stat().st_size == 0:
        return None
    with closing(sqlite3.connect(path, timeout=_BUSY_SECONDS)) as connection:
        named = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        if named is None:
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(row[0]) if row else None


def _build(path: Path, artifacts: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    fresh = Path(name)
    try:
        _store(fresh, artifacts)
        _copy_tables(fresh, path)
    finally:
        _remove(fresh)


def _store(path: Path, artifacts: str) -> None:
    """Open MLflow's own store on the file, which makes all tables in an empty one."""
    mlflow_client.load()
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    store: Any = SqlAlchemyStore(f"sqlite:///{path}", Path(artifacts).resolve().as_uri())
    store.engine.dispose()


def _copy_tables(source: Path, target: Path) -> None:
    """All tables, rows and indexes of `source` into `target`, in one transaction."""
    with closing(sqlite3.connect(target, timeout=_BUSY_SECONDS, isolation_level=None)) as connection:
        connection.execute("ATTACH DATABASE ? AS fresh", (str(source),))
        connection.execute("BEGIN IMMEDIATE")
        statements = connection.execute(
            "SELECT type, name, sql FROM fresh.sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' "
            "ORDER BY CASE type WHEN 'table' THEN 0 WHEN 'index' THEN 1 ELSE 2 END"
        ).fetchall()
        try:
            for kind, name, statement in statements:
                connection.execute(statement)
                if kind == "table":
                    connection.execute(_copy_rows(connection, name))
        except sqlite3.OperationalError as error:
            connection.execute("ROLLBACK")
            raise ConfigurationError(
                f"holds tables that collide with MLflow's: {error}", where=target,
                mend="give MLflow a database of its own: MLFLOW_TRACKING_URI=sqlite:///path/to/mlflow.db",
            ) from error
        connection.execute("COMMIT")


def _copy_rows(connection: sqlite3.Connection, table: str) -> str:
    """The statement that copies a table's rows; `table_info` leaves out generated columns, which take no value."""
    listed = connection.execute(f"PRAGMA fresh.table_info({_quoted(table)})").fetchall()
    columns = ", ".join(_quoted(row[1]) for row in listed)
    return f"INSERT INTO main.{_quoted(table)} ({columns}) SELECT {columns} FROM fresh.{_quoted(table)}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _upgrade(path: Path) -> None:
    """Bring the tables of an older MLflow to the installed one's version; nothing where they are.

    The upgraded copy replaces the content by SQLite's own backup, which is one transaction.
    """
    mlflow_client.load()
    from mlflow.store.db import utils
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    found = _revision(path)
    if found == utils._get_latest_schema_revision():  # what MLflow's store itself compares with
        return
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    copy, kept = Path(name), path.with_name(f"{path.name}.before-{found}")
    try:
        _backup(path, copy)
        os.replace(copy, kept)
        _backup(kept, copy)
        utils._upgrade_db(create_engine(f"sqlite:///{copy}", poolclass=NullPool))
        _backup(copy, path)
    finally:
        _remove(copy)


def _backup(source: Path, target: Path) -> None:
    with closing(sqlite3.connect(source, timeout=_BUSY_SECONDS)) as readable:
        with closing(sqlite3.connect(target, timeout=_BUSY_SECONDS)) as writable:
            readable.backup(writable)


def _remove(path: Path) -> None:
    for name in (path, Path(f"{path}-wal"), Path(f"{path}-shm"), Path(f"{path}-journal")):
        name.unlink(missing_ok=True)
