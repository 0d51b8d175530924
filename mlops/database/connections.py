"""Engines: one for each URL, with the settings that SQLite and PostgreSQL need, and errors that help.

SQLite runs in WAL mode, so that readers never wait for a writer, with a busy timeout for two
writers (https://sqlite.org/wal.html). The driver's own way of beginning transactions is switched
off as SQLAlchemy's documentation advises ("Enabling Non-Legacy SQLite Transactional Modes"):
only so are schema changes part of a transaction, and a killed process leaves none half done.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.errors import (
    BusyError,
    ConfigurationError,
    IntegrityError,
    MissingInputError,
    MlopsError,
    TerminalError,
    UnavailableError,
)

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

BUSY_SECONDS = 30
CONNECT_SECONDS = 5
WRITE = "mlops_write"
"""Execution option of a connection that will write: on SQLite its transaction takes the lock at once."""

_SECRET = re.compile(r"password|passwd|secret|token|key$", re.IGNORECASE)
_ENGINES: dict[tuple[str, int, int], Engine] = {}


def engine(url: str, *, pool_size: int = 5, max_connections: int = 20) -> Engine:
    """The SQLAlchemy engine for `url`, made once for each process.

    SQLite has no pool: a connection costs a fraction of a millisecond, and one that stays open would
    survive a fork or outlive its file. A server has `pool_size` connections ready and opens up to
    `max_connections`.

    Args:
        url: SQLAlchemy's database URL; `postgres://` and `postgresql://` use the driver psycopg.
        pool_size: Connections kept open to a server.
        max_connections: The most connections open at once to a server.

    Raises:
        ConfigurationError: not a database URL, or no driver for it is installed.
    """
    key = (url, pool_size, max_connections)
    if key not in _ENGINES:
        _ENGINES[key] = _new_engine(url, pool_size, max_connections)
    return _ENGINES[key]


def dispose(url: str | None = None) -> None:
    """Close the pooled connections to `url`, or all; the next use opens new ones."""
    for key in [key for key in _ENGINES if url is None or key[0] == url]:
        _ENGINES.pop(key).dispose()


def hidden(url: str) -> str:
    """`url` safe to print: the password, and options that hold a secret, as `***`."""
    try:
        parsed = _parse(url)
    except ConfigurationError:
        return "(not a database URL)"
    query = {name: "***" if _SECRET.search(name) else value for name, value in parsed.query.items()}
    return parsed.set(query=query).render_as_string(hide_password=True).replace("%2A%2A%2A", "***")


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite URL; None for a server, or for a database in memory."""
    parsed = _parse(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return None
    return None if str(parsed.database).startswith("file:") else Path(str(parsed.database))


@contextmanager
def reading(url: str) -> Iterator[Connection]:
    """A connection to read from; never makes a SQLite file that is not there.

    Raises:
        MissingInputError: there is no such database, or it has no tables yet.
        MlopsError: see `explained`.
    """
    file = sqlite_file(url)
    if file is not None and not file.is_file():
        raise MissingInputError("there is no database yet", where=file, mend=MIGRATE)
    with explained(url), engine(url).connect() as connection:
        yield connection


@contextmanager
def writing(url: str) -> Iterator[Connection]:
    """A connection in one transaction that is committed when the block ends well.

    Raises:
        MlopsError: see `explained`.
    """
    file = sqlite_file(url)
    if file is not None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f"its folder cannot be made: {error.strerror or error}", where=file, mend=WRITABLE
            ) from error
    with explained(url), engine(url).execution_options(**{WRITE: True}).begin() as connection:
        yield connection


