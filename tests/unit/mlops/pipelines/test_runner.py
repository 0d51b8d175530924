"""The runner: order, receipts, what makes a step run again, failures that stay where they are, kills."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlops.config import ConfigManager
from mlops.errors import BusyError, ConfigurationError
from mlops.pipelines import receipts
from mlops.pipelines.runner import Result, Runner
from mlops.pipelines.steps import Run, Step
from mlops.records.receipt import Artifact
from mlops.sources import Sources

JOBS = """
import os, signal, time
from pathlib import Path
from mlops.errors import BadDataError


def copy(run, subject):
    text = (run.repository / "input.txt").read_text()
    (run.places.state / "copy.txt").write_text(text)
    with (run.places.state / "calls").open("a") as calls:
        calls.write("copy\\n")
    return {"rows": len(text)}


def double(run, subject):
    text = (run.places.state / "copy.txt").read_text()
    (run.places.state / "double.txt").write_text(text * 2)
    with (run.places.state / "calls").open("a") as calls:
        calls.write("double\\n")
    return {}


def refuse(run, subject):
    raise BadDataError("column x is bad", where="input.txt", mend="mend it")


def crash(run, subject):
    os.kill(os.getpid(), signal.SIGKILL)


def defect(run, subject):
    return 1 / 0


def forget(run, subject):
    return {}


def sleep(run, subject):
    (run.places.state / "sleeping").write_text(str(os.getpid()))
    time.sleep(60)
