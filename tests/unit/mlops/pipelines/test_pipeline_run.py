"""The record that a pipeline's own command leaves of its run: for the report and the hand-over."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mlops.config import ConfigManager
from mlops.pipelines import walk
from mlops.pipelines.progress import Lines
from mlops.pipelines.steps import Run, Step
from mlops.records import PipelineRun, read

JOBS = """
import os, signal
from mlops.errors import BadDataError


def copy(run, subject):
    (run.places.state / "copy.txt").write_text((run.repository / "input.txt").read_text())
    return {"rows": 3}


def judge(run, subject):
    if "bad" in (run.places.state / "copy.txt").read_text():
        raise BadDataError("bad", where="input.txt")
    return {}


def last(run, subject):
    return {}
"""


def step(name: str, *needs: str, **more: tuple[str, ...]) -> Step:
    function = f"data.jobs:{name}"
    return Step(  # type: ignore[arg-type]
        pipeline="data", name=name, subject="", function=function, needs=needs, **more,
    )


STEPS = [
    step("copy", files=("input.txt",), outputs=("copy.txt",)), step("judge", "data/copy", states=("copy.txt",)),
    step("last", "data/judge"),
]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name, content in {
        "data/__init__.py": "", "data/jobs.py": JOBS, "requirements/dev.txt": "", "input.txt": "good",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    monkeypatch.setattr(walk, "DECLARED", {"data": lambda run, sources: STEPS})
    manager = ConfigManager(tmp_path, {})
    return Run(manager.workspace(), manager.load_config())


def record(run: Run) -> PipelineRun:
    return read(PipelineRun, run.places.pipeline_run("data"))


def test_what_ran_what_was_up_to_date_and_what_did_not_run(run) -> None:
    walk.run_pipelines(run, ["data"], Lines(kept=[]))
    first = record(run)
    assert first.ended and first.exit_code == 0 and [each.outcome for each in first.receipts] == ["success"] * 3
    assert first.receipts[0].facts == {"rows": 3} and not first.receipts[0].inputs
    walk.run_pipelines(run, ["data"], Lines(kept=[]))
    again = record(run)
    assert [each.outcome for each in again.receipts] == ["cached"] * 3 and again.run_id != first.run_id
    (run.repository / "input.txt").write_text("bad")
    walk.run_pipelines(run, ["data"], Lines(kept=[]))
    bad = record(run)
    assert bad.exit_code == 1 and [each.outcome for each in bad.receipts] == ["success", "failure"]
    assert [(each.step, each.by) for each in bad.blocked] == [("data/last", "data/judge")]


KILLED = """
import os
import signal
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
import tests.unit.mlops.pipelines.test_pipeline_run as here
from mlops.config import ConfigManager
from mlops.pipelines import walk
from mlops.pipelines.progress import Lines
from mlops.pipelines.steps import Run

class Deadly(Lines):
    def ended(self, step, receipt):
        os.kill(os.getpid(), signal.SIGKILL)

walk.DECLARED = {{"data": lambda run, sources: here.STEPS}}
manager = ConfigManager(Path({tree!r}), {{}})
walk.run_pipelines(Run(manager.workspace(), manager.load_config()), ["data"], Deadly())
"""


def test_a_run_that_is_killed_leaves_no_other_ones_record(run) -> None:
    walk.run_pipelines(run, ["data"], Lines(kept=[]))
    before = record(run)
    (run.repository / "input.txt").write_text("changed")
    text = KILLED.format(root=str(Path(__file__).parents[4]), tree=str(run.repository))
    done = subprocess.run([sys.executable, "-c", text], env={**os.environ, "PYTHONPATH": ""}, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    killed = record(run)
    assert not killed.ended and not killed.receipts and killed.run_id != before.run_id
    walk.run_pipelines(run, ["data"], Lines(kept=[]))
    assert record(run).ended
