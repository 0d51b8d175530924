"""Migrations: once, many times, by two at once, killed half way, and after a newer program."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlops import database
from mlops.database import connections, schema, tables
from mlops.errors import ConfigurationError

MIGRATE = "import sys; from mlops import database; print(database.migrate(sys.argv[1]))"


def test_the_second_time_there_is_nothing_to_do(url: str) -> None:
    assert database.revision(url) is None
    assert database.migrate(url) is True
    assert database.revision(url) == database.HEAD
    assert database.migrate(url) is False


def test_nothing_to_do_needs_no_alembic(sqlite_url: str) -> None:
    database.migrate(sqlite_url)
    code = f"{MIGRATE}; print('alembic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, sqlite_url], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_head_is_the_newest_script_and_each_has_one_parent() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [database.HEAD]


def test_migrations_make_exactly_the_tables_that_the_code_knows(url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    database.migrate(url)
    with connections.reading(url) as connection:
        context = MigrationContext.configure(connection, opts={"version_table": schema.VERSION_TABLE})
        assert compare_metadata(context, tables.metadata()) == []


def test_every_table_carries_the_prefix(url: str) -> None:
    from sqlalchemy import inspect

    database.migrate(url)
    with connections.reading(url) as connection:
        assert [name for name in inspect(connection).get_table_names() if not name.startswith("mlops_")] == []


def test_a_path_with_odd_characters(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/50% of é/a b.db"
    assert database.migrate(url) is True
    assert (tmp_path / "50% of é" / "a b.db").is_file()


def test_two_processes_at_once(url: str) -> None:
    children = [
        subprocess.Popen([sys.executable, "-c", MIGRATE, url], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    said = sorted(child.communicate(timeout=60)[0].strip() for child in children)
    assert said == ["False", "False", "True"]
    assert [child.returncode for child in children] == [0, 0, 0]


# Stops in the middle of the migration, after some tables have been made, and waits for its end.
KILLED = """
import sys, time
from alembic.operations import Operations
from mlops import database
create = Operations.create_table
made = []
def slow(self, name, *rest, **options):
    made.append(create(self, name, *rest, **options))
    if len(made) == 3:
        print("half way", flush=True)
        time.sleep(60)
    return made[-1]
Operations.create_table = slow
import alembic.op
alembic.op.create_table = lambda *a, **k: slow(alembic.op._proxy, *a, **k)
database.migrate(sys.argv[1])
"""


def test_killed_half_way_it_starts_again(url: str) -> None:
    from sqlalchemy import inspect

    child = subprocess.Popen([sys.executable, "-c", KILLED, url], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline().strip() == "half way"
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    with connections.reading(url) as connection:
        assert inspect(connection).get_table_names() == []
    assert database.migrate(url) is True
    assert database.rows(url, "models") == []


def test_tables_of_a_newer_program_are_left_alone(url: str) -> None:
    database.migrate(url)
    with connections.writing(url) as connection:
        connection.exec_driver_sql(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(ConfigurationError, match="9999, which this program does not know"):
        database.migrate(url)


def test_reading_goes_on_while_another_writes(sqlite_url: str) -> None:
    database.migrate(sqlite_url)
    file = connections.sqlite_file(sqlite_url)
    assert file is not None
    writer = sqlite3.connect(file, isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("INSERT INTO mlops_runs (id, started, document) VALUES ('w', '2026', '{}')")
    started = time.perf_counter()
    assert database.rows(sqlite_url, "runs") == []
    assert time.perf_counter() - started < 1
    writer.execute("COMMIT")
    writer.close()
    assert [row["id"] for row in database.rows(sqlite_url, "runs")] == ["w"]
