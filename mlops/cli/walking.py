"""`mlops run` itself, without the parser: a run with nothing to do costs little more than Python's own start."""

from __future__ import annotations

import os
from pathlib import Path

from mlops.git import Git
from mlops.git import repository as find_repository


def walk_and_tell(folder: Path, data: str = "", *, as_json: bool = False) -> int:
    """Walk the whole way in the repository of `folder`, tell how it went, and return the exit code."""
    top = find_repository(folder)
    begun = Git(top).start_status()  # git looks at the tree while Python imports
    from mlops.config import ConfigManager
    from mlops.logs import say
    from mlops.pipelines.progress import Lines
    from mlops.pipelines.report import planned, summary
    from mlops.pipelines.steps import Run
    from mlops.pipelines.walk import walk

    manager = ConfigManager(top)
    source = data if not data or "://" in data else str(Path(data).expanduser().resolve())
    run = Run(
        manager.workspace(), manager.load_config(), source=source or None,
        who=os.environ.get("GITHUB_ACTOR") or "mlops run",
    )
    record, code = walk(run, Lines(), on_plan=lambda plan: say(planned(plan)), begun=begun)
    print(record.to_json().decode() if as_json else summary(run, record), end="" if as_json else "\n")
    return code
