"""A database of one's own for each test: SQLite always, PostgreSQL where MLOPS_TEST_POSTGRES_URL names a server."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops import database

POSTGRES = "MLOPS_TEST_POSTGRES_URL"


@pytest.fixture
def sqlite_url(tmp_path: Path) -> Iterator[str]:
    yield f"sqlite:///{tmp_path / 'state' / 'mlops.db'}"
    database.dispose()


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """A new, empty database on the server, dropped afterwards."""
    server = os.environ.get(POSTGRES)
    if not server:
        message = f"{POSTGRES} names no PostgreSQL server whose user may create databases"
        if os.environ.get("MLOPS_REQUIRE_ENGINES") == "1":
            pytest.fail(message)
        pytest.skip(message)
    from sqlalchemy import create_engine, make_url

    admin = create_engine(make_url(server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    name = f"mlops_test_{uuid.uuid4().hex}"
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield make_url(server).set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    database.dispose()
    with admin.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    admin.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.engine)])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of an empty database, on each kind that we support."""
    found: str = request.getfixturevalue(f"{request.param}_url")
    return found
