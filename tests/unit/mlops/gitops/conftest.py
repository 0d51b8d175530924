from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

DIGEST = "sha256:" + "1" * 64

KUSTOMIZATION = f"""\
# The top comment stays where it is.
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
images:
- name: api     # not aligned with anything
  newTag: v1
  digest: "{DIGEST}"   # keep me
- digest: '{DIGEST}'
  name: predict
- {{name: flow, digest: {DIGEST}}}
- name: bare
"""


@pytest.fixture(autouse=True)
def hostile_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No identity, and a configuration of the user that would spoil every commit if it were followed."""
    home = tmp_path / "home"
    hooks = home / "hooks"
    hooks.mkdir(parents=True)
    for name in ("pre-push", "pre-commit", "commit-msg", "reference-transaction"):
        (hooks / name).write_text("#!/bin/sh\nexit 1\n")
        (hooks / name).chmod(0o755)
    (home / ".gitconfig").write_text(
        f"[core]\n\thooksPath = {hooks}\n\tautocrlf = true\n[commit]\n\tgpgSign = true\n[push]\n\tgpgSign = true\n"
        "[init]\n\tdefaultBranch = trunk\n"
    )
    monkeypatch.setenv("HOME", str(home))
    for name in [key for key in os.environ if key.startswith("GIT_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def bare(tmp_path: Path) -> Callable[..., Path]:
    """Make a bare repository with the given files on `main`; returns its path."""

    def make(files: dict[str, bytes | str] | None = None, name: str = "manifest.git") -> Path:
        path = tmp_path / name
        quiet = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(path)], check=True, env=quiet)
        # The receiving side is its owner's: the user's hooks are not to speak for it here.
        subprocess.run(["git", "-C", str(path), "config", "core.hooksPath", "/dev/null"], check=True)
        content = files if files is not None else {"overlays/production/kustomization.yaml": KUSTOMIZATION}
        stream = b"commit refs/heads/main\ncommitter T <t@t> 1 +0000\ndata 5\nfirst\n"
        for file, text in content.items():
            data = text.encode() if isinstance(text, str) else text
            stream += b"M 100644 inline %s\ndata %d\n%s\n" % (file.encode(), len(data), data)
        subprocess.run(["git", "-C", str(path), "fast-import", "--quiet"], input=stream, check=True, env=quiet)
        return path

    return make


def git(path: Path, *arguments: str) -> bytes:
    return subprocess.run(["git", "-C", str(path), *arguments], check=True, capture_output=True).stdout


@pytest.fixture
def ask() -> Callable[..., bytes]:
    """git's standard output."""
    return git
