"""The walk of a data set, and every place where it stops."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mlops.config import Workspace
from mlops.data_pipeline import Dataset, steps
from mlops.data_pipeline.versioning import versions
from mlops.errors import BadDataError, ConfigurationError, MissingInputError
from mlops.files import sha256_file
from mlops.records import DataVersion, Source, Validation, read

STEPS = ("ingest", "validate", "process", "check", "version")


def walk(places: Workspace, dataset: Dataset, work: Path, source: str | None = None, until: str = "version") -> Any:
    result: Any = None
    for name in STEPS[:STEPS.index(until) + 1]:
        more = (source,) if name == "ingest" else ()
        result = getattr(steps, name)(places, dataset, work, *more)
    return result


def csv_of(folder: Path, edit: Any) -> str:
    """The people's file, its lines changed by `edit`, in a file of the user's own."""
    lines = (folder / "data/raw/people.csv").read_text().splitlines()
    path = folder.parent / "own.csv"
    path.write_text("\n".join(edit(lines)) + "\n")
    return str(path)


def test_good_data_becomes_a_version(places: Workspace, dataset: Dataset, work: Path) -> None:
    record = walk(places, dataset, work)
    folder = versions.folder_of(places, "people", record.version)
    assert sorted(path.name for path in folder.iterdir()) == [
        "dataset.yaml", "provenance.json", "suite.json", "test.parquet", "train.parquet", "validation.json",
        "version.json",
    ]
    assert read(DataVersion, folder / "version.json") == record == read(DataVersion, work / "version.json")
    assert record.fingerprint.startswith(f"sha256:{record.version}") and record.rows == 60 and record.quality == 1.0
    assert record.source.simulated and record.validation.success and record.target == "wage"
    for split in record.splits:
        assert sha256_file(folder / split.file) == split.sha256
        assert pl.read_parquet(folder / split.file).height == split.rows
    assert [split.name for split in record.splits] == ["train", "test"]


def test_each_step_leaves_its_files_and_facts(places: Workspace, dataset: Dataset, work: Path) -> None:
    source = steps.ingest(places, dataset, work)
    assert source == read(Source, work / "source.json")
    validation = steps.validate(places, dataset, work)
    assert validation == read(Validation, work / "validation-record.json")
    assert (validation.evaluated, validation.successful) == (2, 2)
    document = json.loads((work / "validation.json").read_text())
    assert document["success"] is True and document["meta"]["simulated"] is True
    assert validation.report == ".mlops/reports/data_docs/people/index.html"
    assert not (places.repository / str(validation.report)).exists(), "the page of good data is a step of its own"
    assert steps.docs(places, dataset, work) == places.repository / str(validation.report)
    assert "Simulated data" in (places.repository / str(validation.report)).read_text()
    facts = steps.process(places, dataset, work)
    assert facts["train"] + facts["test"] == facts["rows"] == 60
    assert all(result.success for result in steps.check(places, dataset, work))
    assert steps.version(places, dataset, work).fingerprint == facts["fingerprint"]


def test_the_same_rows_in_another_order_and_form_are_the_same_version(
    places: Workspace, dataset: Dataset, work: Path, tree: Path
) -> None:
    one = walk(places, dataset, work)
    shuffled = csv_of(tree, lambda lines: [lines[0], *reversed(lines[1:])])
    two = walk(places, dataset, work.parent / "given", shuffled)
    assert (two.version, two.splits) == (one.version, one.splits)
    assert not two.source.simulated and one.source.simulated
    assert versions.find(places, "people", one.version).record.source == two.source


def test_a_second_walk_writes_the_same_bytes(places: Workspace, dataset: Dataset, work: Path) -> None:
    walk(places, dataset, work)
    before = {path.name: path.read_bytes() for path in work.iterdir()}
    walk(places, dataset, work)
    assert {path.name: path.read_bytes() for path in work.iterdir()} == before


def test_another_value_is_another_version(places: Workspace, dataset: Dataset, work: Path, tree: Path) -> None:
    one = walk(places, dataset, work)
    two = walk(places, dataset, work, csv_of(tree, lambda lines: [*lines[:-1], lines[-1].replace(".5", ".6")]))
    assert one.version != two.version
    assert set(versions.list_versions(places, "people")) == {one.version, two.version}
    assert versions.list_versions(places, "people")[-1] == two.version


def test_bad_data_stops_at_the_suite_and_its_result_is_kept(
    places: Workspace, dataset: Dataset, work: Path, tree: Path
) -> None:
    good = walk(places, dataset, work)
    own = csv_of(tree, lambda lines: [*lines[:5], lines[5].replace(",24,", ",240,"), *lines[6:]])
    with pytest.raises(BadDataError) as caught:
        walk(places, dataset, work, own)
    assert "row 5 is 240" in str(caught.value) and "own.csv" in str(caught.value)
    assert "data/expectations/people.json" in str(caught.value) and "data_docs" in str(caught.value)
    assert json.loads((work / "validation.json").read_text())["success"] is False
    assert not read(Validation, work / "validation-record.json").success
    with pytest.raises(BadDataError):
        steps.process(places, dataset, work)
    assert versions.list_versions(places, "people") == [good.version]


def test_bad_data_stops_at_the_checks(places: Workspace, dataset: Dataset, work: Path, tree: Path) -> None:
    own = csv_of(tree, lambda lines: [*lines, lines[1]])
    with pytest.raises(BadDataError, match="duplicates: 1 rows") as caught:
        walk(places, dataset, work, own)
    assert "own.csv" in str(caught.value) and "data/datasets/people.yaml" in str(caught.value)
    with pytest.raises(BadDataError):
        steps.version(places, dataset, work)
    assert versions.list_versions(places, "people") == []


def test_a_broken_suite_is_an_error_of_its_own(places: Workspace, dataset: Dataset, work: Path) -> None:
    steps.ingest(places, dataset, work)
    dataset.suite_path.write_text(dataset.suite_path.read_text().replace("to_exist", "to_exit"))
    with pytest.raises(ConfigurationError, match="unknown type"):
        steps.validate(places, dataset, work)


@pytest.mark.parametrize("step", STEPS[1:])
def test_a_step_without_the_one_before_says_which(places: Workspace, dataset: Dataset, work: Path, step: str) -> None:
    before = STEPS[STEPS.index(step) - 1]
    if before != "ingest":
        walk(places, dataset, work, until=STEPS[STEPS.index(before) - 1])
    with pytest.raises(MissingInputError) as caught:
        getattr(steps, step)(places, dataset, work)
    assert f"mlops data {before} people" in str(caught.value)


def test_a_verdict_on_other_rows_is_not_taken(places: Workspace, dataset: Dataset, work: Path, tree: Path) -> None:
    walk(places, dataset, work)
    steps.ingest(places, dataset, work, csv_of(tree, lambda lines: lines[:-1]))
    for step in ("process", "version"):
        with pytest.raises(BadDataError, match="other data or another suite"):
            getattr(steps, step)(places, dataset, work)


def test_a_verdict_of_another_suite_is_not_taken(places: Workspace, dataset: Dataset, work: Path) -> None:
    walk(places, dataset, work, until="validate")
    dataset.suite_path.write_text(dataset.suite_path.read_text().replace("120", "119"))
    with pytest.raises(BadDataError, match="another suite"):
        steps.process(places, dataset, work)


def test_checks_of_other_parts_are_not_taken(places: Workspace, dataset: Dataset, work: Path, change: Any) -> None:
    walk(places, dataset, work, until="check")
    other = change("{test: 0.25}", "{test: 0.5}")
    steps.process(places, other, work)
    with pytest.raises(BadDataError, match="mlops data check"):
        steps.version(places, other, work)


def test_a_damaged_file_is_named(places: Workspace, dataset: Dataset, work: Path) -> None:
    walk(places, dataset, work)
    (work / "train.parquet").write_bytes(b"PAR1 and nothing")
    with pytest.raises(MissingInputError, match="damaged"):
        steps.check(places, dataset, work)


def test_a_damaged_version_is_written_again(places: Workspace, dataset: Dataset, work: Path) -> None:
    record = walk(places, dataset, work)
    file = versions.folder_of(places, "people", record.version) / "train.parquet"
    file.write_bytes(b"damaged")
    steps.version(places, dataset, work)
    assert sha256_file(file) == record.splits[0].sha256


def test_an_unknown_version_lists_those_that_there_are(places: Workspace, dataset: Dataset, work: Path) -> None:
    with pytest.raises(MissingInputError, match="mlops data run people"):
        versions.find(places, "people", "0123")
    record = walk(places, dataset, work)
    with pytest.raises(MissingInputError, match=record.version):
        versions.find(places, "people", "0123")


def test_a_place_that_cannot_be_written_is_an_error_and_nothing_is_lost(
    places: Workspace, dataset: Dataset, work: Path
) -> None:
    walk(places, dataset, work)
    blocked = work.parent / "file"
    blocked.write_text("in the way")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        steps.ingest(places, dataset, blocked / "work")
    assert steps.version(places, dataset, work)


def test_a_kill_at_any_moment_leaves_a_state_that_goes_on(
    places: Workspace, dataset: Dataset, work: Path, tree: Path
) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from mlops.config import Workspace\n"
        "from mlops.data_pipeline import read_dataset, steps\n"
        f"places = Workspace(Path({str(tree)!r})); dataset = read_dataset(places.repository, 'people')\n"
        f"work = Path({str(work)!r})\n"
        "print('go', flush=True)\n"
        "while True:\n"
        "    steps.ingest(places, dataset, work); steps.process(places, dataset, work)\n"
        "    steps.check(places, dataset, work); steps.version(places, dataset, work)\n"
    )
    expected = walk(places, dataset, work)
    for attempt in range(4):
        child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=tree)
        assert child.stdout and child.stdout.readline() == b"go\n"
        time.sleep(0.25 + 0.013 * attempt)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        for file in (path for path in work.iterdir() if not path.name.startswith(".")):
            assert file.stat().st_size > 0
        assert versions.find(places, "people", expected.version).record == expected
        assert walk(places, dataset, work) == expected
