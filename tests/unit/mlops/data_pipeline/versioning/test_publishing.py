"""Publishing with DVC itself, to a folder; S3 is an engine's test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlops.config import ConfigManager, Settings, Workspace
from mlops.data_pipeline import Dataset, steps
from mlops.data_pipeline.versioning import publishing, restoring, versions
from mlops.data_pipeline.versioning.dvc_command import Dvc, DvcError
from mlops.errors import ConfigurationError, IntegrityError, UnavailableError
from mlops.git import MACHINERY, Git
from mlops.records import DataVersion


@pytest.fixture
def made(places: Workspace, dataset: Dataset, work: Path, tree: Path) -> DataVersion:
    subprocess.run(["git", "init", "-q", str(tree)], check=True)
    (tree / ".gitignore").write_text(".mlops/\n__pycache__/\n")
    for step in (steps.ingest, steps.validate, steps.process, steps.check):
        step(places, dataset, work)
    return steps.version(places, dataset, work)


def settings(tree: Path, remote: object = "") -> Settings:
    return ConfigManager(tree, {"MLOPS_DVC_REMOTE": str(remote)}).load_config()


def objects(remote: Path) -> set[str]:
    return {path.relative_to(remote).as_posix() for path in remote.rglob("*") if path.is_file()}


def test_a_fresh_clone_gets_the_bytes_by_pull_and_by_restore(
    places: Workspace, made: DataVersion, tree: Path, tmp_path: Path
) -> None:
    remote = tmp_path / "a remote"
    store = versions.folder_of(places, "people", made.version)
    before = {path.name: (path.read_bytes(), path.stat().st_mode) for path in store.iterdir()}
    done = publishing.publish(places, settings(tree, remote), "people")
    tracked = f"data/versions/people/{made.version}.dvc"
    assert (done.version, done.file, done.remote) == (made.version, tracked, str(remote))
    assert done.changed[-1] == tracked and ".dvc/config" in done.changed
    assert set(done.changed) <= set(Git(tree).changed_since(None)), "git sees them, so that they can be committed"
    assert {path.name: (path.read_bytes(), path.stat().st_mode) for path in store.iterdir()} == before
    told = (tree / tracked).read_text()
    assert made.fingerprint in told and "60 rows (simulated)" in told
    assert len(objects(remote)) == len(before) + 1  # each file, and their list: nothing else is left there
    config = Dvc(tree).settings("project")
    assert config["core.analytics"] == "false" and config["remote.published.url"] == str(remote)

    again = publishing.publish(places, settings(tree), "people", made.version)
    assert (again.changed, again.remote) == ([], str(remote)), "the committed address is the default"

    git = Git(tree)
    git("add", "-A")
    git("commit", "-q", "-m", "published", env=MACHINERY)
    subprocess.run(["git", "clone", "-q", str(tree), str(tmp_path / "clone")], check=True)
    clone = Workspace(tmp_path / "clone")
    with pytest.raises(Exception, match="not on this machine"):
        versions.find(clone, "people")
    Dvc(clone.repository)("pull", "--quiet")
    assert versions.find(clone, "people").folder == clone.repository / "data/versions/people" / made.version
    assert restoring.restore(clone, "people", None, _unasked).origin == "pulled"
    assert Git(clone.repository).status() == (git.head(), []), "what was pulled is no change of the tree"

    for folder in (versions.folder_of, versions.pulled_folder):
        file = folder(clone, "people", made.version) / "train.parquet"
        file.write_bytes(file.read_bytes()[:-1])

    def fetch(version: str, target: Path) -> None:
        publishing.fetch(clone, settings(clone.repository), "people", version, target)

    back = restoring.restore(clone, "people", made.version, fetch)
    assert (back.origin, len(back.damaged)) == ("remote", 2) and back.record == made
    restored = {path.name: (path.read_bytes(), path.stat().st_mode) for path in back.folder.iterdir()}
    assert restored == before


def _unasked(version: str, folder: Path) -> None:
    pytest.fail("asked the remote for what is here")


@pytest.mark.parametrize("inside", ["", ".mlops/remote", "../{name}/data/store"])
def test_a_remote_inside_the_clone_is_refused(places: Workspace, made: DataVersion, tree: Path, inside: str) -> None:
    where = tree / inside.format(name=tree.name)
    with pytest.raises(ConfigurationError, match="inside this clone") as caught:
        publishing.publish(places, settings(tree, where), "people")
    assert "MLOPS_DVC_REMOTE" in str(caught.value) and not (tree / "data" / "versions").exists()


def test_without_a_setting_it_is_a_folder_of_the_users(
    places: Workspace, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    remote = publishing.remote_of(places, settings(tree))
    assert (remote.name, remote.url, remote.committed) == (
        "published", str(tmp_path / "home" / "switchyard" / "data-versions"), False
    )


def test_a_damaged_version_is_not_published(places: Workspace, made: DataVersion, tree: Path, tmp_path: Path) -> None:
    file = versions.folder_of(places, "people", made.version) / "test.parquet"
    file.write_bytes(file.read_bytes() + b"!")
    with pytest.raises(IntegrityError):
        publishing.publish(places, settings(tree, tmp_path / "remote"), "people")
    assert not (tmp_path / "remote").exists()


def test_a_remote_that_cannot_be_written_leaves_the_tree_as_it_was(
    places: Workspace, made: DataVersion, tree: Path, tmp_path: Path
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    before = Git(tree).status()
    with pytest.raises((UnavailableError, DvcError)) as caught:
        publishing.publish(places, settings(tree, blocked / "remote"), "people")
    assert "mend" in str(caught.value)
    assert Git(tree).status() == before and not (places.cache / "publishing").exists()


KILLS = [0.2, *(pytest.param(seconds, marks=pytest.mark.slow) for seconds in (0.5, 0.8, 1.1, 1.4))]


@pytest.mark.parametrize("seconds", KILLS)
def test_killed_at_any_moment_the_same_command_publishes(
    places: Workspace, made: DataVersion, tree: Path, tmp_path: Path, seconds: float
) -> None:
    remote = tmp_path / "remote"
    code = (
        "from pathlib import Path; from mlops.config import ConfigManager\n"
        "from mlops.data_pipeline.versioning import publishing\n"
        f"manager = ConfigManager(Path({str(tree)!r})); print('go', flush=True)\n"
        "publishing.publish(manager.workspace(), manager.load_config(), 'people')\n"
    )
    environment = os.environ | {"MLOPS_DVC_REMOTE": str(remote)}
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment, cwd=tree)
    assert child.stdout and child.stdout.readline() == b"go\n"
    time.sleep(seconds)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    if versions.list_published(places, "people"):  # never before the remote has everything
        assert len(objects(remote)) == 8
    done = publishing.publish(places, settings(tree, remote), "people")
    assert versions.list_published(places, "people") == [made.version] == [done.version]
    target = tmp_path / "fetched"
    publishing.fetch(places, settings(tree), "people", made.version, target)
    assert restoring.verify(target, "people", made.version) == made


@pytest.mark.engine
def test_publishing_to_s3_and_back_in_a_fresh_clone(
    places: Workspace, made: DataVersion, tree: Path, tmp_path: Path, bucket: str
) -> None:
    import s3fs

    remote = f"s3://{bucket}/data"
    done = publishing.publish(places, settings(tree, remote), "people")
    assert done.remote == remote
    there = s3fs.S3FileSystem(skip_instance_cache=True).find(f"{bucket}/data")
    assert len(there) == len(list(versions.folder_of(places, "people", made.version).iterdir())) + 1
    assert publishing.publish(places, settings(tree), "people").changed == []
    git = Git(tree)
    git("add", "-A")
    git("commit", "-q", "-m", "published", env=MACHINERY)
    assert "for-tests-only" not in (tree / ".dvc" / "config").read_text()
    subprocess.run(["git", "clone", "-q", str(tree), str(tmp_path / "clone")], check=True)
    clone = Workspace(tmp_path / "clone")

    def fetch(version: str, target: Path) -> None:
        publishing.fetch(clone, settings(clone.repository), "people", version, target)

    back = restoring.restore(clone, "people", None, fetch)
    assert (back.origin, back.record) == ("remote", made)
    Dvc(clone.repository)("pull", "--quiet")
    assert versions.pulled_folder(clone, "people", made.version).is_dir()


@pytest.mark.engine
def test_a_bucket_that_is_not_there_leaves_the_tree_as_it_was(
    places: Workspace, made: DataVersion, tree: Path, bucket: str
) -> None:
    before = Git(tree).status()
    with pytest.raises(UnavailableError, match="did not take part"):
        publishing.publish(places, settings(tree, f"s3://{bucket}-absent/data"), "people")
    assert Git(tree).status() == before
