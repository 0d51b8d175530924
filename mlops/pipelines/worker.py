"""A lane: a process that runs steps one after another, for as long as the runner asks it to.

Steps run outside the runner's process, so that heavy libraries are imported in parallel and at
most once, and so that a step that crashes takes nothing with it. Requests and answers are lines
of JSON; what a step prints goes to the lane's log.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

from mlops.config import ConfigManager, Environment
from mlops.errors import MlopsError
from mlops.pipelines.steps import Run


def main() -> None:
    """Answer requests from standard input until it ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a step prints belongs into the log, which standard error already is
    run: Run | None = None
    for line in sys.stdin:
        request = json.loads(line)
        if "repository" in request:
            manager = ConfigManager(Path(request["repository"]))
            settings = manager.load_config(Environment(request["environment"]))
            run = Run(
                manager.workspace(), settings, request["source"], tuple(request["given"]), request["who"],
                request["level"], request["asked"], tuple(request["apart"]),
            )
            continue
        assert run is not None
        print(f"── {request['id']}", file=sys.stderr, flush=True)
        print(json.dumps(_answer(run, request)), file=answers, flush=True)


def _answer(run: Run, request: dict[str, Any]) -> dict[str, Any]:
    module, _, function = request["function"].partition(":")
    try:
        facts = getattr(importlib.import_module(module), function)(run, request["subject"])
        return {"facts": facts}
    except MlopsError as error:
        traceback.print_exc()
        return {"error": str(error), "exit_code": error.exit_code, "kind": type(error).__name__}
    except MemoryError:
        return {"error": "the machine ran out of memory", "exit_code": 2, "kind": "MemoryError"}
    except Exception as error:
        # Not one of ours: a defect in a step, or in the product's code that it calls. The trace is in the log.
        traceback.print_exc()
        where = traceback.extract_tb(error.__traceback__)[-1]
        return {
            "error": f"{type(error).__name__}: {error} ({where.filename}:{where.lineno})", "exit_code": 2,
            "kind": type(error).__name__,
        }


if __name__ == "__main__":
    main()
