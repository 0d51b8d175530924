"""What the gate takes as proof: the receipts that the workflows' artifacts hold, in whatever folders they come."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from mlops.cli.gate import gate as command
from mlops.pipelines.receipts import leave
from mlops.records import Plan, Receipt, WorkflowVerdict

COMMIT, OTHER = "a" * 40, "b" * 40
PIPELINES = ("service", "data", "model", "main")
CALLER = ".github/workflows/pull-request.yml"


def plan_of(*planned: str, level: Any = "full", commit: str | None = COMMIT) -> Plan:
    return Plan(
        event="pull_request", ref="refs/heads/main", files=["x"], level=level, commit=commit,
        workflows=[
            WorkflowVerdict(
                workflow=f".github/workflows/{name}.yml", pipeline=name, called_by=CALLER, reason="why",
                verdict="RUN" if name in planned else "SKIP",
            ) for name in PIPELINES
        ],
    )


def receipt(pipeline: str, step: str, subject: str = "", **more: Any) -> Receipt:
    fields: dict[str, Any] = {
        "run_id": "r", "parent_id": f"run of {pipeline}", "key": "k", "code": "c", "inputs": [], "outputs": [],
        "outcome": "success", "started": "2026-01-01T00:00:00+00:00", "seconds": 1.0,
    }
    return Receipt(pipeline=pipeline, step=step, subject=subject, **(fields | more))


def steps_of(pipeline: str, **more: Any) -> list[Receipt]:
    if pipeline == "model":
        return [
            receipt("model", "tracking", outcome="cached"),
            *(receipt("model", step, "lab", **({"level": "full"} | more)) for step in ("train", "evaluate")),
        ]
    return [receipt(pipeline, step, **more) for step in ("first", "second")]


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    """The download folder: a folder an artifact, in it what each pipeline's job has uploaded."""
    folder = tmp_path / "receipts"
    for name in PIPELINES:
        leave(folder / f"receipts-{name}" / name, steps_of(name), COMMIT)
    return folder


def ask(tmp_path: Path, plan: Plan, folder: Path, capsys: Any) -> tuple[int, list[str]]:
    """Exit code and problems of `mlops gate` itself."""
    from mlops.cli.common import Format
    from mlops.cli.declared import Exit
    from mlops.errors import MlopsError

    planned = {each.pipeline for each in plan.workflows if each.verdict == "RUN"}
    needs = {"plan": {"result": "success"}} | {
        name: {"result": "success" if name in planned else "skipped"} for name in PIPELINES
    }
    (tmp_path / "plan.json").write_bytes(plan.to_json())
    (tmp_path / "needs.json").write_text(json.dumps(needs))
    try:
        command(tmp_path / "plan.json", tmp_path / "needs.json", folder, None, Format.JSON)
    except Exit as end:
        return int(end.code or 0), json.loads(capsys.readouterr().out)["problems"]
    except MlopsError as error:
        return error.exit_code, [str(error)]
    raise AssertionError("the command always ends with an exit code")


def test_side_by_side_merged_and_bare_folders_open_it(artifacts: Path, tmp_path: Path, capsys: Any) -> None:
    assert ask(tmp_path, plan_of(*PIPELINES), artifacts, capsys) == (0, [])
    merged = tmp_path / "merged"
    for each in artifacts.iterdir():
        shutil.copytree(each, merged, dirs_exist_ok=True)
    assert ask(tmp_path, plan_of(*PIPELINES), merged, capsys) == (0, [])
    assert ask(tmp_path, plan_of("data"), artifacts / "receipts-data", capsys) == (0, [])


def test_nothing_planned_needs_no_folder(tmp_path: Path, capsys: Any) -> None:
    assert ask(tmp_path, plan_of(), tmp_path / "nowhere", capsys) == (0, [])
    code, _ = ask(tmp_path, plan_of("data"), tmp_path / "nowhere", capsys)
    assert code == 2


