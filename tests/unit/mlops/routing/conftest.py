"""Real git repositories, made in a temporary folder and without any identity of the user."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from mlops.git import MACHINERY

SERVICE = """on:
  push:
    branches: [main, develop]
    paths: [services/**]
  workflow_call:
"""
MAIN = """on:
  push:
    paths: ["**", "!services/**"]
  workflow_call:
"""
REQUEST = """on: [pull_request, merge_group]
jobs:
  service:
    uses: ./.github/workflows/service-pipeline.yml
  main:
    uses: $/.github/workflows/main.yml
"""
WORKFLOWS = {"service-pipeline.yml": SERVICE, "main.yml": MAIN, "pull-request.yml": REQUEST}


class Repository:
    """A repository with three workflows; `commit` writes files (None deletes) and returns the commit."""

    service = SERVICE

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")
        self.first = self.commit(
            {f".github/workflows/{name}": text for name, text in WORKFLOWS.items()} | {"a.txt": "1"}
        )

    def git(self, *arguments: str) -> str:
        environment = {**os.environ, **MACHINERY, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            ["git", "-C", str(self.path), *arguments], env=environment, capture_output=True, check=True
        )
        return done.stdout.decode(errors="surrogateescape").strip()

    def commit(self, files: dict[str, str | None] | None = None, message: str = "change") -> str:
        for name, content in (files or {}).items():
            path = self.path / name
            if content is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "repository")
