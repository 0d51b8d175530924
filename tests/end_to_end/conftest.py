"""A copy of the repository as a user has it: a fresh clone, its own state, free ports."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from mlops.processes import free_port

TREE = Path(__file__).resolve().parents[2]


class Clone:
    """A clone of the tree, and the command as its user calls it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.ports = {"api": free_port(), "predict": free_port()}
        home = folder.parent / "home"
        home.mkdir(exist_ok=True)
        self.environment = {
            name: value for name, value in os.environ.items()
            if not name.startswith(("GIT_", "MLOPS_", "MLFLOW_", "GITHUB_", "PYTEST", "COV", "PYTHONPATH"))
        } | {
            "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "PYTHONDONTWRITEBYTECODE": "",
            "MLOPS_PORTS": ",".join(f"{name}={port}" for name, port in self.ports.items()),
        }
        names = subprocess.run(
            ["git", "-C", TREE, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            check=True, capture_output=True,
        ).stdout.decode().rstrip("\0").split("\0")
        for name in names:
            if (TREE / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(TREE / name, folder / name)
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit("a clone")

    def git(self, *words: str) -> str:
        return subprocess.run(
            ["git", "-C", self.folder, *words], check=True, capture_output=True, text=True, env=self.environment
        ).stdout

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("-c", "user.name=A user", "-c", "user.email=user@localhost", "commit", "--quiet", "-m", message)

    def mlops(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "mlops.cli", *words], cwd=self.folder, env=self.environment | more,
            capture_output=True, text=True, timeout=240,
        )

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "mlops.cli", *words], cwd=self.folder, env=self.environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )

    def run(self, *words: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        done = self.mlops("run", *words)
        assert done.returncode == expect, f"exit {done.returncode}\n{done.stderr}\n{done.stdout}\n{self.logs()}"
        return done

    def record(self) -> dict:
        return json.loads((self.folder / ".mlops" / "runs" / "last.json").read_text())

    def release(self) -> dict:
        return json.loads((self.folder / ".mlops" / "release" / "release.json").read_text())

    def outcomes(self) -> dict[str, str]:
        """Step → outcome in the last recorded run."""
        return {
            "/".join(part for part in (each["pipeline"], each["step"], each["subject"]) if part): each["outcome"]
            for each in self.record()["receipts"]
        }

    def logs(self) -> str:
        texts = []
        for path in sorted((self.folder / ".mlops" / "logs").rglob("*.log"))[-8:]:
            texts.append(f"── {path}\n{path.read_text(errors='replace')[-1500:]}")
        return "\n".join(texts)

    def predict(self, body: dict) -> dict:
        return self.ask(f"http://127.0.0.1:{self.ports['predict']}/predict", body)

    def served(self) -> dict[str, str]:
        """Model → version, as the running service says."""
        ready = self.ask(f"http://127.0.0.1:{self.ports['predict']}/ready")
        return {name: str(model["version"]) for name, model in ready["models"].items()}

    @staticmethod
    def ask(address: str, body: dict | None = None) -> dict:
        request = urllib.request.Request(
            address, None if body is None else json.dumps(body).encode(), {"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def answers(self) -> bool:
        try:
            self.served()
        except (urllib.error.URLError, ConnectionError):
            return False
        return True

    def edit(self, name: str, old: str, new: str) -> None:
        path = self.folder / name
        text = path.read_text()
        assert re.search(old, text), f"{old!r} is not in {name}"
        path.write_text(re.sub(old, new, text, count=1))

    def restore(self, name: str) -> None:
        self.git("checkout", "--quiet", "--", name)

    def wait_for_step(self, step: str, process: subprocess.Popen, timeout: float = 120) -> bool:
        """Until a lane of the current run has begun `step`; False when the run ended first."""
        known = set((self.folder / ".mlops" / "logs").glob("*-*")) if not hasattr(self, "_seen") else self._seen
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for path in (self.folder / ".mlops" / "logs").glob("*/*.log"):
                if path.parent not in known and f"── {step}\n" in path.read_text(errors="replace"):
                    return True
            if process.poll() is not None:
                return False
            time.sleep(0.005)
        raise AssertionError(f"{step} did not begin within {timeout} s\n{self.logs()}")

    def remember_logs(self) -> None:
        self._seen = set((self.folder / ".mlops" / "logs").glob("*-*"))


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    made = Clone(tmp_path_factory.mktemp("clone") / "switchyard")
    yield made
    made.mlops("stop")


def make_clone(folder: Path) -> Clone:
    return Clone(folder / "switchyard")
