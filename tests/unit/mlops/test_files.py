"""Atomic writes, locks that die with their holder, fingerprints."""

import os
import subprocess
import sys
import time

import pytest

from mlops import files
from mlops.errors import BusyError, ConfigurationError, IntegrityError, MissingInputError


def test_a_write_replaces_the_whole_file(tmp_path):
    target = tmp_path / "deep" / "file"
    files.write_atomic(target, "one, longer")
    files.write_atomic(target, b"two")
    assert target.read_bytes() == b"two"
    assert os.listdir(target.parent) == ["file"]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    target = tmp_path / "file"
    files.write_atomic(target, "old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigurationError, match="No space left on device") as caught:
        files.write_atomic(target, "new")
    assert "leave room on the disk" in caught.value.mend
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_path_below_a_file_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        files.write_atomic(tmp_path / "file" / "below", "x")


def test_an_atomic_folder_appears_whole_and_replaces_the_old_one(tmp_path):
    for content in ("one", "two"):
        with files.atomic_folder(tmp_path / "target") as folder:
            (folder / content).write_text(content)
    assert os.listdir(tmp_path / "target") == ["two"]
    assert os.listdir(tmp_path) == ["target"]


def test_an_atomic_folder_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), files.atomic_folder(tmp_path / "target") as folder:
        (folder / "half").write_text("")
        raise RuntimeError
    assert os.listdir(tmp_path) == []


HOLD = """
import sys, time
from pathlib import Path
from mlops import files
with files.lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_lock_is_exclusive_and_dies_with_its_holder(tmp_path):
    path = tmp_path / "run.lock"
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE)
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(BusyError, match="somebody is working here"), files.lock(path, what="somebody"):
        pass
    holder.kill()
    holder.wait()
    begun = time.monotonic()
    with files.lock(path, timeout=5):
        assert time.monotonic() - begun < 5


def test_a_checksum_that_differs_is_an_integrity_error(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    known = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    files.expect_sha256(path, known)
    path.write_bytes(b"abd")
    with pytest.raises(IntegrityError, match="expected sha256:ba78"):
        files.expect_sha256(path, known)
    with pytest.raises(MissingInputError):
        files.sha256_file(tmp_path / "absent")


def test_a_combined_hash_ignores_order_and_keeps_names_apart():
    assert files.combine([("a", "1"), ("b", "2")]) == files.combine([("b", "2"), ("a", "1")])
    assert files.combine([("a", "1b")]) != files.combine([("a1", "b")])
