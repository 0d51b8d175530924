"""Data beyond memory gives what data in memory gives: the same files, checks and verdicts; memory does not grow."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mlops.config import Workspace
from mlops.data_pipeline import Dataset, steps
from mlops.data_pipeline.judge import judge
from mlops.data_pipeline.tables import on_disk, rows, table_file
from mlops.data_pipeline.versioning import versions
from mlops.records import CheckResult, DataVersion

CHECKS = """\
checks:
  keys: [{columns: [name, age]}]
  references: [{columns: [name], to: data/raw/names.csv, severity: warn}]
  duplicates: {maximum_share: 1.0}
"""
FEATURES = "split: {test: 0.25}\nfeatures: {age: {scale: standard}, kind: {operation: one_hot, of: name}}"
FILES = (steps.INGESTED, steps.PROCESSED, steps.TRAIN, steps.TEST, steps.PARTS, steps.CHECKS)


@pytest.fixture
def streamed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """From now on a handful of rows is too many for memory."""

    def set_() -> None:
        monkeypatch.setattr(rows, "IN_MEMORY", 0)
        monkeypatch.setattr(on_disk, "HELD", 600)
        monkeypatch.setattr(table_file, "ROWS", 512)
        monkeypatch.setattr(rows, "group_rows", lambda width: 13)

    return set_


@pytest.fixture
def checked(change: Any, tree: Path) -> Dataset:
    (tree / "data" / "raw" / "names.csv").write_text("name\np1\np2\np3\np4\np5\np6\n")
    change("identity: rows", "identity: rows\nprocess_takes: rows")
    dataset: Dataset = change("checks:\n", CHECKS)
    return dataset


def walk(places: Workspace, dataset: Dataset, work: Path) -> DataVersion:
    for step in (steps.ingest, steps.validate, steps.process, steps.check):
        step(places, dataset, work)
    return steps.version(places, dataset, work)


@pytest.mark.parametrize("features", [False, True])
def test_every_step_leaves_the_same_bytes(
    places: Workspace, checked: Dataset, work: Path, streamed: Any, change: Any, features: bool
) -> None:
    dataset = change("split: {test: 0.25}", FEATURES) if features else checked
    known = walk(places, dataset, work)
    before = {name: (work / name).read_bytes() for name in FILES}
    failed = [each for each in known.checks if not each.success]
    assert [(each.name, each.details["count"]) for each in failed] == [("reference name to data/raw/names.csv", 9)]
    streamed()
    assert walk(places, dataset, work) == known
    assert {name: (work / name).read_bytes() for name in FILES} == before
    assert not [path for path in work.iterdir() if "scratch" in path.name]


def test_a_version_is_no_link_to_the_work_folder(places: Workspace, dataset: Dataset, work: Path) -> None:
    record = walk(places, dataset, work)
    kept = versions.folder_of(places, "people", record.version) / steps.TRAIN
    content = kept.read_bytes()
    with (work / steps.TRAIN).open("ab") as file:
        file.write(b"changed in its place")
    assert kept.read_bytes() == content


@pytest.mark.parametrize("plant", ["nothing", "row", "text"])
def test_a_source_is_judged_alike(checked: Dataset, streamed: Any, tmp_path: Path, tree: Path, plant: str) -> None:
    lines = (tree / "data/raw/people.csv").read_text().splitlines()
    lines += {"row": [lines[4], "p9,500,9000,1.5"], "text": ["p9,many,1.5,2", "p9,500,many,2"]}.get(plant, [])
    (tmp_path / "own.csv").write_text("\n".join(lines) + "\n")
    known = judge(checked, str(tmp_path / "own.csv"))
    streamed()
    found = judge(checked, str(tmp_path / "own.csv"))
    assert found.lines == known.lines and found.source == known.source and found.missing == known.missing
    assert json.dumps(found.document["checks"]) == json.dumps(known.document["checks"])
    assert (known.verdict == "pass") == (plant == "nothing")


CHILD = """
import resource, sys
from pathlib import Path
from mlops.config import Workspace
from mlops.data_pipeline import read_dataset, steps
from mlops.data_pipeline.judge import judge
from mlops.data_pipeline.tables import on_disk, rows, table_file
rows.IN_MEMORY = on_disk.HELD = 1 << 24
root, source = Path(sys.argv[1]), sys.argv[2]
places, dataset = Workspace(root), read_dataset(root, "people")
folder = places.data / "people" / "work" / "given"
steps.ingest(places, dataset, folder, source)
for step in (steps.validate, steps.process, steps.check, steps.version):
    step(places, dataset, folder)
judge(dataset, source)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(checked: Dataset, change: Any, tree: Path, tmp_path: Path) -> None:
    """Five times the rows, all beyond what is held, take little more."""
    change("rule: height < 3 * age", "rule: height < 3 * age + 999999")
    suite = tree / "data" / "expectations" / "people.json"
    suite.write_text(suite.read_text().replace('"max_value": 120', '"max_value": 99999999'))
    peaks = []
    for million in (1, 5):
        path = tmp_path / f"{million}.parquet"
        numbers = pl.int_range(million * 1_000_000, eager=True)
        pl.DataFrame({
            "name": "p" + (numbers % 977).cast(pl.String), "age": numbers, "height": numbers / 7,
            "wage": numbers * 7919 % 99991 * 0.5,  # which neither age nor height tells
        }).write_parquet(path)
        done = subprocess.run([sys.executable, "-c", CHILD, str(tree), str(path)], capture_output=True, text=True,
                              check=True)
        peaks.append(int(done.stdout.split()[-1]) / 1024)
    assert peaks[1] < peaks[0] + 250, peaks


def test_results_name_at_most_a_thousand_rows(dataset: Dataset) -> None:
    from mlops.data_pipeline.quality import checks

    table = pl.DataFrame({"name": ["p"] * 3000, "age": [30] * 3000, "height": [1.0] * 3000, "wage": [2.0] * 3000})
    found: list[CheckResult] = checks.of_table(dataset, table)
    [duplicates] = [each for each in found if each.name == "duplicates"]
    assert duplicates.details["count"] == 2999 and len(duplicates.details["rows"]) == 1000
