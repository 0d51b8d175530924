"""The five workflow files run for real: act executes them in a copy of the repository. See acting.py."""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops.routing.router.yaml12 import load
from tests.contract.acting import CALLER, STAND_INS, TREE, Bench, planned_jobs, third_party
from tests.unit.mlops.pipelines.reporting.github_server import GitHubServer
from tests.unit.mlops.pipelines.reporting.webhooks import SLACK, Proxy, SlackServer, authority

pytestmark = [pytest.mark.engine, pytest.mark.timeout(900)]

PIPELINES = ["data", "main", "model", "service"]
DATA, MODEL, SERVICE = (f".github/workflows/{name}-pipeline.yml" for name in ("data", "model", "service"))
MAIN = ".github/workflows/main.yml"
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
        yield Bench(tmp_path, act, github, versions=["3.11"])


@pytest.fixture
def whole(tmp_path: Path, act: str) -> Iterator[Bench]:
    """With every Python version of the matrices."""
    with GitHubServer() as github:
        yield Bench(tmp_path, act, github)


def test_every_third_party_action_has_a_stand_in() -> None:
    for action, _ in third_party(TREE):
        assert STAND_INS.joinpath(*action.split("/")[1:], "action.yml").is_file(), action


def test_green_on_the_tree(whole: Bench) -> None:
    """Every pipeline is planned, called and green; each job runs as often as its matrix says; the gate opens."""
    event = whole.request({name: text for each in HARMLESS.values() for name, text in each.items()})
    acted = whole.play(event, settings={"CODECOV": "true", "CODE_SCANNING": "true"})
    assert acted.code == 0, acted.why()
    assert not acted.failed and acted.result("gate") == "success"
    assert "the gate is open" in acted.said["", "gate"]
    assert {caller for caller, _ in acted.ran if caller} == set(PIPELINES)
    assert acted.ran == planned_jobs(whole.folder, whole.plan(event)), acted.why()
    # What the actions were given: history for the planner, nothing left behind, the versions of the matrix.
    assert {each["persist-credentials"] for each in acted.given("actions/checkout")} == {"false"}
    checkouts = [each for each in acted.inputs if each["action"] == "actions/checkout"]
    assert {each["job"] for each in checkouts if each["inputs"]["fetch-depth"] == "0"} == {"plan"}
    versions = Counter(
        each["inputs"]["python-version"] for each in acted.inputs
        if each["action"] == "actions/setup-python" and (each["workflow"], each["job"]) == ("main pipeline", "test")
    )
    assert versions == {"3.11": 1, "3.12": 1, "3.13": 1}
    # What is left: artifacts, figures, findings, one comment; no state, and no model but a bounded one.
    wanted = {"plan", *(f"{kind}-{pipeline}" for kind in ("receipts", "reports") for pipeline in PIPELINES)}
    tested = {f"reports-{name}-{version}" for name in ("api", "main") for version in versions}  # predict is not touched
    assert set(acted.artifacts) == wanted | tested
    uploads = Counter((each["flags"], each["report_type"]) for each in acted.given("codecov/codecov-action"))
    assert uploads == {
        (flag, kind): count for kind in ("", "test_results")
        for flag, count in {"api": 3, "data": 1, "model": 1, "main": 3}.items()
    }
    assert [each["category"] for each in acted.given("github/codeql-action/upload-sarif")] == ["zizmor", "audit"]
    assert len(whole.github.comments) == 1
    assert all(name in str(whole.github.comments) for name in PIPELINES)
    assert {each["key"].partition("-")[0] for each in acted.given("actions/cache/save")} == {"packages"}
    assert {path.name.partition("-")[0] for path in acted.receipts("model")} >= {"judge", "train"}
    assert not [path for path in acted.receipts("model") if path.name.startswith(("register", "promote"))]


