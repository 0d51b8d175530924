"""The one door to MLflow: imported once, late, quietly, and without calls to the outside.

Importing MLflow and opening its SQL store cost about two seconds of a process: whoever needs it
takes it from here, after everything cheap has been checked.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from mlops import mlflow_places
from mlops.config import Settings
from mlops.errors import (
    BusyError,
    ConfigurationError,
    IntegrityError,
    MissingInputError,
    MlopsError,
    TerminalError,
    UnavailableError,
)

_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    # A tracking server that is down is said within seconds; MLflow's own default keeps on for minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}
# Its warnings are about choices made on purpose (cloudpickle, see `experiment_tracker.runs`) or tables being made.
_LOUD = ("mlflow", "alembic", "mlflow.sklearn", "mlflow.store.db.utils", "mlflow.tracking._tracking_service.client")


def load() -> Any:
    """The module `mlflow`, without telemetry, progress bars and chatter."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    import mlflow

    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.ERROR)
    return mlflow


def client(settings: Settings) -> Any:
    """MLflow's client for the tracking and registry address of the settings, opened once a process.

    Artifacts that were moved with their database are found where they are now, see `mlflow_places`.

    Raises:
        MlopsError: the store cannot be opened, see `explained`.
    """
    uri = settings.model_registry.tracking_uri
    with explained(uri):
        return _client(uri, settings.model_registry.tracking_dir)


@cache
def _client(uri: str, artifacts: str) -> Any:
    if uri.startswith("sqlite:///"):
        mlflow_places.follow(Path(uri.removeprefix("sqlite:///").partition("?")[0]), Path(artifacts))
    mlflow = load()
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    return mlflow.MlflowClient(uri, uri)


def fluent(settings: Settings) -> Any:
    """The module `mlflow` with its process-wide address set to that of the settings."""
    client(settings)
    mlflow = load()
    uri = settings.model_registry.tracking_uri
    mlflow.set_tracking_uri(uri)
    mlflow.set_registry_uri(uri)
    return mlflow


def shown(uri: str) -> str:
    """The address without its password."""
    head, separator, tail = uri.partition("://")
    login, at, rest = tail.rpartition("@")
    return f"{head}{separator}{login.partition(':')[0]}:***@{rest}" if at and ":" in login else uri


@contextmanager
def explained(uri: str) -> Iterator[None]:
    """Turn errors of MLflow and of its database in the block into ours.

    Raises:
        BusyError: another process holds the database for too long.
        ConfigurationError: the database or the artifacts' folder cannot be written, or the tables are of
            another version of MLflow.
        IntegrityError: the file is no database.
        MissingInputError: what was asked for is not there.
        UnavailableError: a server does not answer.
    """
    try:
        yield
    except MlopsError:
        raise
    except Exception as error:
        found = _explain(error, uri)
        if found is None:
            raise
        raise found from error


_SAID: list[tuple[str, type[MlopsError], str, str]] = [
    ("database is locked", BusyError, "another process has been writing for too long",
     "wait until it has ended, then run the same command again"),
    ("out-of-date database schema", ConfigurationError, "its tables were made by another version of MLflow",
     "run `mlops run`, which upgrades an older store; for a newer one use the version of the lock file that made it"),
    ("Can't locate revision", ConfigurationError, "its tables were made by a newer version of MLflow",
     "use the version of MLflow that made them, or another address (MLFLOW_TRACKING_URI)"),
    ("readonly database", ConfigurationError, "cannot be written", "make the file and its folder writable"),
    ("unable to open database", ConfigurationError, "cannot be opened", "make the file and its folder writable"),
    ("disk is full", ConfigurationError, "the disk is full", "make room, then run the same command again"),
    ("not a database", IntegrityError, "is no SQLite database",
     "move the file away; `mlops run` makes a new one"),
    ("malformed", IntegrityError, "is a damaged database", "restore it, or move it away: `mlops run` makes a new one"),
]


def _explain(error: Exception, uri: str) -> MlopsError | None:
    said, module = str(error), type(error).__module__.partition(".")[0]
    first = said.strip().partition("\n")[0][:300]
    where = shown(uri)
    if module in ("mlflow", "sqlalchemy", "sqlite3", "psycopg", "requests", "urllib3"):
        for pattern, kind, message, mend in _SAID:
            if pattern in said:
                return kind(f"MLflow's store {message}", where=where, mend=mend)
        if getattr(error, "error_code", "") == "RESOURCE_DOES_NOT_EXIST":
            return MissingInputError(f"MLflow does not know it: {first}", where=where)
        if "API request to" in said or "Connection" in said or module in ("psycopg", "requests", "urllib3"):
            return UnavailableError(
                f"the MLflow server does not answer: {first}", where=where,
                mend="check MLFLOW_TRACKING_URI, and that the server runs",
            )
        return TerminalError(f"MLflow refused: {type(error).__name__}: {first}", where=where)
    if isinstance(error, OSError):
        return ConfigurationError(
            f"MLflow cannot write: {error.strerror or error}", where=error.filename or where,
            mend="make the folder writable and leave room on the disk, then run the same command again",
        )
    return None
