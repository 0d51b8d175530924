"""`mlops run` itself, without the parser: a run with nothing to do costs little more than Python's own start."""

from __future__ import annotations

import sys

from mlops.pipelines import memo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from mlops.pipelines.steps import Run


def walk_and_tell(folder: Path | str, data: str = "", *, as_json: bool = False) -> int:
    """Walk the whole way in the repository of `folder`, tell how it went, and return the exit code."""
    remembered = None if data or as_json else memo.recall(str(folder))
    if remembered is not None:
        print(remembered[0], file=sys.stderr, flush=True)
        print(remembered[1])
        return 0
    import os
    from pathlib import Path

    from mlops.git import Git, repository

    top = repository(Path(folder))
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
    print(record.to_json().decode() if as_json else summary(run, record), end="" if as_json else "\n", flush=True)
    if code == 0 and not data and not as_json:
        _remember(run)
    return code


def _remember(run: Run) -> None:
    """Look once more, so that the answer is one that was found and not supposed, and keep it for the next run."""
    from mlops.pipelines.progress import Lines
    from mlops.pipelines.report import planned, summary
    from mlops.pipelines.runner import Moved
    from mlops.pipelines.walk import walk

    told: list[str] = []
    try:
        record, _ = walk(run, Lines(kept=told), on_plan=lambda plan: told.append(planned(plan)), look=True)
    except Moved:
        return
    memo.keep(str(run.repository), "\n".join(told), summary(run, record))