@pytest.mark.parametrize("pipeline", sorted(DEFECTS))
def test_red_at_the_gate(bench: Bench, pipeline: str) -> None:
    """A defect stops its own pipeline at its own step, no other pipeline starts, and the gate is closed.

    One comes through the merge queue, one from a fork.
    """
    change, (job, step) = DEFECTS[pipeline]
    fork = pipeline == "main"
    event = bench.group(change) if pipeline == "service" else bench.request(change, fork=fork)
    acted = bench.play(
        event, settings={"CODE_SCANNING": "true"},
        without=["tests/unit/data", "tests/unit/model"] if pipeline == "main" else [],
    )
    assert acted.code == 1
    assert acted.result("plan") == "success" and acted.result("gate") == "failure", acted.why()
    assert any(found[:2] == (pipeline, job) and found[2] == step for found in acted.failed)
    assert {each[0] for each in acted.failed} == {pipeline, ""}
    assert f"{pipeline}: " in acted.said["", "gate"].partition("the gate is closed:")[2]
    assert acted.ran == planned_jobs(bench.folder, bench.plan(event)), acted.why()
    assert {caller for caller, _ in acted.ran if caller} == {pipeline}
    if fork:  # what may not be written elsewhere is in the summaries
        assert not bench.github.asked("POST") and not acted.given("github/codeql-action/upload-sarif"), acted.why()
        assert "### Findings of the scanners" in acted.summaries["main", "findings"]
        assert all(name in acted.summaries["", "comment"] for name in PIPELINES)
    else:
        assert len(bench.github.comments) == (event["name"] == "pull_request")


def test_a_planner_that_fails_closes_the_gate(bench: Bench) -> None:
    """Nothing is planned, so nothing runs; every job is skipped, which GitHub itself would call a success."""
    acted = bench.play(bench.request({"mlops/cli/route.py": "\n\ndef app(*_, **__):\n    raise SystemExit(3)\n"}))
    assert (acted.result("plan"), acted.result("gate")) == ("failure", "failure"), acted.why()
    assert acted.code == 1 and acted.ran == {("", "plan"): 1, ("", "gate"): 1, ("", "comment"): 1}


def test_a_planner_that_is_cancelled_closes_the_gate(bench: Bench) -> None:
    """It left a whole plan, by which nothing had to run and nothing did. Only what became of itself closes the gate."""
    assert bench.play(bench.request({})).result("gate") == "success"
    bench.cut("pull-request.yml", "          path: plan.json\n          if-no-files-found: error\n",
              "          path: plan.json\n          if-no-files-found: error\n      - run: exit 1\n")
    # act has one word for every job that did not succeed; GitHub has one of its own for this
    bench.cut("pull-request.yml", ' receipts <<< "$NEEDS"', ' receipts <<< "${NEEDS//failure/cancelled}"')
    acted = bench.play(bench.request({}))
    assert acted.code == 1 and acted.ran == {("", "plan"): 1, ("", "gate"): 1, ("", "comment"): 1}, acted.why()
    problems = acted.said["", "gate"].partition("the gate is closed:")[2].strip().splitlines()
    assert len(problems) == 1 and "the planner (job 'plan') is cancelled" in problems[0], acted.why()


@pytest.mark.parametrize(("file", "text", "instead", "says"), [
    ("pull-request.yml", "      data: ${{ steps.route.outputs.data }}\n", "", "data: was planned"),
    ("data-pipeline.yml", "name: receipts-data", "name: left-data", "receipts: is not a folder"),
])
def test_a_cut_wire_closes_the_gate(bench: Bench, file: str, text: str, instead: str, says: str) -> None:
    """What the rules of test_calls.py would refuse, merged all the same: no defect passes by it."""
    bench.cut(file, text, instead)
    acted = bench.play(bench.request(HARMLESS["data"]))
    assert (acted.result("plan"), acted.result("gate")) == ("success", "failure"), acted.why()
    assert says in acted.said["", "gate"], acted.why()


