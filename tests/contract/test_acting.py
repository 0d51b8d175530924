"""The five workflow files run for real: act executes them in a copy of the repository. See acting.py."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops.routing.yaml12 import load
from tests.contract.acting import CALLER, STAND_INS, TREE, Bench, planned_jobs, third_party
from tests.unit.mlops.pipelines.reporting.github_server import GitHubServer

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]

PIPELINES = ["data", "main", "model", "service"]
# One harmless line for each pipeline: together they start all of them.
HARMLESS = {
    "service": {"services/api/README.md": "\nA line.\n"},
    "data": {"data/notes.txt": "A line.\n"},
    "model": {"model/notes.txt": "A line.\n"},
    "main": {"docs/notes.txt": "A line.\n"},
}
# A defect for each pipeline, and the step that must find it.
DEFECTS = {
    "service": (
        {"services/api/tests/test_planted.py": "def test_planted():\n    assert False\n"}, ("test", "Test"),
    ),
    "data": (
        {"data/datasets/housing.yaml": "    - {name: planted, rule: households > 100000, message: the defect}\n"},
        ("run", "Run the pipeline"),
    ),
    "model": ({"model/configs/housing.yaml": "\n  mae: 0.0\n"}, ("run", "Run the pipeline")),
    "main": ({"docs/planted.md": "[a page](that-is-not-there.md)\n"}, ("tree", "Check infrastructure and documents")),
}


@pytest.fixture(scope="module")
def act() -> str:
    found = os.environ.get("MLOPS_TEST_ACT")
    if not found:
        pytest.skip("MLOPS_TEST_ACT is not set: act is built by scripts/workflow-tools (make test-engines)")
    return found


@pytest.fixture
def bench(tmp_path: Path, act: str) -> Iterator[Bench]:
    with GitHubServer() as github:
        yield Bench(tmp_path, act, github)


def test_every_third_party_action_has_a_stand_in() -> None:
    for action, _ in third_party(TREE):
        assert STAND_INS.joinpath(*action.split("/")[1:], "action.yml").is_file(), action


def test_green_on_the_tree(bench: Bench) -> None:
    """Every pipeline is planned, called and green; each job runs as often as its matrix says; the gate opens."""
    event = bench.request({name: text for each in HARMLESS.values() for name, text in each.items()})
    acted = bench.play(event)
    assert acted.code == 0, acted.why()
    assert not acted.failed and acted.result("gate") == "success"
    assert "the gate is open" in acted.said["", "gate"]
    assert {caller for caller, _ in acted.ran if caller} == set(PIPELINES)
    assert acted.ran == planned_jobs(bench.folder, bench.plan(event)), acted.why()
    # What the actions were given: history for the planner, nothing left behind, the versions of the matrix.
    checkouts = [each for each in acted.inputs if each["action"] == "actions/checkout"]
    assert {each["inputs"]["persist-credentials"] for each in checkouts} == {"false"}
    assert {each["job"] for each in checkouts if each["inputs"]["fetch-depth"] == "0"} == {"plan"}
    versions = Counter(
        each["inputs"]["python-version"] for each in acted.inputs
        if each["action"] == "actions/setup-python" and (each["workflow"], each["job"]) == ("main pipeline", "test")
    )
    assert versions == {"3.11": 1, "3.12": 1, "3.13": 1}
    wanted = {"plan", *(f"{kind}-{pipeline}" for kind in ("receipts", "reports") for pipeline in PIPELINES)}
    tested = {f"reports-{name}-{version}" for name in ("api", "predict", "main") for version in versions}
    assert set(acted.artifacts) == wanted | tested


@pytest.mark.parametrize("pipeline", sorted(DEFECTS))
def test_red_at_the_gate(bench: Bench, pipeline: str) -> None:
    """A defect stops its own pipeline at its own step, no other pipeline starts, and the gate is closed."""
    change, (job, step) = DEFECTS[pipeline]
    event = bench.request(change)
    acted = bench.play(event, without=["tests/unit/data", "tests/unit/model"] if pipeline == "main" else [])
    assert acted.code == 1
    assert acted.result("plan") == "success" and acted.result("gate") == "failure", acted.why()
    assert any(found[:2] == (pipeline, job) and found[2] == step for found in acted.failed)
    assert {each[0] for each in acted.failed} == {pipeline, ""}
    assert f"{pipeline}: " in acted.said["", "gate"].partition("the gate is closed:")[2]
    assert acted.ran == planned_jobs(bench.folder, bench.plan(event)), acted.why()
    assert {caller for caller, _ in acted.ran if caller} == {pipeline}


def test_a_planner_that_fails_closes_the_gate(bench: Bench) -> None:
    """Nothing is planned, so nothing runs; every job is skipped, which GitHub itself would call a success."""
    acted = bench.play(bench.request({"mlops/cli/route.py": "\n\ndef app(*_, **__):\n    raise SystemExit(3)\n"}))
    assert (acted.result("plan"), acted.result("gate")) == ("failure", "failure"), acted.why()
    assert acted.code == 1 and acted.ran == {("", "plan"): 1, ("", "gate"): 1}


def test_a_merge_group_is_planned_and_gated(bench: Bench) -> None:
    event = bench.group(HARMLESS["service"])
    acted = bench.play(event)
    assert acted.code == 0 and acted.result("gate") == "success", acted.why()
    assert acted.ran == planned_jobs(bench.folder, bench.plan(event)), acted.why()


def test_a_push_runs_the_pipeline_by_itself(bench: Bench) -> None:
    """Without a caller there are no inputs: the matrix holds every service."""
    event = bench.push(HARMLESS["service"])
    started = [each["pipeline"] for each in bench.plan(event)["workflows"] if each["verdict"] == "RUN"]
    assert started == ["service"]
    acted = bench.play(event, ".github/workflows/service-pipeline.yml")
    assert acted.code == 0, acted.why()
    assert acted.ran == {("", "test"): 6, ("", "run"): 1}, acted.why()


def test_what_the_caller_asks_is_what_the_gate_needs() -> None:
    jobs = load((TREE / CALLER).read_text(), where=CALLER)["jobs"]  # type: ignore[index]
    assert sorted(name for name, job in jobs.items() if "uses" in job) == PIPELINES
