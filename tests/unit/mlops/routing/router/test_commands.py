"""`mlops route` and `mlops gate` as a user and as a runner call them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

Repository = Any  # the class is in conftest.py


def mlops(
    *words: str, cwd: Path, env: dict[str, str] | None = None, input: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GITHUB_")} | (
        env or {}
    )
    return subprocess.run(
        [sys.executable, "-m", "mlops.cli", *words],
        cwd=cwd,
        env=environment,
        input=input,
        capture_output=True,
    )


def test_json_is_one_document_and_nothing_else(repository: Repository) -> None:
    after = repository.commit({"services/a\n::error::x": "x"})
    done = mlops(
        "route",
        "--event",
        "push",
        "--before",
        repository.first,
        "--after",
        after,
        "--ref",
        "refs/heads/main",
        "--format",
        "json",
        cwd=repository.path,
    )
    document = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, b"")
    assert {key: document[key] for key in ("schema", "event", "ref", "files")} == {
        "schema": 1,
        "event": "push",
        "ref": "refs/heads/main",
        "files": ["services/a\n::error::x"],
    }
    service = next(each for each in document["workflows"] if each["pipeline"] == "service")
    assert service == {
        "workflow": ".github/workflows/service-pipeline.yml",
        "pipeline": "service",
        "verdict": "RUN",
        "reason": "a changed file is included",
        "file": "services/a\n::error::x",
        "pattern": "services/**",
        "called_by": None,
    }


def test_a_table_is_safe_to_print(repository: Repository) -> None:
    repository.commit({"services/\n::error::x": "x"})
    done = mlops("route", cwd=repository.path)
    assert done.returncode == 0 and b"RUN" in done.stdout
    assert not any(line.startswith(b"::") for line in done.stdout.splitlines())


def test_paths_from_standard_input(repository: Repository) -> None:
    done = mlops(
        "route",
        "--event",
        "push",
        "--stdin0",
        "--format",
        "json",
        "--repository",
        str(repository.path),
        cwd=Path("/"),
        input="services/ä\0services/ä\0".encode(),
    )
    document = json.loads(done.stdout)
    assert document["files"] == ["services/ä"]
    assert {each["pipeline"]: each["verdict"] for each in document["workflows"]}["service"] == "RUN"


def test_as_a_runner_sets_it(repository: Repository, tmp_path: Path) -> None:
    repository.git("checkout", "-qb", "topic")
    head = repository.commit({"services/a|`b": "x"})
    payload = {
        "action": "opened",
        "pull_request": {"base": {"ref": "main", "sha": "0" * 40}, "head": {"sha": head}},
    }
    (tmp_path / "event.json").write_text(json.dumps(payload))
    env = {
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(tmp_path / "event.json"),
        "GITHUB_REF": "refs/pull/1/merge",
        "GITHUB_SHA": head,
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
    }
    done = mlops(
        "route", "--format", "github", "--output", str(tmp_path / "plan.json"), cwd=repository.path, env=env
    )
    assert (done.returncode, done.stdout) == (0, b"")
    outputs = dict(line.split("=", 1) for line in (tmp_path / "output").read_text().splitlines())
    assert outputs == {
        "main": "false", "pull-request": "true", "service": "true", "services": "[]", "level": "bounded",
        "deploy": "false",
    }
    assert "| service | RUN |" in (tmp_path / "summary").read_text()
    plan = json.loads((tmp_path / "plan.json").read_text())
    assert (plan["event"], plan["ref"]) == ("pull_request", "refs/heads/main")


@pytest.mark.parametrize(
    "words",
    [
        ["--event", "nonsense"],
        ["--format", "xml"],
        ["--event", "push", "--after", "nowhere"],
        ["--repository", "/nowhere"],
        ["--event", "push", "--before", "--output=x"],
        ["stray"],
    ],
)
def test_what_cannot_be_asked_ends_with_2(repository: Repository, words: list[str]) -> None:
    done = mlops("route", *words, cwd=repository.path)
    assert done.returncode == 2 and done.stderr and not done.stdout and b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    "env",
    [
        {"GITHUB_EVENT_NAME": "push"},
        {"GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": "/nowhere"},
        {"GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": "bad.json"},
        {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": "empty.json"},
    ],
)
def test_a_broken_event_ends_with_2(repository: Repository, env: dict[str, str]) -> None:
    (repository.path / "bad.json").write_text("{")
    (repository.path / "empty.json").write_text("{}")
    done = mlops("route", cwd=repository.path, env=env)
    assert done.returncode == 2 and b"Traceback" not in done.stderr


def test_explain(repository: Repository) -> None:
    done = mlops("route", "--explain", "services/a", "--format", "json", cwd=repository.path)
    events = json.loads(done.stdout)["events"]
    assert [each["event"] for each in events] == ["push", "pull_request"]
    assert b"services/**" in mlops("route", "--explain", "services/a", cwd=repository.path).stdout


def test_the_gate_from_plan_to_verdict(repository: Repository, tmp_path: Path) -> None:
    repository.git("checkout", "-qb", "topic")
    repository.commit({"services/a": "x"})
    mlops(
        "route",
        "--event",
        "pull_request",
        "--ref",
        "main",
        "--output",
        str(tmp_path / "plan.json"),
        cwd=repository.path,
    )
    needs = {"plan": {"result": "success"}, "service": {"result": "success"}, "main": {"result": "skipped"}}
    words = ("gate", "--plan", "plan.json", "--needs", "needs.json")
    (tmp_path / "needs.json").write_text(json.dumps(needs))
    assert mlops(*words, cwd=tmp_path).returncode == 0
    done = mlops(
        "gate",
        "--plan",
        "plan.json",
        "--needs",
        "/dev/stdin",
        "--format",
        "json",
        cwd=tmp_path,
        input=json.dumps(needs).encode(),
    )
    assert done.returncode == 0 and json.loads(done.stdout)["open"] is True
    for job, result in (
        ("service", "skipped"),
        ("service", "failure"),
        ("main", "success"),
        ("plan", "failure"),
    ):
        (tmp_path / "needs.json").write_text(json.dumps(needs | {job: {"result": result}}))
        done = mlops(*words, "--format", "json", cwd=tmp_path)
        assert done.returncode == 1 and json.loads(done.stdout)["open"] is False
    for text in ("{", "[]", '{"service": {"result": "odd"}}'):
        (tmp_path / "needs.json").write_text(text)
        assert mlops(*words, cwd=tmp_path).returncode == 2
    assert mlops("gate", "--plan", "nowhere", "--needs", "needs.json", cwd=tmp_path).returncode == 2
    (tmp_path / "needs.json").write_text(json.dumps(needs))
    assert mlops(*words, "--receipts", ".", cwd=tmp_path).returncode == 2  # no receipts in there
    assert mlops(*words, "--receipts", "nowhere", cwd=tmp_path).returncode == 2
    (tmp_path / "needs.json").write_text(json.dumps(needs | {"service": {"result": "skipped"}}))
    done = mlops(*words, "--receipts", "nowhere", cwd=tmp_path)  # closed already, and it says by what
    assert done.returncode == 1 and b"service: was planned" in done.stdout
    plan = json.loads((tmp_path / "plan.json").read_text())
    for each in plan["workflows"]:
        each["verdict"] = "SKIP"
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    (tmp_path / "needs.json").write_text(json.dumps(needs | {"service": {"result": "skipped"}}))
    # where nothing was planned nothing left a receipt, and no folder of them is there
    assert mlops(*words, "--receipts", "nowhere", cwd=tmp_path).returncode == 0


def test_a_folder_without_git_is_routed_by_the_files_that_lie_there(tmp_path: Path) -> None:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "x.yml").write_text("on: {push: {paths: [a/**]}}")
    done = mlops(
        "route",
        "--event",
        "push",
        "--ref",
        "main",
        "--stdin0",
        "--format",
        "json",
        cwd=tmp_path,
        input=b"a/b",
    )
    assert [each["verdict"] for each in json.loads(done.stdout)["workflows"]] == ["RUN"]


def outputs(repository: Repository, tmp_path: Path, files: list[str]) -> dict[str, str]:
    (tmp_path / "output").write_text("")
    words = ("route", "--event", "push", "--stdin0", "--format", "github")
    done = mlops(
        *words,
        cwd=repository.path,
        env={"GITHUB_OUTPUT": str(tmp_path / "output")},
        input="\0".join(files).encode(),
    )
    assert done.returncode == 0
    return dict(line.split("=", 1) for line in (tmp_path / "output").read_text().splitlines())


def test_only_affected_services_are_tested(repository: Repository, tmp_path: Path) -> None:
    workflow = {
        ".github/workflows/service-pipeline.yml": "on: {push: {paths: [services/**, shared/**]}, workflow_call: }"
    }
    repository.commit({"services/api/app/a.py": "", "services/predict/app/a.py": "", **workflow})
    assert outputs(repository, tmp_path, ["services/api/x", "README.md"])["services"] == '["api"]'
    assert (
        outputs(repository, tmp_path, ["services/api/x", "services/predict/y"])["services"]
        == '["api", "predict"]'
    )
    assert outputs(repository, tmp_path, ["services/api/x", "shared/y"])["services"] == '["api", "predict"]'
    assert outputs(repository, tmp_path, ["services/README.md"])["services"] == '["api", "predict"]'


def test_no_name_of_a_workflow_file_switches_an_output_off(repository: Repository, tmp_path: Path) -> None:
    repository.commit(
        {
            ".github/workflows/a\nservice=false.yml": "on: push",
            ".github/workflows/service.yml": "on: workflow_dispatch",
            ".github/workflows/services.yml": "on: push",
        }
    )
    found = outputs(repository, tmp_path, ["services/api/x"])
    assert found["service"] == "true" and found["services"] == "[]"


def test_options_go_before_what_the_runner_says(repository: Repository, tmp_path: Path) -> None:
    after = repository.commit({"services/a": "x"})
    (tmp_path / "event.json").write_text(
        json.dumps({"ref": "refs/heads/other", "before": "1" * 40, "after": after})
    )
    env = {"GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": str(tmp_path / "event.json")}
    done = mlops(
        "route",
        "--before",
        repository.first,
        "--ref",
        "main",
        "--format",
        "json",
        cwd=repository.path,
        env=env,
    )
    document = json.loads(done.stdout)
    assert (document["ref"], document["files"]) == ("refs/heads/main", ["services/a"])
