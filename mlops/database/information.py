"""Is the database there, and how do we connect to it: for people who look for a fault."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from mlops.config import ConfigManager, DatabaseSettings
from mlops.database.connections import engine, hidden, writing
from mlops.database.schema import HEAD, revision
from mlops.errors import MlopsError
from mlops.git import repository


def test_connection() -> bool:
    """Connect to the database of the settings and ask it something; prints one line and returns True.

    A SQLite file that is not there yet is no fault: its folder is tried instead.

    Raises:
        ConfigurationError: the address is none, no driver for it is installed, or the file cannot be written.
        UnavailableError: the server does not answer, or refuses the connection.
        IntegrityError: the file is no database.
    """
    from sqlalchemy import text

    settings = _settings()
    started = time.perf_counter()
    try:
        with writing(settings.url) as connection:
            connection.execute(text("SELECT 1")).scalar_one()
    except MlopsError as error:
        raise error from None  # the driver's own trace is forty lines that say the same
    seconds = time.perf_counter() - started
    found = revision(settings.url)
    state = {HEAD: "up to date", None: "not made yet"}.get(found, f"at version {found}, not {HEAD}")
    print(f"{hidden(settings.url)}: answers in {seconds * 1000:.1f} ms; tables {state}")
    return True


test_connection.__test__ = False  # type: ignore[attr-defined]  # not a test, whatever its name begins with


def get_connection_info() -> dict[str, Any]:
    """How we connect: the address without its secrets, the driver, and the pool's settings and use.

    Opens no connection, so it answers also while the database does not.

    Raises:
        ConfigurationError: the address is none, or no driver for it is installed.
    """
    settings = _settings()
    made = engine(settings.url, pool_size=settings.pool_size, max_connections=settings.max_connections)
    pool = made.pool
    return {
        "url": hidden(settings.url),
        "dialect": made.dialect.name,
        "driver": made.dialect.driver,
        "host": made.url.host,
        "database": made.url.database,
        "pool": type(pool).__name__,
        "pool_size": settings.pool_size,
        "max_connections": settings.max_connections,
        "status": pool.status(),
    }


def _settings() -> DatabaseSettings:
    return ConfigManager(repository(Path.cwd())).load_config().database
