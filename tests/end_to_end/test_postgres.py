"""The same way with PostgreSQL in SQLite's place, chosen by one setting."""

import os
import uuid

import pytest

from .conftest import make_clone
from .test_walk import PIPELINE_STEPS, RELEASE_STEPS

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]

URL = os.environ.get("MLOPS_TEST_POSTGRES_URL")


@pytest.fixture
def database():
    if not URL and os.environ.get("MLOPS_REQUIRE_ENGINES") == "1":
        pytest.fail("MLOPS_TEST_POSTGRES_URL names no server, and engines are required here")
    if not URL:
        pytest.skip("MLOPS_TEST_POSTGRES_URL names no server; `make test-engines` starts one")
    import psycopg

    server = URL.replace("postgresql+psycopg://", "postgresql://")
    name = f"walk_{uuid.uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield URL.rpartition("/")[0] + f"/{name}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_the_whole_way_on_postgresql(tmp_path, database):
    clone = make_clone(tmp_path)
    clone.environment["MLOPS_DATABASE_URL"] = database
    try:
        clone.run()
        assert clone.outcomes() == dict.fromkeys(PIPELINE_STEPS | RELEASE_STEPS, "success")
        assert not (clone.folder / ".mlops" / "mlops.db").exists(), "something was written to SQLite"
        assert clone.served() == {"housing": "1", "lab": "1"}
        again = clone.run()
        assert "0 ran" in again.stdout
        releases = clone.ask(f"http://127.0.0.1:{clone.ports['api']}/api/releases")
        assert "r1" in str(releases)
    finally:
        clone.mlops("stop")
