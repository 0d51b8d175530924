"""What pipelines leave, made by hand: for a tree of its own below a test's folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mlops.config import ConfigManager, Workspace
from mlops.records import Artifact, Blocked, PipelineRun, Receipt

SUITE = """{
  "name": "houses",
  "expectations": [
    {"type": "expect_column_to_exist", "kwargs": {"column": "type"}},
    {
      "kwargs": {"column": "price", "min_value": 0, "max_value": 9},
      "meta": {"type": "no line of mine"},
      "type": "expect_column_values_to_be_between"
    },
    {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "price"}, "severity": "warning"},
    {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "price"}}
  ]
}
"""
LINES = {"between": 8, "null": 10, "null again": 11}


def tree(folder: Path) -> Workspace:
    """A tree with one data set, `houses`, and its suite."""
    for name, content in {
        "data/datasets/houses.yaml": "source: data/raw/houses.csv\nsuite: data/expectations/houses.json\n",
        "data/expectations/houses.json": SUITE, "services/api/app/main.py": "",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return ConfigManager(folder).workspace()


def receipt(pipeline: str, step: str, subject: str = "houses", outcome: str = "success", **more: Any) -> Receipt:
    folder = "models" if pipeline == "model" else "data"
    output = Artifact(namespace="state", name="/".join((folder, subject, "work", "default", step)), hash="sha256:0")
    return Receipt(**{
        "run_id": "r", "parent_id": "run", "pipeline": pipeline, "step": step, "subject": subject, "key": "sha256:0",
        "code": "sha256:0", "inputs": [], "outcome": outcome, "seconds": 1.5,
        "outputs": [output] if outcome != "failure" else [],
        "started": f"2026-03-01T12:00:0{len(step)}Z", **more,
    })


def ran(
    places: Workspace, pipeline: str, *receipts: Receipt, blocked: tuple[str, ...] = (), ended: bool = True
) -> None:
    """The record of a run."""
    path = places.pipeline_run(pipeline)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(PipelineRun(
        run_id="run", pipelines=[pipeline], started="2026-03-01T12:00:00Z", exit_code=0, receipts=list(receipts),
        blocked=[Blocked(step=each, by="data/validate/houses") for each in blocked], ended=ended,
    ).to_json())


def stored(places: Workspace, one: Receipt) -> None:
    """A receipt in the store."""
    path = places.receipts / one.pipeline / f"{one.step}-{one.subject}" / "last.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(one.to_json())


def result(kind: str, success: bool, details: dict[str, Any], **more: Any) -> dict[str, Any]:
    kwargs = {"column": "price", **more.pop("kwargs", {})}
    return {
        "success": success, "expectation_config": {"type": kind, "kwargs": {**kwargs, "batch_id": "b"}, **more},
        "result": details, "exception_info": {"raised_exception": False},
    }


def validated(places: Workspace) -> dict[str, Any]:
    """A validation of houses that breaks the range in 2 of 40 rows and one of two expectations that say the same."""
    document = {
        "success": False, "statistics": {"evaluated_expectations": 4, "successful_expectations": 2},
        "results": [
            result("expect_column_values_to_be_between", False, {
                "unexpected_count": 2, "element_count": 40, "partial_unexpected_list": [-1.0, "@octocat | x"],
                "partial_unexpected_index_list": [6, 9],
            }, kwargs={"min_value": 0, "max_value": 9}, severity="critical"),
            result("expect_column_values_to_not_be_null", True, {}, severity="warning"),
            result("expect_column_values_to_not_be_null", False, {
                "unexpected_count": 1, "element_count": 40, "partial_unexpected_list": [None]}),
        ],
    }
    work = places.data / "houses" / "work" / "default"
    work.mkdir(parents=True, exist_ok=True)
    (work / "source.json").write_text("{}")
    (work / "validation.json").write_text(json.dumps(document))
    return document
