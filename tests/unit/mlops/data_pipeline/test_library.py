"""`DataPipeline`, asynchronous, on SQLite; on PostgreSQL it is an engine's test."""

from __future__ import annotations

import asyncio
import os
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops import DataPipeline as Public
from mlops import database
from mlops.data_pipeline import DataPipeline, DataSchema, FeatureEngineeringConfig, steps
from mlops.data_pipeline.interface import RunStatus
from mlops.data_pipeline.versioning import versions
from mlops.errors import BadDataError, MissingInputError, UsageError

COLUMNS: dict[str, dict[str, Any]] = {
    "sample_id": {"type": "string", "nullable": False, "unique": True},
    "concentration": {"type": "float", "nullable": True, "min": 0, "max": 10},
    "count": {"type": "integer", "nullable": False},
    "approved": {"type": "boolean", "nullable": False},
    "taken": {"type": "datetime", "nullable": True},
}


def rows(count: int = 60) -> list[list[str]]:
    return [
        [f"S{n}", "" if n % 9 == 0 else f"{n % 7 + 0.5}", str(n), "true" if n % 3 else "false",
         f"2026-01-{n % 28 + 1:02}", ("blood", "saliva")[n % 2], "whatever"] for n in range(count)
    ]


def write(path: Path, lines: list[list[str]]) -> Path:
    head = [*COLUMNS, "sample_type", "unnamed"]
    path.write_text("\n".join(",".join(line) for line in [head, *lines]) + "\n")
    return path


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    yield f"sqlite:///{tmp_path / 'mlops.db'}"
    database.dispose()


@pytest.fixture
def pipeline(tmp_path: Path, url: str) -> DataPipeline:
    return DataPipeline(database_url=url, data_dir=tmp_path / "data")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write(tmp_path / "data.csv", rows())


SCHEMA = DataSchema(schema_id="", name="Lab", version="1.0", columns=COLUMNS)
FEATURES = FeatureEngineeringConfig(
    config_id="", name="Lab", numeric_features=["concentration"], categorical_features=["sample_type"],
    datetime_features=["taken"], scaling_method="standard",
)


async def run(pipeline: DataPipeline, data: Path, features: FeatureEngineeringConfig | None = FEATURES) -> str:
    schema_id = await pipeline.create_schema(SCHEMA)
    config_id = await pipeline.create_feature_config(features) if features else ""
    return await pipeline.run_pipeline("lab", data, schema_id, config_id)


async def walk(pipeline: DataPipeline, data: Path) -> None:
    """A whole life: a run with its version, quality and features, kept in the database."""
    run_id = await run(pipeline, data)
    found = await pipeline.get_run(run_id)
    assert (found.status, found.error, found.pipeline_id) == (RunStatus.SUCCESS, None, "lab")
    assert list(found.steps) == ["ingest", "validate", "process", "check", "version"]
    assert found.steps["ingest"]["rows"] == 60 and found.finished and found.finished >= found.started
    train, test = [await pipeline.load(run_id, part) for part in ("train", "test")]
    assert train.height + test.height == 60 and train.columns == test.columns
    assert train.columns[:4] == ["sample_id", "count", "approved", "concentration"]
    assert len(train.columns) == 4 + 2 + 2 * 3 and "taken" not in train.columns, "two classes, six of the moment"
    assert abs(train["concentration"].mean()) < 1e-12 < abs(test["concentration"].mean())
    quality = await pipeline.get_quality(run_id)
    assert quality.success and quality.score == 1.0 and quality.version == found.version
    assert quality.missing == {"concentration": pytest.approx(7 / 60)}
    assert [each.run_id for each in await pipeline.list_runs("lab")] == [run_id]
    assert await pipeline.list_runs("other") == [] == await pipeline.list_runs(offset=1)
    assert versions.find(pipeline.places, "lab").record.version == found.version
    schema = await pipeline.get_schema(found.schema_id)
    assert (schema.columns, schema.schema_id) == (COLUMNS, found.schema_id)
    assert (await pipeline.get_feature_config(found.feature_config_id)).numeric_features == ["concentration"]


def test_a_run_from_file_to_features(pipeline: DataPipeline, data: Path) -> None:
    assert Public is DataPipeline
    asyncio.run(walk(pipeline, data))
    assert not list((pipeline.places.data / "lab" / "work").glob("*")), "the work folder of a run is gone with it"