MIGRATE = "run `mlops database migrate`, or `mlops run`, which does it"
WRITABLE = "make the file and its folder writable and leave room on the disk, then run the same command again"
CHECK_SERVER = "check MLOPS_DATABASE_URL, and that the server runs and accepts you"


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Turn the driver's errors in the block into ours.

    Raises:
        MissingInputError: the tables are not there.
        ConfigurationError: the file or its folder cannot be written.
        BusyError: another process has held SQLite's lock for longer than the busy timeout.
        IntegrityError: the file is no SQLite database, or it is damaged.
        UnavailableError: the server does not answer, or refuses the connection.
        TerminalError: the database refused the statement.
    """
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.exc import TimeoutError as PoolTimeoutError

    try:
        yield
    except DBAPIError as error:
        raise _explain(error, url) from error
    except PoolTimeoutError as error:
        message = "all connections are in use"
        raise UnavailableError(message, where=hidden(url), mend="raise database.max_connections") from error


_SAID: list[tuple[str, type[MlopsError], str, str]] = [
    (r"no such table|UndefinedTable", MissingInputError, "has no tables yet", MIGRATE),
    (r"no such column|UndefinedColumn", MissingInputError, "has tables of an older version", MIGRATE),
    (r"is locked", BusyError, f"another process has been writing for {BUSY_SECONDS} s",
     "wait until it has ended, then run the same command again"),
    (r"unable to open|readonly database|is full|disk I/O error", ConfigurationError, "cannot be written",
     WRITABLE),
    (r"not a database|malformed", IntegrityError, "is damaged, or is no SQLite database",
     "move the file away, or restore it from a backup; `mlops run` makes a new one"),
]


def _explain(error: Any, url: str) -> MlopsError:
    said = f"{type(error.orig).__name__}: {error.orig}"
    where = sqlite_file(url) or hidden(url)
    for pattern, kind, message, mend in _SAID:
        if re.search(pattern, said):
            return kind(f"{message} ({_first_line(error.orig)})", where=where, mend=mend)
    if type(error).__name__ in ("OperationalError", "InterfaceError"):
        message = f"the database does not answer: {_first_line(error.orig)}"
        return UnavailableError(message, where=where, mend=CHECK_SERVER)
    return TerminalError(f"the database refused: {_first_line(error.orig)}", where=where)


def _first_line(said: object) -> str:
    return str(said).strip().partition("\n")[0]


def _parse(url: str) -> URL:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # its text may hold the password: neither shown nor chained
        raise ConfigurationError(
            "is not a database URL", where="database.url (MLOPS_DATABASE_URL)",
            mend="write sqlite:///path/to/file.db or postgresql://user:password@host/name",
        ) from None
    if parsed.drivername in ("postgres", "postgresql"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    return parsed


def _new_engine(url: str, pool_size: int, max_connections: int) -> Engine:
    import msgspec
    from sqlalchemy import create_engine, event
    from sqlalchemy.exc import NoSuchModuleError
    from sqlalchemy.pool import NullPool, StaticPool

    parsed = _parse(url)
    options: dict[str, Any] = {
        "json_serializer": _to_json, "json_deserializer": msgspec.json.decode,
    }
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        options["poolclass"] = NullPool if sqlite_file(url) else StaticPool
        options["connect_args"] = {"timeout": BUSY_SECONDS, "check_same_thread": False}
    else:
        size = max(1, min(pool_size, max_connections))
        options |= {
            "pool_size": size, "max_overflow": max(0, max_connections - size), "pool_pre_ping": True,
            "pool_timeout": BUSY_SECONDS,
        }
        if backend == "postgresql":
            options["connect_args"] = {"connect_timeout": CONNECT_SECONDS, "application_name": "mlops"}
    try:
        made = create_engine(parsed, **options)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise ConfigurationError(
            f"no driver for {parsed.drivername} is installed", where="database.url (MLOPS_DATABASE_URL)",
            mend="use sqlite or postgresql, or install the driver that SQLAlchemy names for this database",
        ) from error
    if backend == "sqlite":
        event.listen(made, "connect", _prepare_sqlite)
        event.listen(made, "begin", _begin_sqlite)
    return made


def _to_json(value: Any) -> str:
    import msgspec

    return msgspec.json.encode(value).decode()  # records too; a number that JSON cannot hold becomes null


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    import sqlite3

    connection.isolation_level = None  # we begin transactions ourselves
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    try:
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = NORMAL")
    except sqlite3.OperationalError as error:
        # A database on a read-only disk can still be read; a broken one shows itself at its first statement.
        if "readonly" not in str(error):
            raise
    cursor.close()


def _begin_sqlite(connection: Any) -> None:
    # A transaction that reads first and writes later fails at once when another has written meanwhile;
    # one that takes the lock at its beginning waits for it.
    write = connection.get_execution_options().get(WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _forget() -> None:
    for made in _ENGINES.values():
        made.dispose(close=False)  # the parent still uses these connections
    _ENGINES.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
