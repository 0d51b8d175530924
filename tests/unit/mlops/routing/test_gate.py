"""The gate over every combination of plan and results."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from mlops.errors import InvalidRecordError, MissingInputError
from mlops.records import Plan, Receipt, WorkflowVerdict
from mlops.records.gate import read_needs
from mlops.routing.gate import decide, judge, read_receipts

NAMES = ("service", "data", "model", "main")
VERDICTS = ("RUN", "SKIP", "UNKNOWN")
RESULTS = ("success", "failure", "cancelled", "skipped", "missing")
CALLER = ".github/workflows/pull-request.yml"


def workflow(pipeline: str, verdict: str, called_by: str | None = CALLER) -> WorkflowVerdict:
    return WorkflowVerdict(
        workflow=f".github/workflows/{pipeline}.yml",
        pipeline=pipeline,
        verdict=verdict,
        reason="r",
        called_by=called_by,  # type: ignore[arg-type]
    )


def plan_of(*verdicts: str, own: bool = True, called_by: str | None = CALLER) -> Plan:
    workflows = [workflow(name, verdict, called_by) for name, verdict in zip(NAMES, verdicts, strict=False)]
    if own:
        workflows.append(workflow("pull-request", "RUN", None))
    return Plan(event="pull_request", ref="refs/heads/main", files=["x"], workflows=workflows)


def needs_of(*results: str, planner: str = "success") -> dict[str, str]:
    found = {name: result for name, result in zip(NAMES, results, strict=False) if result != "missing"}
    return {"plan": planner, **found} if planner != "missing" else found


def fits(verdict: str, result: str) -> bool:
    """Written apart from the gate: planned is success, unplanned is skipped, nothing else."""
    return (verdict, result) in {("RUN", "success"), ("UNKNOWN", "success"), ("SKIP", "skipped")}


@pytest.mark.parametrize(("own", "called_by"), [(True, CALLER), (False, CALLER), (False, None), (True, None)])
def test_every_combination_of_two_pipelines_and_the_planner(own: bool, called_by: str | None) -> None:
    count = opened = 0
    for one, two in itertools.product(itertools.product(VERDICTS, RESULTS), repeat=2):
        for planner in RESULTS:
            verdict = decide(
                plan_of(one[0], two[0], own=own, called_by=called_by), needs_of(one[1], two[1], planner=planner)
            )
            expected = planner == "success" and fits(*one) and fits(*two)
            assert verdict.open is expected, (one, two, planner, verdict.problems)
            assert verdict.open is not bool(verdict.problems)
            count, opened = count + 1, opened + verdict.open
    assert (count, opened) == (15 * 15 * 5, 9)


def test_every_combination_of_all_four() -> None:
    fitting = {"RUN": "success", "UNKNOWN": "success", "SKIP": "skipped"}
    for verdicts in itertools.product(VERDICTS, repeat=4):
        for results in itertools.product(RESULTS, repeat=4):
            expected = all(fitting[verdict] == result for verdict, result in zip(verdicts, results, strict=True))
            assert judge(plan_of(*verdicts), needs_of(*results, planner="missing")).open is expected


def test_every_pipeline_has_its_line() -> None:
    verdict = decide(plan_of("RUN", "SKIP", "RUN", "SKIP"), needs_of("success", "skipped", "failure", "success"))
    assert [(each.pipeline, each.planned, each.result, each.ok) for each in verdict.pipelines] == [
        ("service", True, "success", True),
        ("data", False, "skipped", True),
        ("model", True, "failure", False),
        ("main", False, "success", False),
    ]
    assert len(verdict.problems) == 2


def test_a_plan_without_workflows_never_opens() -> None:
    assert not decide(Plan(event="push", ref=None, files=[], workflows=[]), {"plan": "success"}).open
    assert not decide(plan_of(), {"plan": "success"}).open  # the caller alone is nothing to judge by


def test_a_job_that_the_plan_does_not_know_never_opens() -> None:
    assert not decide(plan_of("RUN"), needs_of("success") | {"surprise": "success"}).open
    assert not decide(plan_of("RUN"), needs_of("success") | {"surprise": "skipped"}).open


def test_a_planned_pipeline_without_a_job_never_opens() -> None:
    strange = Plan(
        event="pull_request",
        ref=None,
        files=[],
        workflows=[*plan_of("RUN").workflows, workflow("strange", "RUN", None)],
    )
    assert not decide(strange, needs_of("success")).open
    assert decide(strange, needs_of("success"), beside=["strange"]).open
    assert not decide(strange, needs_of("success") | {"strange": "failure"}, beside=["strange"]).open


def test_a_cut_wire_from_the_caller_to_a_pipeline_never_opens() -> None:
    plan = plan_of("RUN")
    cut = Plan(event=plan.event, ref=None, files=[], workflows=[*plan.workflows, workflow("data", "SKIP", None)])
    assert not decide(cut, needs_of("success")).open


def test_a_workflow_that_neither_starts_nor_is_called_is_no_ones_business() -> None:
    plan = plan_of("RUN")
    night = Plan(event=plan.event, ref=None, files=[], workflows=[*plan.workflows, workflow("night", "SKIP", None)])
    assert decide(night, needs_of("success")).open


def test_two_workflows_of_one_name_that_contradict_each_other_never_open() -> None:
    plan = Plan(event="push", ref=None, files=[], workflows=[workflow("data", "RUN"), workflow("data", "SKIP")])
    for result in RESULTS:
        assert not decide(plan, {"plan": "success", "data": result}).open


def receipt(**more: Any) -> Receipt:
    fields: dict[str, Any] = {
        "run_id": "r",
        "parent_id": None,
        "pipeline": "service",
        "step": "test",
        "subject": "api",
        "key": "k",
        "code": "c",
        "inputs": [],
        "outputs": [],
        "outcome": "success",
        "started": "2026-01-01T00:00:00+00:00",
        "seconds": 1.0,
    }
    return Receipt(**(fields | more))


def test_receipts() -> None:
    plan, needs = plan_of("RUN", "SKIP"), needs_of("success", "skipped")
    assert decide(plan, needs).open
    assert not decide(plan, needs, []).open
    assert decide(plan, needs, [receipt()]).open
    assert decide(plan, needs, [receipt(outcome="cached")]).open
    assert not decide(plan, needs, [receipt(outcome="failure", error="why")]).open
    assert not decide(plan, needs, [receipt(pipeline="data")]).open
    healed = [receipt(outcome="failure"), receipt(started="2026-01-02T00:00:00+00:00")]
    assert decide(plan, needs, healed).open and decide(plan, needs, healed[::-1]).open
    assert not decide(plan, needs, [*healed, receipt(step="lint", outcome="failure")]).open


def test_receipts_are_read_from_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "one.json").write_bytes(receipt().to_json())
    assert read_receipts(tmp_path) == [receipt()]
    (tmp_path / "two.json").write_text("{}")
    with pytest.raises(InvalidRecordError):
        read_receipts(tmp_path)
    with pytest.raises(MissingInputError):
        read_receipts(tmp_path / "nowhere")


def test_needs_as_github_writes_them() -> None:
    text = json.dumps(
        {"plan": {"result": "success", "outputs": {"data": "true"}}, "data": {"result": "skipped", "outputs": {}}}
    )
    assert read_needs(text, where="needs") == {"plan": "success", "data": "skipped"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        "null",
        '{"plan": "success"}',
        '{"plan": {}}',
        '{"plan": {"result": "Success"}}',
        '{"plan": {"result": "neutral"}}',
        '{"plan": {"result": null}}',
        '{"plan": {"result": ["success"]}}',
        '{"plan": {"result": "failure"}, "plan": {"result": "success"}}',
        '{"plan": {"result": "failure", "result": "success"}}',
        "[" * 100_000,
        "\ufeff{}",
    ],
)
def test_a_malformed_file_is_refused(text: str) -> None:
    with pytest.raises(InvalidRecordError):
        read_needs(text, where="needs")


def test_a_result_that_nobody_knows_is_refused() -> None:
    with pytest.raises(InvalidRecordError, match="neutral"):
        judge(plan_of("RUN"), {"service": "neutral"})