def test_from_a_push_of_data_to_the_manifest(bench: Bench, tmp_path: Path) -> None:
    """On main each pipeline starts the next one with what it made; the state goes with it from run to run."""
    event = bench.push(HARMLESS["data"])
    assert [each["pipeline"] for each in bench.plan(event)["workflows"] if each["verdict"] == "RUN"] == ["data"]
    acted = bench.play(event, DATA)
    assert acted.code == 0 and acted.ran == {("", "run"): 1, ("", "handover"): 1}, acted.why()
    workflow, inputs = handed_over(bench)
    assert workflow == "model-pipeline.yml" and re.fullmatch(r"housing=\w+ lab=\w+", inputs["data"])

    acted = bench.play(bench.dispatch(inputs), MODEL)
    assert acted.code == 0 and acted.ran == {("", "run"): 1, ("", "handover"): 1}, acted.why()
    workflow, inputs = handed_over(bench)
    assert (workflow, inputs) == ("service-pipeline.yml", {"models": "housing=1 lab=1"})

    manifests = manifest_repository(tmp_path / "manifests.git")
    role = "arn:aws:iam::123456789012:role/deploy"
    acted = bench.play(
        bench.dispatch(inputs), SERVICE, runner={
            "ACTIONS_ID_TOKEN_REQUEST_URL": "https://localhost/token", "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "a-token",
        }, settings={
            "DEPLOY": "true", "AWS_ROLE_ARN": role, "AWS_REGION": "eu-central-1", "EKS_CLUSTER_NAME": "production",
            "MANIFEST_REPOSITORY": manifests.as_uri(), "MANIFEST_PATH": "production",
        },
    )
    assert acted.code == 0 and acted.ran == {("", "test"): 2, ("", "run"): 1, ("", "deploy"): 1}, acted.why()
    assert [each["inputs"] for each in acted.inputs if each["action"].startswith("aws-actions/")] == [
        {"aws-region": "eu-central-1", "role-to-assume": role, "aws-access-key-id": "", "aws-secret-access-key": ""}
    ]
    written = git(manifests, "show", "main:production/release.yaml")
    assert len(re.findall(r"sha256: ['\"]?sha256:[0-9a-f]{64}", written)) == 2, written

    # Nothing that the steps read has changed: all are up to date by the state that was kept, and nothing is new.
    count = len(bench.github.asked("POST"))
    acted = bench.play(bench.push({"data/notes.txt": "Another line.\n"}), DATA)
    assert acted.code == 0 and "nothing new to hand over" in acted.said["", "handover"], acted.why()
    assert len(bench.github.asked("POST")) == count
    # the pages of Data Docs are a report: no state, but made for each run's artifact
    assert {path.name.partition("-")[0] for path in acted.receipts("data", "success")} <= {"docs"}, acted.why()
    assert "cached" in acted.outcomes("data")


def test_a_push_of_documents_runs_the_main_pipeline_and_tells_the_team(bench: Bench, tmp_path: Path) -> None:
    """The run before failed, so that this one is news. Slack is a server on this machine, behind a proxy."""
    bench.cut("main.yml", "run: make lint\n", "run: scripts/lint flake8\n")  # all of it runs in the green request
    bench.github.run("main.yml", "", event="push", conclusion="failure")
    event = bench.push(HARMLESS["main"])
    assert [each["pipeline"] for each in bench.plan(event)["workflows"] if each["verdict"] == "RUN"] == ["main"]
    certificate, tls = authority(tmp_path)
    with SlackServer(tls) as slack, Proxy(slack.port) as proxy:
        acted = bench.play(
            event, MAIN, settings={"NOTIFY": "true"}, secrets={"MLOPS_NOTIFY_SLACK": SLACK},
            without=["tests/unit/data", "tests/unit/model"], runner={
                "GITHUB_WORKFLOW_REF": f"team/tree/{MAIN}@refs/heads/main",
                "REQUESTS_CA_BUNDLE": str(certificate), "HTTPS_PROXY": proxy.address, "NO_PROXY": "127.0.0.1,localhost",
            },
        )
    jobs = ("tree", "test", "findings", "notify")
    assert acted.code == 0 and acted.ran == {("", job): 1 for job in jobs}, acted.why()
    assert acted.receipts("main") and not acted.given("github/codeql-action/upload-sarif")
    assert len(slack.seen) == 1 and "works again" in str(slack.seen[0].body), acted.why()
    assert not any(SLACK.rpartition("/")[2] in text for text in acted.said.values())


def handed_over(bench: Bench) -> tuple[str, dict[str, str]]:
    """The workflow that was started last by its name, and with what."""
    last = bench.github.asked("POST")[-1]
    assert last.path.endswith("/dispatches") and last.body["ref"] == "main"
    return last.path.split("/")[-2], last.body["inputs"]


def manifest_repository(path: Path) -> Path:
    git(path.parent, "init", "--quiet", "--bare", "--initial-branch=main", str(path))
    text = "images:\n- name: predict\n  digest: sha256:" + "1" * 64 + "\n"
    stream = "commit refs/heads/main\ncommitter T <t@t> 1 +0000\ndata 1\nx\n"
    stream += "M 100644 inline production/kustomization.yaml\n"
    git(path, "fast-import", "--quiet", stream=f"{stream}data {len(text)}\n{text}\n")
    return path


def git(folder: Path, *words: str, stream: str = "") -> str:
    return subprocess.run(
        ["git", "-C", folder, *words], input=stream, check=True, capture_output=True, text=True
    ).stdout


def test_what_the_caller_asks_is_what_the_gate_needs() -> None:
    jobs = load((TREE / CALLER).read_text(), where=CALLER)["jobs"]  # type: ignore[index]
    assert sorted(name for name, job in jobs.items() if "uses" in job) == PIPELINES