def test_jobs_of_a_matrix_each_leave_their_own(artifacts: Path, tmp_path: Path, capsys: Any) -> None:
    for version in ("3.11", "3.12"):
        left = [receipt("service", "test", service, parent_id=version) for service in ("api", "predict")]
        leave(artifacts / f"receipts-service-{version}" / "service", left, COMMIT)
    assert ask(tmp_path, plan_of("service"), artifacts, capsys) == (0, [])
    (artifacts / "receipts-service-3.12" / "service" / "test-api.json").unlink()
    code, problems = ask(tmp_path, plan_of("service"), artifacts, capsys)
    assert code == 1 and problems == ["service: its run left 2 receipt(s), and here are 1"]


def test_up_to_date_is_success(artifacts: Path, tmp_path: Path, capsys: Any) -> None:
    leave(artifacts / "receipts-data" / "data", steps_of("data", outcome="cached"), COMMIT)
    assert ask(tmp_path, plan_of("data"), artifacts, capsys) == (0, [])


def test_a_bounded_plan_takes_bounded_receipts_and_no_others(artifacts: Path, tmp_path: Path, capsys: Any) -> None:
    asked = plan_of("model", level="bounded")
    code, problems = ask(tmp_path, asked, artifacts, capsys)
    assert code == 1 and "its step train lab ran full, and bounded was planned" in "\n".join(problems)
    leave(artifacts / "receipts-model" / "model", steps_of("model", level="bounded"), COMMIT)
    assert ask(tmp_path, asked, artifacts, capsys) == (0, [])
    code, problems = ask(tmp_path, plan_of("model"), artifacts, capsys)
    assert code == 1 and "ran bounded, and full was planned" in problems[0]


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_each_pipeline_must_have_left_its_own(pipeline: str, artifacts: Path, tmp_path: Path, capsys: Any) -> None:
    shutil.rmtree(artifacts / f"receipts-{pipeline}")
    code, problems = ask(tmp_path, plan_of(*PIPELINES), artifacts, capsys)
    assert (code, problems) == (1, [f"{pipeline}: was planned, and left no receipt"])
    leave(artifacts / f"receipts-{pipeline}" / pipeline, [])  # what a run that was killed has left
    assert ask(tmp_path, plan_of(*PIPELINES), artifacts, capsys)[0] == 1
    others = [each for each in PIPELINES if each != pipeline]
    assert ask(tmp_path, plan_of(*others), artifacts, capsys) == (0, [])


def test_receipts_of_another_commit_prove_nothing(artifacts: Path, tmp_path: Path, capsys: Any) -> None:
    leave(artifacts / "receipts-data" / "data", steps_of("data"), OTHER)
    code, problems = ask(tmp_path, plan_of("data", "model"), artifacts, capsys)
    assert code == 1 and len(problems) == 2 and "bbbbbbbbbbbb, the plan of aaaaaaaaaaaa" in problems[0]
    assert ask(tmp_path, plan_of("data", "model", commit=None), artifacts, capsys)[0] == 1, "of two commits"
    leave(artifacts / "receipts-data" / "data", steps_of("data"), None)
    assert ask(tmp_path, plan_of("data", "model"), artifacts, capsys)[0] == 1, "one tells no commit, others do"


def test_a_store_whose_receipts_tell_no_commit_is_taken(tmp_path: Path, capsys: Any) -> None:
    leave(tmp_path / "store" / "data", steps_of("data"))
    assert ask(tmp_path, plan_of("data"), tmp_path / "store", capsys) == (0, [])


@pytest.mark.parametrize("kept", [0, 1, 40, -2])
def test_a_receipt_that_is_cut_is_no_answer(kept: int, artifacts: Path, tmp_path: Path, capsys: Any) -> None:
    victim = artifacts / "receipts-main" / "main" / "first.json"
    victim.write_bytes(victim.read_bytes()[:kept])
    code, problems = ask(tmp_path, plan_of("main"), artifacts, capsys)
    assert code == 2 and "first.json" in problems[0]


def test_a_failure_closes_it_whoever_it_is_of(artifacts: Path, tmp_path: Path, capsys: Any) -> None:
    place = artifacts / "receipts-data" / "data" / "second.json"
    failed = msgspec.structs.replace(
        msgspec.json.decode(place.read_bytes(), type=Receipt), outcome="failure", error="column x is bad"
    )
    place.write_bytes(failed.to_json())
    for planned in (("data",), PIPELINES, ("main",)):
        code, problems = ask(tmp_path, plan_of(*planned), artifacts, capsys)
        assert code == 1 and "column x is bad" in problems[0]
