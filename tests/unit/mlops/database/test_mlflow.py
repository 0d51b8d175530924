"""Our tables and MLflow's on one URL, in either order, twice; both are used in between."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Each step is a new process, as in earnest: MLflow keeps what it has initialised in memory.
OURS = """
import sys
from mlops import database
database.migrate(sys.argv[1])
database.add(sys.argv[1], "runs", {"id": "a", "started": "2026-01-01T00:00:00Z"})
assert [row["id"] for row in database.rows(sys.argv[1], "runs")] == ["a"]
"""
MLFLOW = """
import sys
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Registry
from mlflow.store.db.utils import _verify_schema
from mlflow.exceptions import MlflowException
store = SqlAlchemyStore(sys.argv[1], sys.argv[2])
_verify_schema(store.engine)
registry = Registry(sys.argv[1])
try:
    registry.create_registered_model("housing")
    store.create_experiment("walk")
except MlflowException as error:
    assert error.error_code == "RESOURCE_ALREADY_EXISTS", error
assert registry.get_registered_model("housing").name == "housing"
"""


@pytest.mark.parametrize("order", [(OURS, MLFLOW), (MLFLOW, OURS)], ids=["ours-first", "mlflow-first"])
def test_one_url_for_both(url: str, order: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> None:
    from sqlalchemy import inspect, text

    from mlops import database
    from mlops.database import connections

    (tmp_path := tmp_path_factory.mktemp("artifacts"))
    file = connections.sqlite_file(url)
    if file is not None:
        file.parent.mkdir()
    for code in order * 2:
        done = subprocess.run(
            [sys.executable, "-c", code, url, str(tmp_path)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    with connections.reading(url) as connection:
        names = inspect(connection).get_table_names()
        ours = connection.execute(text("SELECT version_num FROM mlops_alembic_version")).scalars().all()
        theirs = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    assert {"mlops_runs", "experiments", "registered_models"} <= set(names)
    assert ours == [database.HEAD]
    assert len(theirs) == 1 and theirs != ours
