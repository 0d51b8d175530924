"""The state that CI carries from run to run: restored into another checkout, whole, in parts, and too old.

The tests share one full run of a model and run in the order in which they stand.
"""

import json
import os
import re
import shutil
import sqlite3
import subprocess
from contextlib import closing

import pytest

from mlops.routing.router.yaml12 import load

from .conftest import TREE, make_clone
pytestmark = [pytest.mark.xdist_group("state"), pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def carried():
    """The places that the model pipeline's workflow keeps, the same ones that it brings back."""
    workflow = load((TREE / ".github/workflows/model-pipeline.yml").read_text(), where="model-pipeline.yml")
    steps = [step for job in workflow["jobs"].values() for step in job.get("steps", [])]
    kept = [step["with"]["path"].split() for step in steps if step.get("uses", "").startswith("actions/cache/")]
    assert len(kept) == 2 and kept[0] == kept[1]
    return kept[0]


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A checkout after a full run of one model with its data."""
    clone = make_clone(tmp_path_factory.mktemp("first"))
    done = clone.mlops("model", "run", "lab")
    assert done.returncode == 0, done.stderr
    return clone


@pytest.fixture(scope="module")
def state(first, carried, tmp_path_factory):
    """What is carried of it, as an archive keeps it; the checkout that it comes from is gone then."""
    archive = tmp_path_factory.mktemp("cache") / "state.tar"
    names = [place for place in carried if (first.folder / place).exists()]
    assert names == carried
    subprocess.run(["tar", "-C", first.folder, "-cf", archive, *names], check=True)
    first.folder.rename(first.folder.with_name("gone"))
    return archive


@pytest.fixture(scope="module")
def second(state, tmp_path_factory):
    """A fresh checkout with the state restored; every file of the tree is newer."""
    clone = make_clone(tmp_path_factory.mktemp("second"))
    subprocess.run(["tar", "-C", clone.folder, "-xf", state], check=True)
    for path in (clone.folder / "model").rglob("*"):
        os.utime(path, (2_000_000_000, 2_000_000_000))
    return clone


def ran(done):
    """Step → mark of what `mlops model run` told: `·` up to date, `✓` ran, `✗` failed, `-` not run."""
    return {name: mark for mark, name in re.findall(r"^  ([·✓✗-]) (\S+)", done.stderr, re.MULTILINE)}


def registered(clone):
    """The versions in MLflow's registry, and which of them is champion."""
    with closing(sqlite3.connect(clone.folder / ".mlops" / "mlops.db")) as connection:
        versions = [row[0] for row in connection.execute("SELECT version FROM model_versions WHERE name = 'lab'")]
        champions = connection.execute("SELECT alias, version FROM registered_model_aliases WHERE name = 'lab'")
        return versions, dict(champions.fetchall())


def listed(clone):
    """The receipts of full runs."""
    found = (clone.folder / ".mlops" / "receipts" / "model").glob("*/*.json")
    return {path: path.read_bytes() for path in found if not path.parent.name.endswith(".bounded")}


ONE = ([1], {"champion": 1})


def test_a_restored_state_has_nothing_to_do_and_keeps_the_champion(second):
    done = second.mlops("model", "run", "lab")
    assert (done.returncode, set(ran(done).values())) == (0, {"·"}), done.stderr
    assert len(ran(done)) == 10
    left = [json.loads(path.read_text()) for path in (second.folder / ".mlops" / "proof" / "model").glob("*.json")]
    assert {each["outcome"] for each in left} == {"cached"} and len(left) == 5
    assert {each["commit"] for each in left} == {second.git("rev-parse", "HEAD").strip()}
    assert registered(second) == ONE


def test_a_change_is_held_against_the_restored_champion(second):
    config = second.folder / "model" / "configs" / "lab.yaml"
    before = config.read_text()
    config.write_text(before.replace("C: 1.0", "C: 0.0001"))
    before_it = listed(second)
    done = second.mlops("model", "run", "lab", "--level", "bounded")
    assert listed(second) == before_it, "a bounded run left receipts that a full one could take"
    assert done.returncode == 1 and ran(done)["model/judge/lab"] == "✗", done.stderr
    assert "worse than the champion" in done.stderr or "below a floor" in done.stderr
    config.write_text(before)
    assert registered(second) == ONE, "a bounded run registered something"


def test_what_was_lost_is_made_again_and_the_champion_stays(second):
    state = second.folder / ".mlops"
    for place in ("artifacts", "bundles", "data/lab/versions", "receipts/data/validate-lab", "cache"):
        shutil.rmtree(state / place)
    done = second.mlops("model", "run", "lab")
    again = {name for name, mark in ran(done).items() if mark == "✓"}
    assert done.returncode == 0, done.stderr
    assert again == {
        "data/validate/lab", "data/version/lab", "model/train/lab", "model/evaluate/lab", "model/register/lab",
    } | (again & {"data/process/lab", "data/check/lab", "model/promote/lab"})
    assert registered(second) == ONE
    assert (state / "bundles" / "lab" / "1.bundle").is_file()
    assert list((state / "data" / "lab" / "versions").glob("*/train.parquet"))


@pytest.mark.slow
def test_records_of_another_schema_or_cut_in_half_are_no_receipts(second):
    state = second.folder / ".mlops"
    for path in (state / "receipts" / "data" / "ingest-lab").glob("*.json"):
        path.write_text(path.read_text().replace('"schema": 1', '"schema": 7'))
    for path in (state / "receipts" / "model" / "evaluate-lab").glob("*.json"):
        path.write_bytes(path.read_bytes()[:100])
    (state / "models" / "lab" / "promoted.json").write_bytes(b"{")
    done = second.mlops("model", "run", "lab")
    assert done.returncode == 0, done.stderr
    assert ran(done)["data/ingest/lab"] == ran(done)["model/evaluate/lab"] == "✓"
    assert registered(second) == ONE
    assert json.loads((state / "models" / "lab" / "promoted.json").read_text())["version"] == "1"


@pytest.mark.slow
def test_the_version_that_was_handed_over_is_used_or_refused(second):
    assert second.mlops("model", "run", "lab").returncode == 0
    work = second.folder / ".mlops/data/lab" / "work" / "default"
    version = json.loads((work / "version.json").read_text())["version"]
    done = second.mlops("model", "run", "lab", "--data", f"lab={version}")
    assert set(ran(done).values()) == {"·"} and not any(name.startswith("data/") for name in ran(done))
    done = second.mlops("model", "run", "lab", "--data", "lab=000000000000")
    assert done.returncode == 2 and "000000000000" in done.stderr and version in done.stderr
