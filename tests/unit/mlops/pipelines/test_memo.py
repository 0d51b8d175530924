"""The remembered answer: repeated while nothing looks different, and never a moment longer."""

import json
import os
import subprocess
import sys
import time

import pytest

from mlops import processes
from mlops.pipelines import memo

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="nothing is remembered without /proc")

OLD = time.time() - 100.7654321  # long enough ago, and no whole second


@pytest.fixture
def service():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield child
    child.kill()
    child.wait()


@pytest.fixture
def top(tmp_path, service, monkeypatch):
    monkeypatch.setenv("MLOPS_PORTS", "api=1")
    monkeypatch.setattr(memo, "_RACY_NS", 0)  # the files of these tests are young
    monkeypatch.setattr(memo, "_COARSE_NS", 0)
    names = (
        "README.md", "data/raw/a.csv", "mlops/x.py", ".git/HEAD", ".git/index", ".mlops/cache/sources.json",
        ".mlops/receipts/data/ingest/k.json", ".mlops/release/release.json", ".mlops/runs/last.json",
        ".mlops/models/m/promoted.json", ".mlops/data/d/versions/1/version.json", ".mlops/images/s.json",
        ".mlops/runtime/in_force.json", ".mlops/manifests.git/refs/heads/main",
    )
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    (tmp_path / ".mlops/runtime/state.json").write_text(json.dumps({
        "pid": os.getpid(), "token": processes.started(os.getpid()),
        "processes": [[service.pid, processes.started(service.pid)]],
    }))
    age(tmp_path)
    return tmp_path


def age(top):
    for base, folders, names in os.walk(top):
        for name in [*folders, *names]:
            os.utime(os.path.join(base, name), (OLD, OLD))


def kept(top):
    assert memo.keep(str(top), "progress", "answer")
    assert memo.recall(str(top)) == ("progress", "answer")
    return top


def test_the_answer_is_repeated_from_any_folder_of_the_repository(top):
    kept(top)
    assert memo.recall(str(top / "data" / "raw")) == ("progress", "answer")


@pytest.mark.parametrize("name", [
    "README.md", "data/raw/a.csv", "mlops/x.py", ".git/HEAD", ".git/index", ".mlops/receipts/data/ingest/k.json",
    ".mlops/release/release.json", ".mlops/runs/last.json", ".mlops/models/m/promoted.json",
    ".mlops/data/d/versions/1/version.json", ".mlops/images/s.json", ".mlops/runtime/in_force.json",
    ".mlops/manifests.git/refs/heads/main",
])
@pytest.mark.parametrize("how", ["content", "size", "gone"])
def test_a_changed_file_ends_it(top, name, how):
    kept(top)
    path = top / name
    if how == "gone":
        path.unlink()
    else:
        path.write_text("y" if how == "content" else "longer")
    assert memo.recall(str(top)) is None


@pytest.mark.parametrize("name", ["new.txt", "data/raw/new.csv", "mlops/deep/new.py", ".mlops/receipts/data/new.json"])
def test_a_new_file_ends_it(top, name):
    kept(top)
    (top / name).parent.mkdir(parents=True, exist_ok=True)
    (top / name).write_text("")
    assert memo.recall(str(top)) is None


def test_a_restored_time_does_not_hide_another_file(top):
    kept(top)
    path = top / "mlops" / "x.py"
    path.unlink()
    path.write_text("y")
    os.utime(path, (OLD, OLD))
    os.utime(path.parent, (OLD, OLD))
    assert memo.recall(str(top)) is None


def test_another_setting_ends_it(top, monkeypatch):
    kept(top)
    monkeypatch.setenv("MLOPS_PORTS", "api=2")
    assert memo.recall(str(top)) is None


def test_a_service_that_died_ends_it(top, service):
    kept(top)
    service.kill()
    service.wait()
    assert memo.recall(str(top)) is None


def test_nothing_is_remembered_where_a_service_is_not_there(top, service):
    service.kill()
    service.wait()
    assert not memo.keep(str(top), "progress", "answer")


def test_a_file_of_this_very_moment_is_not_trusted(top, monkeypatch):
    monkeypatch.setattr(memo, "_RACY_NS", 10_000_000_000)
    (top / "mlops" / "x.py").write_text("now")
    assert not memo.keep(str(top), "progress", "answer")


def test_caches_of_tools_do_not_matter(top):
    kept(top)
    (top / "__pycache__").mkdir()
    (top / ".coverage.host.1").write_text("")
    assert memo.recall(str(top)) == ("progress", "answer")


@pytest.mark.parametrize("content", ["", "{half", "[]", "{}", '{"asked": 1}'])
def test_a_damaged_memo_is_none(top, content):
    kept(top)
    (top / ".mlops" / "cache" / "answer.json").write_text(content)
    assert memo.recall(str(top)) is None


def test_a_folder_without_git_has_none(tmp_path):
    assert memo.recall(str(tmp_path)) is None
    assert not memo.keep(str(tmp_path), "progress", "answer")
