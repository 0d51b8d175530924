"""The image stays slim: what the service loads, and of the library only the rooms that it may use."""

from __future__ import annotations

import json
import subprocess
import sys

ALLOWED = {"serving", "records", "files", "errors", "config", "documents", "database", "ab_testing"}
BELOW = {"git", "logs", "processes", "product"}  # what those import themselves
HEAVY = {"mlflow", "pandas", "polars", "sklearn", "great_expectations", "onnxruntime", "numpy", "alembic", "typer"}


def test_loading_the_service_and_reading_loads_nothing_heavy(walked: str) -> None:
    code = (
        "import json, sys; from app.main import create_app; from app.settings import Settings;"
        "from app.state import State;"
        f"create_app(Settings({walked!r})); State({walked!r}).models(); print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout)
    assert HEAVY & {name.partition(".")[0] for name in loaded} == set()
    rooms = {name.split(".")[1] for name in loaded if name.startswith("mlops.")}
    assert rooms <= ALLOWED | BELOW
    assert "database" in rooms
