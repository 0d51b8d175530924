"""Annotations: the line of the expectation that failed, the line of a pattern; nothing ends a command too early."""

from __future__ import annotations

import json

import pytest

from mlops.pipelines.reporting import annotations, expectations, findings, sarif
from mlops.pipelines.reporting.annotations import MOST, Annotation
from mlops.routing.audit.findings import Finding
from tests.unit.mlops.pipelines.reporting.making import LINES, receipt, tree, validated

ACTIONS = {"GITHUB_ACTIONS": "true"}
WORKFLOW = ".github/workflows/data-pipeline.yml"


@pytest.fixture
def places(tmp_path):
    return tree(tmp_path)


def test_a_command_holds_its_text() -> None:
    one = Annotation("error", "a,b:c\n::x.json", 3, "t: 1,\r2%", "50 %\n::error::x\r\n")
    assert one.command() == (
        "::error file=a%2Cb%3Ac%0A%3A%3Ax.json,line=3,title=t%3A 1%2C%0D2%25::50 %25%0A::error::x%0D%0A")
    assert Annotation("warning", "f", 0, "t", "m").command() == "::warning file=f,title=t::m"


def test_only_where_actions_reads_them_and_never_on_standard_output(capsys) -> None:
    annotations.show([Annotation("error", "f", 1, "t", "m")], {})
    assert capsys.readouterr() == ("", "")
    annotations.show([Annotation("error", "f", 1, "t", "m")], ACTIONS)
    assert capsys.readouterr() == ("", "::error file=f,line=1,title=t::m\n")


def test_no_more_than_github_shows(capsys) -> None:
    annotations.show([Annotation("error", "f", number, "t", "m") for number in range(1, 30)], ACTIONS)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == MOST and lines[-1].endswith("m (and 19 more like it in the log)")


def test_the_line_of_the_expectation(places) -> None:
    validated(places)
    made = expectations.of_run(places, [receipt("data", "validate", outcome="failure", error="broken")])
    suite = "data/expectations/houses.json"
    assert [(each.level, each.file, each.line) for each in made] == [
        ("error", suite, LINES["between"]), ("error", suite, LINES["null again"])]
    assert made[0].title == "houses: expect_column_values_to_be_between of price"
    assert made[0].message == '2 of 40 rows (5.00%) break it; such as -1, "@octocat | x" (rows 7, 10)'


def test_an_expectation_that_only_warns(places) -> None:
    document = validated(places)
    document["results"] = [{**document["results"][1], "success": False}]
    assert [(each.level, each.line) for each in expectations.of_judgement(places.repository, "houses", document)] == [
        ("warning", LINES["null"])]


def test_other_steps_at_the_data_sets_file(places) -> None:
    made = expectations.of_run(places, [
        receipt("data", "check", outcome="failure", error="3 rows repeat"), receipt("data", "ingest"),
        receipt("model", "train", outcome="failure"), receipt("data", "validate", outcome="failure", error="no suite"),
    ])
    assert [(each.file, each.line, each.message) for each in made] == [
        ("data/datasets/houses.yaml", 0, "3 rows repeat"), ("data/datasets/houses.yaml", 0, "no suite")]


def test_checks_of_a_judgement(places) -> None:
    document = {"results": [], "checks": [
        {"name": "duplicates", "success": False, "severity": "block", "message": "3 rows repeat"},
        {"name": "volume", "success": False, "severity": "warn", "message": "few"},
        {"name": "readable", "success": True, "severity": "block", "message": "40 rows"}]}
    made = expectations.of_judgement(places.repository, "houses", document)
    assert [(each.level, each.title) for each in made] == [
        ("error", "houses: duplicates"), ("warning", "houses: volume")]


@pytest.fixture
def found(tmp_path) -> list[Finding]:
    (tmp_path / WORKFLOW).parent.mkdir(parents=True)
    (tmp_path / WORKFLOW).write_text(
        "on:\n  push:\n    paths:\n      - data/**\n      - 'old/**' # gone\n")
    return [
        Finding("dead-pattern", WORKFLOW, "old/**", (), "matches no tracked file"),
        Finding("input-outside", WORKFLOW, "lib/a.py", (WORKFLOW, "data/x.py", "lib/a.py"), "depends on it"),
        Finding("starts-nothing", "", "odd\udcff :,.txt", ("odd\udcff :,.txt",), "starts no workflow"),
        Finding("broken-workflow", ".github/workflows/gone.yml", ".github/workflows/gone.yml", (), "cannot be read"),
    ]


def test_findings_at_their_lines(tmp_path, found) -> None:
    made = findings.of_audit(tmp_path, found)
    assert [(each.file, each.line) for each in made] == [
        (WORKFLOW, 5), (WORKFLOW, 3), ("odd\udcff :,.txt", 1), (".github/workflows/gone.yml", 1)]
    assert "data/x.py → lib/a.py" in made[1].message


def test_sarif(tmp_path, found) -> None:
    """What SARIF 2.1.0 and GitHub ask of a log (its schema is no part of this tree)."""
    document = sarif.document(tmp_path, found)
    json.dumps(document).encode()
    assert set(document) == {"$schema", "version", "runs"} and document["version"] == "2.1.0"
    run = document["runs"][0]
    driver = run["tool"]["driver"]
    rules = [each["id"] for each in driver["rules"]]
    assert driver["name"] and rules == sorted(set(rules))
    assert all(each["shortDescription"]["text"] for each in driver["rules"])
    assert len(run["results"]) == 4
    for each, finding in zip(run["results"], found, strict=True):
        assert each["level"] == "error" and each["message"]["text"]
        assert rules[each["ruleIndex"]] == each["ruleId"] == finding.rule
        assert len(each["locations"]) == 1
        for place in [*each["locations"], *each.get("relatedLocations", [])]:
            physical = place["physicalLocation"]
            assert physical["artifactLocation"]["uriBaseId"] in run["originalUriBaseIds"]
            assert physical["artifactLocation"]["uri"].isascii() and " " not in physical["artifactLocation"]["uri"]
            assert physical["region"]["startLine"] >= 1
        related = [place["id"] for place in each.get("relatedLocations", [])]
        assert len(related) == len(set(related))
    assert run["results"][0]["locations"][0]["physicalLocation"]["region"] == {"startLine": 5}
    assert run["results"][2]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "odd%FF%20%3A%2C.txt"
    prints = [each["partialFingerprints"]["primaryLocationLineHash"] for each in run["results"]]
    assert len(set(prints)) == 4
    (tmp_path / WORKFLOW).write_text("# a line more\n" + (tmp_path / WORKFLOW).read_text())
    moved = sarif.document(tmp_path, found)["runs"][0]["results"]
    assert [each["partialFingerprints"]["primaryLocationLineHash"] for each in moved] == prints
    assert moved[0]["locations"][0]["physicalLocation"]["region"] == {"startLine": 6}


def test_nothing_found_is_a_log_too(tmp_path) -> None:
    assert sarif.document(tmp_path, [])["runs"][0]["results"] == []
