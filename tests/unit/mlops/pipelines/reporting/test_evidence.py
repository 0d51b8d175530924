"""What a pipeline left is read as it is, most of all where something went wrong: cut off, killed, missing, damaged."""

from __future__ import annotations

import json

import msgspec
import pytest

from mlops.pipelines.reporting import evidence, summary
from mlops.records import Artifact, Plan, RunRecord
from mlops.records.report import PipelineReport
from tests.unit.mlops.pipelines.reporting.making import LINES, ran, receipt, stored, tree, validated

JUNIT = (
    '<testsuites><testsuite errors="1" failures="1" skipped="2" tests="9" time="1.25">'
    '<testcase classname="a" name="b[|x]"><failure message="@octocat&#10;more">t</failure></testcase>'
    '<testcase classname="a" name="c"><error>no fixture</error></testcase></testsuite></testsuites>'
)


@pytest.fixture
def places(tmp_path):
    return tree(tmp_path)


def failed(places) -> PipelineReport:
    """The report on a run in which validation failed."""
    validated(places)
    ran(
        places, "data", receipt("data", "ingest", outcome="cached", facts={"rows": 40, "simulated": True}),
        receipt("data", "validate", outcome="failure", error="the data breaks 2 of 4 expectations\n  - price | x"),
        blocked=("data/process/houses", "data/version/houses"),
    )
    return evidence.gather(places, "data")


def test_nothing_ran(places) -> None:
    report = evidence.gather(places, "data")
    assert report.outcome == "none" and "nothing ran" in summary.render(report)


def test_receipts_of_an_earlier_run_are_not_this_ones(places) -> None:
    """The cache of a continuous integration brings them; the job ended before the pipeline."""
    stored(places, receipt("data", "version", facts={"version": "aa"}))
    validated(places)
    report = evidence.gather(places, "data")
    assert report.outcome == "none" and not report.steps and not report.data


def test_a_run_that_failed_half_way(places) -> None:
    report = failed(places)
    assert [(each.step, each.outcome) for each in report.steps] == [
        ("ingest", "cached"), ("validate", "failure"), ("process", "blocked"), ("version", "blocked")]
    houses = report.data[0]
    assert (houses.rows, houses.simulated, houses.version, houses.quality) == (40, True, None, None)
    assert (houses.evaluated, houses.successful) == (4, 2)
    assert [(each.unexpected, each.elements, each.line) for each in houses.broken] == [
        (2, 40, LINES["between"]), (1, 40, LINES["null again"])]
    told = summary.render(report)
    for expected in ("❌ failed", "the data breaks 2 of 4 expectations", "2 of 40 (5.00%)", "data/process/houses",
                     "❌ 2 of 4", "⚠️ simulated", f"| {LINES['between']} |"):
        assert expected in told, expected
    assert "@octocat" not in told, "values of the data mention nobody"


def test_a_run_that_was_killed(places) -> None:
    stored(places, receipt("data", "ingest"))
    stored(places, receipt("data", "validate", parent_id="an earlier run"))
    ran(places, "data", ended=False)
    report = evidence.gather(places, "data")
    assert report.killed and report.outcome == "failure" and [each.step for each in report.steps] == ["ingest"]
    assert "did not come to its end" in summary.render(report)


def test_the_last_whole_run_speaks_where_no_pipeline_ran_by_itself(places) -> None:
    record = RunRecord(
        id="w", started="2026-03-01T13:00:00Z", seconds=1.0, outcome="success", commit=None, changed={}, who="me",
        plan=Plan(event="local", ref=None, files=[], workflows=[]), gate=None,
        receipts=[receipt("data", "ingest"), receipt("model", "train")],
    )
    places.runs.mkdir(parents=True)
    (places.runs / "last.json").write_bytes(record.to_json())
    ran(places, "data", receipt("data", "check"))
    assert [each.step for each in evidence.gather(places, "data").steps] == ["ingest"], "it is the newer"
    assert [each.step for each in evidence.gather(places, "model").steps] == ["train"]


def test_tests_and_coverage(places) -> None:
    junit = places.reports / "junit"
    junit.mkdir(parents=True)
    (junit / "data.xml").write_text(JUNIT)
    (junit / "api.xml").write_text('<testsuite tests="3" failures="0" errors="0" skipped="0" time="x"/>')
    (junit / "main.xml").write_text("<half a fi")
    (places.reports / "coverage.xml").write_text('<coverage line-rate="0.8499"/>')
    report = evidence.gather(places, "data")
    assert report.outcome == "failure" and report.coverage == 0.8499
    assert (report.tests[0].tests, report.tests[0].failures, report.tests[0].errors) == (9, 1, 1)
    assert report.tests[0].failed == [("a::b[|x]", "@octocat"), ("a::c", "no fixture")]
    told = summary.render(report)
    assert "84.9 %" in told and "**2**" in told and "@octocat" not in told
    service, main = evidence.gather(places, "service"), evidence.gather(places, "main")
    assert service.outcome == "success" and "its tests passed" in summary.render(service)
    assert main.tests[0].errors == 1 and "cannot be read" in summary.render(main)


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"results": [1, {"success": false}], "statistics": 3}', "\x00"])
def test_a_damaged_validation_is_left_out(places, damage) -> None:
    failed(places)
    (places.data / "houses" / "work" / "default" / "validation.json").write_text(damage)
    (places.repository / "data" / "expectations" / "houses.json").write_text(damage)
    report = evidence.gather(places, "data")
    assert report.outcome == "failure" and "❌ failed" in summary.render(report)