@pytest.mark.engine
def test_a_run_on_postgresql(tmp_path: Path, data: Path) -> None:
    server = os.environ.get("MLOPS_TEST_POSTGRES_URL")
    if not server:
        if os.environ.get("MLOPS_REQUIRE_ENGINES") == "1":
            pytest.fail("MLOPS_TEST_POSTGRES_URL names no server")
        pytest.skip("MLOPS_TEST_POSTGRES_URL names no server")
    from sqlalchemy import create_engine, make_url

    name = f"mlops_test_{uuid.uuid4().hex}"
    admin = create_engine(make_url(server).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    url = make_url(server).set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    try:
        asyncio.run(walk(DataPipeline(url, tmp_path / "data"), data))
    finally:
        database.dispose()
        with admin.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
        admin.dispose()


BAD = {
    "a text for a number": (3, 1, "much", "row 4, column concentration"),
    "beyond the range": (3, 1, "11", "concentration"),
    "empty": (5, 2, "", "count"), "half": (5, 2, "1.5", "count"), "neither": (2, 3, "maybe", "approved"),
    "twice": (7, 0, "S1", "sample_id"), "no day": (4, 4, "2026-02-30", "taken"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_data_fails_the_run_and_says_where(pipeline: DataPipeline, tmp_path: Path, case: str) -> None:
    number, cell, value, says = BAD[case]
    lines = rows()
    lines[number][cell] = value
    path = write(tmp_path / "bad.csv", lines)

    async def attempt() -> None:
        with pytest.raises(BadDataError, match=says):
            await run(pipeline, path)
        (failed,) = await pipeline.list_runs()
        assert failed.status is RunStatus.FAILED and failed.version is None and says in str(failed.error)
        with pytest.raises(UsageError, match="made no version"):
            await pipeline.load(failed.run_id)
        with pytest.raises(MissingInputError):
            await pipeline.get_quality(failed.run_id)
        report = await pipeline.validate_data(path, failed.schema_id)
        assert not report.success and any(says.split(" ")[-1] in issue for issue in report.issues), report.issues

    asyncio.run(attempt())
    assert versions.list_versions(pipeline.places, "lab") == []


def test_good_data_is_judged_without_a_trace(pipeline: DataPipeline, data: Path) -> None:
    async def judge() -> None:
        report = await pipeline.validate_data(data, await pipeline.create_schema(SCHEMA))
        assert (report.success, report.issues, report.score, report.rows) == (True, [], 1.0, 60)

    asyncio.run(judge())
    assert not pipeline.places.data.exists()


@pytest.mark.parametrize(("columns", "says"), [
    ({}, "names no columns"), ({"a": {"type": "text"}}, "text"), ({"a": {"kind": "string"}}, "unknown field 'kind'"),
    ({"a": {"nullable": True}}, "type"), ({"a": {"type": "string", "pattern": "("}}, "no regular expression"),
])
def test_a_schema_that_says_nothing_is_refused(pipeline: DataPipeline, columns: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        asyncio.run(pipeline.create_schema(DataSchema(name="x", columns=columns)))


def test_ids_are_kept_and_not_taken_twice(pipeline: DataPipeline) -> None:
    async def twice() -> None:
        one = DataSchema(schema_id="mine", name="x", columns={"a": {"type": "string"}})
        assert await pipeline.create_schema(one) == "mine" == await pipeline.create_schema(one)
        with pytest.raises(UsageError, match="taken"):
            await pipeline.create_schema(DataSchema(schema_id="mine", name="y", columns=one.columns))
        with pytest.raises(MissingInputError):
            await pipeline.get_schema("none")
        with pytest.raises(UsageError, match="no pipeline's name"):
            await pipeline.run_pipeline("../up", "x.csv", "mine")
        with pytest.raises(UsageError, match="cannot be done"):
            wrong: Any = "log"
            await pipeline.create_feature_config(FeatureEngineeringConfig(name="f", scaling_method=wrong))

    asyncio.run(twice())


def test_the_loop_goes_on_while_a_run_works(pipeline: DataPipeline, data: Path) -> None:
    async def both() -> int:
        beats = 0

        async def beat() -> None:
            nonlocal beats
            while True:
                await asyncio.sleep(0.005)
                beats += 1

        heart = asyncio.create_task(beat())
        await asyncio.gather(*(run(pipeline, data) for _ in range(2)))
        heart.cancel()
        return beats

    assert asyncio.run(both()) > 5


def test_a_cancelled_run_ends_after_its_step_and_leaves_nothing(
    pipeline: DataPipeline, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, left = threading.Event(), threading.Event()
    real = steps.process

    def slow(*arguments: Any) -> Any:
        entered.set()
        time.sleep(0.2)
        done = real(*arguments)
        left.set()
        return done

    monkeypatch.setattr(steps, "process", slow)

    async def cancel() -> None:
        task = asyncio.create_task(run(pipeline, data))
        while not entered.is_set():
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert left.is_set(), "whoever sees the cancellation can rely on nothing being written any more"
        (found,) = await pipeline.list_runs()
        assert found.status is RunStatus.CANCELLED and list(found.steps) == ["ingest", "validate"]

    asyncio.run(cancel())
    assert not list((pipeline.places.data / "lab").rglob("*.*")), "no version and no half of one"
