"""Findings from SARIF files, as a table that nobody outside can write markup into."""

import json
from pathlib import Path
from typing import Any

import pytest

from mlops.errors import InvalidRecordError, MissingInputError
from mlops.pipelines.reporting import sarif, scans
from mlops.routing.audit.findings import Finding


def log(*results: dict[str, Any]) -> str:
    return json.dumps({"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "scan"}}, "results": list(results)}]})


def result(message: str, uri: str = "a.yml") -> dict[str, Any]:
    place = {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": 3}}}
    return {"ruleId": "rule/one", "message": {"text": message}, "locations": [place]}


def test_each_finding_is_a_row(tmp_path: Path) -> None:
    (tmp_path / "one.sarif").write_text(log(result("first"), {"message": {"text": "nowhere"}}))
    (tmp_path / "two.sarif").write_text(log(result("second")))
    told = scans.render([tmp_path / "one.sarif", tmp_path / "two.sarif"])
    assert [line.split(" | ")[-1] for line in told.splitlines() if line.startswith("| scan")] == [
        "first |", "nowhere |", "second |"
    ]
    assert "a.yml:3" in told.replace("&#58;", ":")


def test_what_the_audit_writes_can_be_read(tmp_path: Path) -> None:
    finding = Finding("input-outside", ".github/workflows/x.yml", "a/b.py", ("x.yml", "a/b.py"), "data depends on it")
    path = tmp_path / "audit.sarif"
    path.write_text(json.dumps(sarif.document(tmp_path, [finding])))
    assert [(each.tool, each.rule) for each in scans.read(path)] == [("mlops route audit", "input-outside")]
    path.write_text(json.dumps(sarif.document(tmp_path, [])))
    assert "found nothing" in scans.render([path])


def test_a_stranger_writes_no_markup(tmp_path: Path) -> None:
    path = tmp_path / "x.sarif"
    path.write_text(log(result("<img src=x> | @team [a](http://b)\n::error::x", "a|b`<b>.yml")))
    told = scans.render([path])
    row = next(line for line in told.splitlines() if line.startswith("| scan"))
    assert "<img" not in row and "@team" not in row and "](http" not in row and row.count("|") == 5


def test_many_findings_are_cut_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "x.sarif"
    path.write_text(log(*(result(f"n{number}") for number in range(scans.SHOWN + 7))))
    assert "and 7 more" in scans.render([path])


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"runs": [{}]}', '{"runs": [{"tool": 1, "results": []}]}', "null"]
)
def test_what_is_no_sarif_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.sarif"
    path.write_text(text)
    with pytest.raises(InvalidRecordError):
        scans.read(path)
    with pytest.raises(MissingInputError):
        scans.read(tmp_path / "nowhere")
