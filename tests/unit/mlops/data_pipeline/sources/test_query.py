"""A query on a real PostgreSQL server: typed, streamed from one snapshot, without secrets in what is said."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest

from mlops.data_pipeline import Dataset, intake
from mlops.data_pipeline.sources import query
from mlops.errors import ConfigurationError, UnavailableError

pytestmark = pytest.mark.engine


@pytest.fixture
def server() -> str:
    url = os.environ.get("MLOPS_TEST_POSTGRES_URL")
    if not url:
        if os.environ.get("MLOPS_REQUIRE_ENGINES") == "1":
            pytest.fail("MLOPS_TEST_POSTGRES_URL names no server, and engines are required here")
        pytest.skip("MLOPS_TEST_POSTGRES_URL names no server; `make test-engines` starts one")
    return url


@pytest.fixture
def people(server: str, dataset: Dataset) -> Iterator[str]:
    """A table of the people with PostgreSQL's own types; its name."""
    import sqlalchemy as sa

    engine = sa.create_engine(server)
    name = f"people_{uuid.uuid4().hex}"
    with engine.begin() as connection:
        connection.exec_driver_sql(
            f"CREATE TABLE {name} (number int, name varchar, age smallint, height numeric(6,3), wage double precision, "
            "since timestamptz, active boolean)"
        )
        rows = intake.read_source(dataset).table.select("name", "age", "height", "wage").rows()
        connection.execute(
            sa.text(f"INSERT INTO {name} VALUES (:n, :name, :age, :height, :wage, '2024-01-02 03:04:05.5+02', true)"),
            [{"n": n, "name": row[0], "age": row[1], "height": row[2], "wage": row[3]} for n, row in enumerate(rows)],
        )
    yield name
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TABLE {name}")
    engine.dispose()


def declared(change: Any, monkeypatch: pytest.MonkeyPatch, server: str, text: str) -> Dataset:
    monkeypatch.setenv("PEOPLE_URL", server.replace("postgresql+psycopg", "postgresql"))
    source = f'source: {{database: "${{PEOPLE_URL}}", query: "{text}"}}'
    found: Dataset = change("source: data/raw/people.csv", source)
    return found


def test_rows_come_typed_and_in_batches(
    change: Any, monkeypatch: pytest.MonkeyPatch, server: str, people: str, dataset: Dataset
) -> None:
    monkeypatch.setattr(query, "ROWS", 7)
    change("  wage: {type: float}", "  wage: {type: float}\n  since: {type: datetime}\n  active: {type: boolean}")
    asked = f"SELECT name, age, height, wage, since, active FROM {people} WHERE name <> ':x' ORDER BY number"
    raw = intake.read_source(declared(change, monkeypatch, server, asked))
    known = intake.read_source(dataset)
    table = known.table.with_columns(pl.col("height").round(3))  # as the column holds them
    assert raw.table.select(table.columns).equals(table)
    assert raw.table["since"].dtype == pl.Datetime("us") and str(raw.table["since"][0]) == "2024-01-02 01:04:05.500000"
    assert raw.table["active"].all() and raw.source.wrong_cells == 0
    assert raw.source.location.startswith("postgresql://switchyard@")


def test_all_batches_are_of_one_moment(
    change: Any, monkeypatch: pytest.MonkeyPatch, server: str, people: str
) -> None:
    import sqlalchemy as sa

    monkeypatch.setattr(query, "ROWS", 5)
    dataset = declared(change, monkeypatch, server, f"SELECT name, age, height, wage FROM {people}")
    batches = query.open_query(dataset).batches({})
    taken = next(batches).table.height + next(batches).table.height
    other = sa.create_engine(server)
    with other.begin() as connection:
        connection.exec_driver_sql(f"DELETE FROM {people}")
    other.dispose()
    assert taken + sum(batch.table.height for batch in batches) == 60


def test_a_query_changes_nothing(change: Any, monkeypatch: pytest.MonkeyPatch, server: str, people: str) -> None:
    dataset = declared(change, monkeypatch, server, f"DELETE FROM {people} RETURNING name, age, height, wage")
    with pytest.raises(ConfigurationError, match="is refused"):
        intake.read_source(dataset)
    change("DELETE FROM", "SELECT name, age, height, wage FROM")
    assert intake.read_source(change(" RETURNING name, age, height, wage", "")).source.rows == 60


def test_what_is_refused_names_the_line(
    change: Any, monkeypatch: pytest.MonkeyPatch, server: str, people: str
) -> None:
    with pytest.raises(ConfigurationError, match="people.yaml:2.*no_such_column"):
        intake.read_source(declared(change, monkeypatch, server, f"SELECT no_such_column FROM {people}"))


def test_a_server_that_is_away_is_said_without_the_password(
    change: Any, monkeypatch: pytest.MonkeyPatch, server: str
) -> None:
    dataset = declared(change, monkeypatch, "postgresql://me:hidden-word@127.0.0.1:1/none", "SELECT 1 AS name")
    with pytest.raises(UnavailableError) as caught:
        intake.read_source(dataset)
    assert "hidden-word" not in str(caught.value) and "127.0.0.1" in str(caught.value)