def test_damaged_records_are_passed(places) -> None:
    ran(places, "data", receipt("data", "validate"), receipt("data", "check"), receipt("data", "version"))
    work = places.data / "houses" / "work" / "default"
    work.mkdir(parents=True)
    for name in ("source.json", "checks.json", "version.json"):
        (work / name).write_text('{"schema": 1}')
    assert evidence.gather(places, "data").outcome == "success"
    assert evidence.gather(places, "data").data[0].checks == []
    places.pipeline_run("data").write_text("{}")
    assert evidence.gather(places, "data").outcome == "none"


def test_models(places) -> None:
    ran(
        places, "model", receipt("model", "train", level="bounded"),
        receipt("model", "evaluate", facts={
            "verdict": "worse", "metric": "rmse", "challenger": 53.5, "champion": 52.25, "champion_version": "2",
            "rows": 826, "reason": "worse by 2 %", "simulated": True}),
        receipt("model", "register", facts={"version": "3"}),
        receipt("model", "promote", outcome="failure", error="worse"),
    )
    work = places.models / "houses" / "work" / "default"
    work.mkdir(parents=True)
    (work / "evaluation.json").write_text(json.dumps({
        "model": "houses", "run_id": "r", "holdout": {"fingerprint": "f", "rows": 826}, "metric": "rmse",
        "metrics": {}, "champion": "2", "champion_metrics": {}, "difference": -1.25, "interval": [-2.0, -0.5],
        "verdict": "worse", "reason": "worse by 2 %"}))
    told = summary.render(evidence.gather(places, "model"))
    assert ("| <code>houses</code> | rmse | 53.5 (v3) | 52.25 (v2) | -1.25 [-2, -0.5] | ❌ worse | – | bounded |"
            in told)
    assert "826 held-out rows, ⚠️ simulated" in told


def test_a_bounded_run_is_told_by_its_own_files(places) -> None:
    """Beside it lie those of the last full run, which a continuous integration brings back."""
    name = "/".join(("models", "houses", "work", "default.bounded", "evaluation.json"))
    bounded = Artifact(namespace="state", name=name, hash="sha256:0")
    ran(places, "model", receipt("model", "evaluate", level="bounded", outputs=[bounded], facts={"verdict": "equal"}))
    for folder, difference in (("default.bounded", 0.5), ("default", 9.0)):
        work = places.models / "houses" / "work" / folder
        work.mkdir(parents=True)
        (work / "evaluation.json").write_text(json.dumps({
            "model": "houses", "run_id": "r", "holdout": {"fingerprint": "f", "rows": 8}, "metric": "rmse",
            "metrics": {}, "champion": "2", "champion_metrics": {}, "difference": difference, "interval": None,
            "verdict": "equal", "reason": ""}))
    assert evidence.gather(places, "model").models[0].difference == 0.5


def test_reports_are_collected_from_artifacts(places, tmp_path) -> None:
    report = failed(places)
    evidence.keep(places, report)
    artifacts = tmp_path / "artifacts"
    (artifacts / "reports-data").parent.mkdir()
    places.reports.rename(artifacts / "reports-data")
    (artifacts / "receipts-model" / "model").mkdir(parents=True)
    (artifacts / "receipts-model" / "model" / "a.json").write_bytes(receipt("model", "train").to_json())
    (artifacts / "receipts-model" / "model" / "b.json").write_text("{}")
    found = evidence.collected(artifacts)
    assert found["data"] == report
    assert [each.step for each in found["model"].steps] == ["train"] and found["model"].outcome == "success"
    assert evidence.collected(tmp_path / "nowhere") == {}


def test_a_pipeline_of_several_jobs_is_told_by_all_of_them(places, tmp_path) -> None:
    """The main pipeline checks the tree in one job and tests it on each Python version in others."""
    ran(places, "main", receipt("main", "check"))
    checked = evidence.gather(places, "main")
    (places.reports / "junit").mkdir(parents=True)
    (places.reports / "junit" / "main.xml").write_text(JUNIT)
    tested = evidence.gather(places, "main")
    bare = {"outcome": "none", "steps": [], "data": [], "models": []}
    good = msgspec.structs.replace(tested, **bare, coverage=0.9, tests=[
        msgspec.structs.replace(tested.tests[0], failures=0, errors=0, failed=[])])
    bad = msgspec.structs.replace(tested, **bare | {"outcome": "failure"}, coverage=0.8)
    for order in ((checked, good, bad), (bad, good, checked)):
        artifacts = tmp_path / order[0].outcome
        for number, report in enumerate(order):
            path = artifacts / f"reports-main-{number}" / "summary" / "main.json"
            path.parent.mkdir(parents=True)
            path.write_bytes(report.to_json())
        found = evidence.collected(artifacts)["main"]
        assert (found.outcome, found.coverage) == ("failure", 0.8)
        assert [each.step for each in found.steps] == ["check"]
        assert [(each.name, each.failures) for each in found.tests] == [("main", 1)]


def test_a_summary_stays_within_what_github_takes(places, tmp_path, capsys) -> None:
    path = tmp_path / "summary"
    path.write_bytes(b"x" * (summary.MOST - 20000))
    report = failed(places)
    assert summary.append(summary.render(report) + "line of text\n" * 9000, path)
    assert path.stat().st_size <= summary.MOST
    assert b"characters are left out" in path.read_bytes()[-300:]
    for _ in range(3):
        summary.append("line of text\n" * 9000, path)
    assert path.stat().st_size <= summary.MOST
    assert not summary.append("shown", None) and capsys.readouterr().out == "shown"