"""


class Recorder:
    def __init__(self):
        self.lines = []

    def started(self, step, reason):
        self.lines.append(("started", step.id, reason))

    def ended(self, step, receipt):
        self.lines.append((receipt.outcome, step.id, receipt.reason))

    def blocked(self, step, by):
        self.lines.append(("blocked", step.id, by))

    def tick(self, running):
        pass


@pytest.fixture
def run(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "__init__.py").write_text("")
    (tmp_path / "data" / "jobs.py").write_text(JOBS)
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "dev.txt").write_text("")
    (tmp_path / "input.txt").write_text("abc")
    manager = ConfigManager(tmp_path, {})
    manager.workspace().state.mkdir()
    return Run(manager.workspace(), manager.load_config())


def step(name, **more):
    return Step(pipeline="data", name=name, subject="", function=f"data.jobs:{name}", **more)


COPY = step("copy", files=("input.txt",), outputs=("copy.txt",))
DOUBLE = step("double", states=("copy.txt",), outputs=("double.txt",), needs=("data/copy",))


def execute(run, *steps):
    recorder, done = Recorder(), Result()
    sources = Sources(run.repository)
    with Runner(run, sources, recorder, run_id="r", explain=lambda _, file: f"rule of {file}") as runner:
        runner.execute(steps, done)
    return done, recorder.lines


def outcomes(done):
    return {receipt.step: receipt.outcome for receipt in done.receipts}


def test_steps_run_in_the_order_of_their_needs_and_then_are_up_to_date(run):
    done, _ = execute(run, DOUBLE, COPY)
    assert [receipt.step for receipt in done.receipts] == ["copy", "double"]
    assert done.receipts[0].facts == {"rows": 3}
    assert (run.places.state / "double.txt").read_text() == "abcabc"
    again, _ = execute(run, DOUBLE, COPY)
    assert outcomes(again) == {"copy": "cached", "double": "cached"}
    assert not again.ran
    assert again.receipts[0].run_id == done.receipts[0].run_id
    assert (run.places.state / "calls").read_text() == "copy\ndouble\n"


def test_a_changed_input_runs_its_step_and_what_follows_and_says_why(run):
    execute(run, COPY, DOUBLE)
    (run.repository / "input.txt").write_text("xyz")
    _, lines = execute(run, COPY, DOUBLE)
    assert ("started", "data/copy", "input.txt changed (rule of input.txt)") in lines
    assert ("started", "data/double", "new output of data/copy") in lines


def test_an_input_that_comes_back_is_recognised(run):
    execute(run, COPY)
    (run.repository / "input.txt").write_text("xyz")
    execute(run, COPY)
    (run.repository / "input.txt").write_text("abc")
    done, lines = execute(run, COPY)
    # The receipt is found, but the output is the other input's: it is made again.
    assert outcomes(done) == {"copy": "success"}
    assert lines[0] == ("started", "data/copy", "an output is not what the step wrote")


def test_changed_code_runs_the_step_again(run):
    execute(run, COPY)
    with (run.repository / "data" / "jobs.py").open("a") as jobs:
        jobs.write("# changed\n")
    _, lines = execute(run, COPY)
    assert lines[0] == ("started", "data/copy", "data/jobs.py changed (rule of data/jobs.py)")


def test_a_changed_lock_runs_everything_again(run):
    execute(run, COPY)
    (run.repository / "requirements" / "dev.txt").write_text("six==1.17.0")
    done, _ = execute(run, COPY)
    assert outcomes(done) == {"copy": "success"}


def test_a_lost_output_and_a_world_that_moved_run_the_step_again(run):
    held = step("copy", files=("input.txt",), outputs=("copy.txt",), holds=lambda run: None)
    execute(run, held)
    (run.places.state / "copy.txt").unlink()
    _, lines = execute(run, held)
    assert "copy.txt is not there" in lines[0][2]
    moved = step("copy", files=("input.txt",), outputs=("copy.txt",), holds=lambda run: "the services do not run")
    _, lines = execute(run, moved)
    assert lines[0] == ("started", "data/copy", "the services do not run")


def test_an_input_beyond_files_is_part_of_the_key(run):
    def with_champion(version):
        artifact = Artifact(namespace="record", name="champion", hash=version)
        return step("copy", files=("input.txt",), outputs=("copy.txt",), beyond=lambda run: [artifact])

    execute(run, with_champion("1"))
    _, lines = execute(run, with_champion("2"))
    assert lines[0] == ("started", "data/copy", "champion changed")
    done, _ = execute(run, with_champion("1"))
    assert outcomes(done) == {"copy": "cached"}


@pytest.mark.parametrize(("name", "code", "says"), [
    ("refuse", 1, "column x is bad"),
    ("defect", 2, "ZeroDivisionError: division by zero"),
    ("crash", 2, "signal 9"),
])
def test_a_failure_blocks_what_follows_and_nothing_else(run, name, code, says):
    bad = step(name, outputs=("bad.txt",), lane="other")
    after = step("double", states=("bad.txt",), needs=(bad.id,))
    done, lines = execute(run, bad, after, COPY)
    assert outcomes(done) == {name: "failure", "copy": "success"}
    assert says in done.failed[0].error
    assert ("blocked", after.id, bad.id) in lines
    assert done.exit_code == code
    # It is never up to date, and its failure is kept for the reader.
    assert outcomes(execute(run, bad)[0]) == {name: "failure"}
    assert (receipts.Store(run.places.receipts).place(bad) / "failed.json").exists()


def test_a_lane_goes_on_after_its_process_died(run):
    done, _ = execute(run, step("crash"), COPY)
    assert outcomes(done) == {"crash": "failure", "copy": "success"}


def test_a_step_that_does_not_write_its_output_failed(run):
    done, _ = execute(run, step("forget", outputs=("never.txt",)))
    assert "did not write what it declares" in done.failed[0].error


def test_a_missing_input_is_the_failure_of_its_step(run):
    done, _ = execute(run, step("copy", files=("absent.txt",)))
    assert "absent.txt" in done.failed[0].error
    assert done.exit_code == 2


def test_steps_that_need_each_other_are_an_error_and_no_endless_loop(run):
    one = step("copy", needs=("data/double",))
    two = step("double", needs=("data/copy",))
    with pytest.raises(ConfigurationError, match="need each other: data/copy, data/double"):
        execute(run, one, two)


def test_a_damaged_receipt_is_none(run):
    execute(run, COPY)
    for path in receipts.Store(run.places.receipts).place(COPY).iterdir():
        path.write_text("{half")
    done, lines = execute(run, COPY)
    assert outcomes(done) == {"copy": "success"}
    assert lines[0][2] == "it never ran here"


WALK = """
import sys
from pathlib import Path
from mlops.config import ConfigManager
from mlops.pipelines.runner import Result, Runner
from mlops.pipelines.steps import Run, Step
from mlops.sources import Sources

class Quiet:
    def started(self, *_): pass
    ended = blocked = tick = started

manager = ConfigManager(Path(sys.argv[1]), {})
run = Run(manager.workspace(), manager.load_config())
with Runner(run, Sources(run.repository), Quiet(), run_id="r") as runner:
    runner.execute([Step(pipeline="data", name="sleep", subject="", function="data.jobs:sleep")], Result())
"""


def test_a_killed_run_takes_its_workers_along_and_holds_no_lock(run):
    killed = subprocess.Popen([sys.executable, "-c", WALK, str(run.repository)])
    marker = run.places.state / "sleeping"
    deadline = time.monotonic() + 30
    while not (marker.exists() and marker.read_text()):
        assert time.monotonic() < deadline, "the step never started"
        time.sleep(0.02)
    with pytest.raises(BusyError, match="another `mlops` run"):
        execute(run, COPY)
    killed.kill()
    killed.wait()
    worker = int(marker.read_text())
    while Path(f"/proc/{worker}").exists() and _alive(worker):
        assert time.monotonic() < deadline, "the worker outlived its runner"
        time.sleep(0.02)
    assert outcomes(execute(run, COPY)[0]) == {"copy": "success"}


def _alive(pid):
    try:
        os.kill(pid, signal.SIG_DFL)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
