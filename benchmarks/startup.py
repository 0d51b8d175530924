"""What a start of the command costs, beside Python itself and the imports that it avoids."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.measure import processes, table
from mlops.pipelines.memo import recall

_HERE = Path(__file__).resolve().parent.parent


def report() -> str:
    """Figures for help, a run with nothing to do (where a run was made), and the peers."""
    mlops = [sys.executable, "-m", "mlops.cli"]
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "mlops --help": [*mlops, "--help"],
        "mlops route --help": [*mlops, "route", "--help"],
        "mlops config show": [*mlops, "config", "show"],
        "python -c 'import typer, pydantic'": [sys.executable, "-c", "import typer, pydantic"],
        "python -c 'import polars'": [sys.executable, "-c", "import polars"],
        "python -c 'import mlflow'": [sys.executable, "-c", "import mlflow"],
        "python -c 'import great_expectations'": [sys.executable, "-c", "import great_expectations"],
    }
    if Path.cwd() == _HERE and recall(str(_HERE)) is not None:  # released, and nothing changed since
        commands["mlops run, nothing to do"] = [*mlops, "run"]
    return table("Start of the command", processes(commands), against="python -c pass")
