"""The store of versions: what each carries, how it is found, how it comes back."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from mlops.config import Workspace
from mlops.data_pipeline import Dataset, steps
from mlops.data_pipeline.versioning import lineage, restoring, versions
from mlops.errors import IntegrityError, MissingInputError, UsageError
from mlops.files import sha256_file
from mlops.records import DataVersion, read
from mlops.records.data import Making, Provenance


def walk(places: Workspace, dataset: Dataset, folder: Path) -> DataVersion:
    for step in (steps.ingest, steps.validate, steps.process, steps.check):
        step(places, dataset, folder)
    return steps.version(places, dataset, folder)


def no_remote(version: str, folder: Path) -> None:
    pytest.fail(f"asked the remote for {version}")


@pytest.fixture
def made(places: Workspace, dataset: Dataset, work: Path) -> DataVersion:
    return walk(places, dataset, work)


def making(**changed: Any) -> Making:
    fields = {"created": "2026-01-01T00:00:00+00:00", "source": "s", "suite": "u", "config": "c", "code": "k"}
    return Making(**(fields | changed))


def test_a_version_carries_what_it_was_made_from(places: Workspace, dataset: Dataset, made: DataVersion) -> None:
    found = versions.find(places, "people")
    assert found.record == made and found.provenance is not None
    provenance = found.provenance
    assert (provenance.version, provenance.fingerprint) == (made.version, made.fingerprint)
    (origin,) = provenance.made
    assert origin.source == made.source.sha256 and origin.suite == sha256_file(dataset.suite_path)
    assert origin.config == sha256_file(dataset.file) and origin.code == lineage.code_fingerprint(places, dataset)
    assert (origin.commit, origin.clean) == (None, True) and "polars" in origin.tools
    assert found.created == origin.created
    assert (found.folder / "dataset.yaml").read_bytes() == dataset.file.read_bytes()
    assert (found.folder / "suite.json").read_bytes() == dataset.suite_path.read_bytes()


def test_the_commit_is_told_and_whether_files_differ_from_it(places: Workspace, dataset: Dataset, tree: Path) -> None:
    from mlops.git import MACHINERY, Git

    (tree / ".gitignore").write_text(".mlops/\n__pycache__/\n")
    git = Git(tree)
    subprocess.run(["git", "init", "-q", str(tree)], check=True)
    git("add", "-A")
    git("commit", "-q", "-m", "first", env=MACHINERY)
    validation = walk(places, dataset, places.data / "people" / "work" / "default").validation
    source = versions.find(places, "people").record.source
    assert lineage.making(places, dataset, source, validation).commit == git.head()
    assert lineage.making(places, dataset, source, validation).clean
    (tree / "data" / "raw" / "people.csv").write_text("changed")
    assert not lineage.making(places, dataset, source, validation).clean


def test_other_code_is_another_fingerprint(places: Workspace, dataset: Dataset, tree: Path) -> None:
    before = lineage.code_fingerprint(places, dataset)
    file = tree / "people_product" / "steps.py"
    file.write_text(file.read_text() + "\nOTHER = 1\n")
    assert lineage.code_fingerprint(places, dataset) != before


def test_the_same_origin_is_written_once_and_another_is_added() -> None:
    def added(known: Provenance | None, made: Making, fingerprint: str = "f") -> Provenance:
        return lineage.added(known, made, dataset="d", version="v", fingerprint=fingerprint)

    one = added(None, making())
    assert added(one, making(created="2027-01-01T00:00:00+00:00", commit="other")).made == one.made
    two = added(one, making(code="other"))
    assert [each.code for each in two.made] == ["k", "other"]
    assert [each.code for each in added(two, making(), "another").made] == ["k"], "another version's origin is not ours"


def test_a_version_is_found_by_its_beginning(places: Workspace, made: DataVersion) -> None:
    assert versions.find(places, "people", made.version[:5]).record == made
    assert versions.find(places, "people").record == made
    for wrong in (made.version[:2], "../../x", ".hidden"):
        with pytest.raises(UsageError):
            versions.find(places, "people", wrong)
    twin = made.version[:4] + "00000000"
    shutil.copytree(versions.folder_of(places, "people", made.version), versions.folder_of(places, "people", twin))
    with pytest.raises(UsageError, match="2 versions of people begin with"):
        versions.find(places, "people", made.version[:4])


def test_a_data_set_without_versions_says_how_to_make_one(places: Workspace) -> None:
    with pytest.raises(MissingInputError, match="mlops data run people"):
        versions.find(places, "people")


def test_a_version_of_an_older_program_has_no_provenance(places: Workspace, made: DataVersion) -> None:
    (versions.folder_of(places, "people", made.version) / "provenance.json").write_text("{half")
    found = versions.find(places, "people")
    assert found.provenance is None and found.created == ""


def test_restore_proves_the_bytes_and_hands_them_over(places: Workspace, made: DataVersion, work: Path) -> None:
    (work / "version.json").unlink()
    done = restoring.restore(places, "people", made.version[:6], no_remote)
    assert (done.record, done.origin, done.damaged) == (made, "store", [])
    assert read(DataVersion, work / "version.json") == made


@pytest.mark.parametrize("harm", ["changed", "cut", "gone", "record"])
def test_restore_takes_what_was_pulled_where_the_store_is_damaged(
    places: Workspace, made: DataVersion, harm: str
) -> None:
    store, pulled = versions.folder_of(places, "people", made.version), versions.pulled_folder(
        places, "people", made.version
    )
    shutil.copytree(store, pulled)
    before = {path.name: path.read_bytes() for path in store.iterdir()}
    file = store / "train.parquet"
    if harm == "changed":
        file.write_bytes(file.read_bytes()[:-1] + b"!")
    elif harm == "cut":
        file.write_bytes(file.read_bytes()[:100])
    elif harm == "gone":
        file.unlink()
    else:
        (store / "version.json").write_text((store / "version.json").read_text().replace('"people"', '"others"'))
    done = restoring.restore(places, "people", None, no_remote)
    assert done.origin == "pulled" and len(done.damaged) == 1
    assert {path.name: path.read_bytes() for path in store.iterdir()} == before


def test_rows_that_are_not_the_versions_are_refused_even_with_right_checksums(
    places: Workspace, made: DataVersion
) -> None:
    import polars as pl

    store = versions.folder_of(places, "people", made.version)
    pl.read_parquet(store / "train.parquet").reverse()[1:].write_parquet(store / "train.parquet")
    told = (store / "version.json").read_text()
    digest = sha256_file(store / "train.parquet")
    (store / "version.json").write_text(told.replace(made.splits[0].sha256, digest))
    with pytest.raises(IntegrityError, match="its rows have the fingerprint"):
        restoring.verify(store, "people", made.version)
    with pytest.raises(IntegrityError, match="never published"):
        restoring.restore(places, "people", made.version, no_remote)


def test_nothing_to_restore_says_what_there_is(places: Workspace, made: DataVersion) -> None:
    with pytest.raises(MissingInputError, match=made.version):
        restoring.restore(places, "people", "0123456789ab", no_remote)
