"""What `mlops data run`, `mlops model run` and `mlops service run` share: one pipeline through the runner."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.cli.common import Format, open_workspace, print_json
from mlops.cli.declared import Exit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mlops.config import Workspace
    from mlops.records.receipt import Level, Receipt


def run_pipeline(
    names: list[str], subjects: list[str], *, repository: Path, format: Format, source: str = "",
    level: Level = "full", asked: Mapping[str, str] | None = None,
    on_failed: Callable[[Workspace, list[Receipt]], None] | None = None,
) -> None:
    """Bring the pipelines `names` up to date, for `subjects` or for all, and end with the answer's exit code.

    Their receipts of this run, and of no run before, are left in `.mlops/proof/PIPELINE/` for the gate.

    Args:
        asked: Data set → the published version that models must use.
        on_failed: Is told the receipts of the steps that failed.
    """
    from mlops.git import Git
    from mlops.logs import say
    from mlops.pipelines import receipts
    from mlops.pipelines.progress import Lines
    from mlops.pipelines.steps import Run
    from mlops.pipelines.walk import run_pipelines

    places, settings = open_workspace(repository)
    given = source if not source or "://" in source else str(Path(source).expanduser().resolve())
    run = Run(
        places, settings, source=given or None, who=os.environ.get("GITHUB_ACTOR") or f"mlops {names[0]} run",
        level=level, asked=asked or {},
    )
    commit = Git(places.repository).head()
    for name in names:
        receipts.leave(places.proof / name, [])
    done, _ = run_pipelines(run, names, Lines(), subjects=subjects)
    for name in names:
        receipts.leave(places.proof / name, [each for each in done.receipts if each.pipeline == name], commit)
    for receipt in done.failed:
        say(f"\nFAILED {receipt.pipeline}/{receipt.step} {receipt.subject}\n  {receipt.error}")
    if done.failed and on_failed is not None:
        on_failed(places, done.failed)
    if format is Format.JSON:
        print_json([receipt.to_dict() for receipt in done.receipts])
    raise Exit(done.exit_code)
