"""A second defect in a column is found beside one that leaves the column text; what is told names columns and rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlops.data_pipeline import read_dataset
from mlops.data_pipeline.judge import Judgement, judge

DECLARED = """title: a
source: rows.csv
suite: data/expectations/heights.json
identity: rows
columns: {height: {type: float}, depth: {type: float}}
checks:
  rules:
    - {name: no deeper than high, rule: depth <= height, message: it is deeper than high}
    - {name: together, rule: "CORR(height, depth) > 0.5", message: they have nothing in common}
"""
SUITE = [
    {"type": "expect_column_values_to_be_in_type_list", "kwargs": {"column": "height", "type_list": ["float64"]}},
    {"type": "expect_column_values_to_be_between", "kwargs": {"column": "height", "min_value": 1, "max_value": 500}},
]


@pytest.fixture
def judged(tmp_path: Path) -> Any:
    """Judges 400 rows, of which some cells are changed: (row from 1, column) → text."""
    for folder in ("datasets", "expectations"):
        (tmp_path / "data" / folder).mkdir(parents=True)
    (tmp_path / "data/datasets/heights.yaml").write_text(DECLARED)
    (tmp_path / "data/expectations/heights.json").write_text(json.dumps({"name": "heights", "expectations": SUITE}))

    def judged(changes: dict[tuple[int, int], str]) -> Judgement:
        lines = [
            ",".join(changes.get((row, column), text) for column, text in enumerate((f"{row + 10}.5", f"{row}.25")))
            for row in range(1, 401)
        ]
        (tmp_path / "rows.csv").write_text("\n".join(["height,depth", *lines]) + "\n")
        return judge(read_dataset(tmp_path, "heights"))

    return judged


def test_clean_rows_pass(judged: Any) -> None:
    assert judged({}).verdict == "pass"


def test_numbers_beside_text_are_judged(judged: Any) -> None:
    judgement = judged({(7, 0): "N.A.", (9, 0): "-3.5", (40, 0): "9999"})
    findings = {each["expectation"]: each for each in judgement.document["findings"]}
    assert tuple(findings["expect_column_values_to_be_in_type_list"]["rows"]) == (7,)
    assert tuple(findings["expect_column_values_to_be_between"]["rows"]) == (9, 40)
    checks = {each["name"]: each for each in judgement.document["checks"]}
    assert checks["types"]["details"]["count"] == 1
    assert checks["no deeper than high"]["details"]["rows"] == [9], "text is not compared with numbers"
    assert not judgement.document["results"][1]["success"], "Great Expectations' own result stays as it is"


def test_text_alone_is_told_as_text(judged: Any) -> None:
    judgement = judged({(7, 0): "N.A."})
    assert judgement.verdict == "fail" and "holds text where numbers are expected" in judgement.summary()
    assert [each["name"] for each in judgement.document["checks"] if not each["success"]] == ["types"]


def test_a_broken_rule_names_its_columns_and_all_rows(judged: Any) -> None:
    judgement = judged({(row, 1): f"{row + 200}" for row in range(100, 120)})
    told = next(each for each in judgement.document["checks"] if each["name"] == "no deeper than high")
    assert told["details"]["columns"] == ["depth", "height"] and "(depth, height)" in told["message"]
    assert told["details"]["rows"] == list(range(100, 120))
    mixed = judged({(row, 1): f"{row * 137 % 211 / 100}" for row in range(1, 401)})
    told = next(each for each in mixed.document["checks"] if each["name"] == "together")
    assert not told["success"] and told["details"]["columns"] == ["height", "depth"] and "(height, depth)" in told[
        "message"]
