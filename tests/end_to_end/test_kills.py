"""A run that is killed at any step is simply run again, and ends where an undisturbed one ends."""

import random
import signal
import time

import pytest

from .conftest import Clone, make_clone
from .test_walk import PIPELINE_STEPS, RELEASE_STEPS

pytestmark = [pytest.mark.xdist_group("kills"), pytest.mark.timeout(600)]

SAMPLE = ["data/validate/housing", "model/register/housing", "release/start"]
REST = sorted((PIPELINE_STEPS | RELEASE_STEPS) - set(SAMPLE))


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """A clone in which steps are killed one after another; each test begins from what the last one left."""
    made = make_clone(tmp_path_factory.mktemp("kills"))
    yield made
    made.mlops("stop")


def kill_in(clone: Clone, step: str, delay: float) -> bool:
    """Kill a run `delay` seconds after `step` began; False when the step ended before it could be."""
    clone.remember_logs()
    process = clone.start("run")
    try:
        began = clone.wait_for_step(step, process)
        time.sleep(delay)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    return began


def stale(clone: Clone, step: str) -> None:
    """Make `step` run again: forget its receipts."""
    import shutil

    pipeline, name, *subject = step.split("/")
    shutil.rmtree(clone.folder / ".mlops" / "receipts" / pipeline / "-".join([name, *subject]), ignore_errors=True)


def expect_whole(clone: Clone) -> None:
    done = clone.run()
    assert "release r" in done.stdout
    assert clone.mlops("status").returncode == 0
    served = clone.served()
    release = {name: model["version"] for name, model in clone.release()["models"].items()}
    assert served == release
    assert set(clone.outcomes()) == PIPELINE_STEPS | RELEASE_STEPS
    leftovers = [path for path in (clone.folder / ".mlops" / "runtime").glob("*.part")]
    assert not leftovers


def killed_and_run_again(clone: Clone, step: str) -> None:
    stale(clone, step)
    assert kill_in(clone, step, random.Random(step).uniform(0.0, 0.4)), f"{step} did not run"
    expect_whole(clone)


@pytest.mark.parametrize("step", SAMPLE)
def test_a_kill_in_a_first_run(tmp_path, step):
    clone = make_clone(tmp_path)
    try:
        assert kill_in(clone, step, random.Random(step).uniform(0.0, 0.4))
        expect_whole(clone)
    finally:
        clone.mlops("stop")


@pytest.mark.slow
@pytest.mark.parametrize("step", REST)
def test_a_kill_in_every_other_step(walked, step):
    if not (walked.folder / ".mlops").exists():
        walked.run()
    killed_and_run_again(walked, step)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_a_kill_at_any_moment_of_a_first_run(tmp_path, seed):
    clone = make_clone(tmp_path)
    try:
        process = clone.start("run")
        time.sleep(random.Random(seed).uniform(0.1, 14.0))
        process.kill()
        process.communicate()
        expect_whole(clone)
    finally:
        clone.mlops("stop")


def test_a_state_folder_that_cannot_be_made_is_a_clear_error(tmp_path):
    clone = make_clone(tmp_path)
    (clone.folder / ".mlops").write_text("a file stands where the folder should be")
    done = clone.mlops("run")
    assert done.returncode == 2
    assert ".mlops" in done.stderr and "mend" in done.stderr
    assert "Traceback" not in done.stderr
    (clone.folder / ".mlops").unlink()
