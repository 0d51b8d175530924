"""`mlops deploy bump` as a script calls it: exit codes, standard output, JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

DIGEST = "sha256:" + "a" * 64


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "m.git"
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(path)], check=True)
    text = b"images:\n- name: predict\n  digest: sha256:" + b"1" * 64 + b"\n"
    stream = b"commit refs/heads/main\ncommitter T <t@t> 1 +0000\ndata 1\nx\nM 100644 inline a/kustomization.yaml\n"
    stream += b"data %d\n%s\n" % (len(text), text)
    subprocess.run(["git", "-C", str(path), "fast-import", "--quiet"], input=stream, check=True)
    return path


def mlops(cwd: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "mlops.cli", *words], cwd=cwd, capture_output=True, text=True)


def bump(manifest: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return mlops(manifest.parent, "deploy", "bump", "--repository", str(manifest), "--branch", "main", "--path", "a",
                 "--image", "predict", *more)


def test_it_prints_the_commit_and_nothing_else(manifest: Path) -> None:
    done = bump(manifest, "--digest", DIGEST, "--build", "7")
    head = subprocess.run(["git", "-C", str(manifest), "rev-parse", "main"], capture_output=True, text=True).stdout
    assert (done.returncode, done.stdout, done.stderr) == (0, head, "")
    late = bump(manifest, "--digest", "sha256:" + "b" * 64, "--build", "6")
    assert late.returncode == 0 and "superseded" in late.stdout and "build 7" in late.stdout
    answer = json.loads(bump(manifest, "--digest", DIGEST, "--build", "7", "--format", "json").stdout)
    assert (answer["outcome"], answer["commit"]) == ("unchanged", head.strip())


@pytest.mark.parametrize("more", [
    ["--digest", "sha256:short", "--build", "1"], ["--digest", DIGEST, "--build", "x"], ["--digest", DIGEST],
    ["--digest", DIGEST, "--build", "1", "--model", "housing"], ["--digest", DIGEST, "--build", "-1"],
])
def test_what_cannot_be_asked_exits_2(manifest: Path, more: list[str]) -> None:
    done = bump(manifest, *more)
    assert done.returncode == 2 and done.stderr and not done.stdout


def test_a_models_checksum_comes_from_the_store_or_is_asked_for(manifest: Path) -> None:
    done = bump(manifest, "--digest", DIGEST, "--build", "1", "--model", "m=3")
    assert done.returncode == 0 and "checksum of m 3 is not known" in done.stderr
    bundle = manifest.parent / ".mlops/bundles/m/4.bundle"
    bundle.parent.mkdir(parents=True)
    bundle.write_bytes(b"x")
    done = bump(manifest, "--digest", DIGEST, "--build", "2", "--model", "m=4")
    assert (done.returncode, done.stderr) == (0, "")
    text = subprocess.run(["git", "-C", str(manifest), "show", "main:a/release.yaml"], capture_output=True, text=True)
    assert "sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881" in text.stdout


def test_models_move_alone_with_the_stores_checksum(manifest: Path) -> None:
    def alone(*more: str) -> subprocess.CompletedProcess[str]:
        return mlops(manifest.parent, "deploy", "bump", "--repository", str(manifest), "--branch", "main",
                     "--path", "a", *more)

    unknown = alone("--build", "1", "--model", "m=3")
    assert unknown.returncode == 2 and "m 3" in unknown.stderr and "@sha256:" in unknown.stderr and not unknown.stdout
    bundle = manifest.parent / ".mlops/bundles/m/3.bundle"
    bundle.parent.mkdir(parents=True)
    bundle.write_bytes(b"x")
    answer = json.loads(alone("--build", "2", "--model", "m=3", "--format", "json").stdout)
    assert (answer["outcome"], answer["image"], answer["digest"], answer["build"]) == ("committed", None, None, 2)
    text = subprocess.run(["git", "-C", str(manifest), "show", "main:a/release.yaml"], capture_output=True, text=True)
    assert "sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881" in text.stdout
    late = alone("--build", "1", "--model", f"m=2@{DIGEST}")
    assert late.returncode == 0 and "superseded: build 2 of m is there" in late.stdout


def test_release_list_without_a_manifest_says_so(tmp_path: Path) -> None:
    done = mlops(tmp_path, "release", "list")
    assert done.returncode == 2 and "no repository" in done.stderr


def test_models_are_separated_by_blanks_as_a_workflows_input_has_them(manifest: Path) -> None:
    words = f"one=3@{DIGEST} two=4@{DIGEST}"
    done = mlops(manifest.parent, "deploy", "bump", "--repository", str(manifest), "--branch", "main", "--path", "a",
                 "--build", "9", "--model", words)
    assert done.returncode == 0, done.stderr
    shown = subprocess.run(["git", "-C", str(manifest), "show", "main:a/release.yaml"], capture_output=True, text=True)
    assert shown.stdout.count(DIGEST) == 2 and "one:" in shown.stdout and "two:" in shown.stdout
