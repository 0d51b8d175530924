"""The service as a process: reloads under load, an end that loses nothing, and an image that holds what it needs."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import making
from tests.making import HOUSE

SERVICE = Path(__file__).parents[1]
ROOT = SERVICE.parents[1]
FACTORS = {"3": 10.0, "4": 20.0}


class Private(http.client.HTTPConnection):
    """HTTP over the service's private socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("service", timeout=20)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket's path."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(str(self._path))


def ask(connection: http.client.HTTPConnection, method: str, path: str, document: Any = None) -> tuple[int, Any]:
    body = None if document is None else json.dumps(document)
    connection.request(method, path, body, {"content-type": "application/json"} if body else {})
    response = connection.getresponse()
    return response.status, json.loads(response.read())


@contextlib.contextmanager
def running(folder: Path, public: socket.socket, root: Path = ROOT) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    private = folder / "predict.sock"
    command = [sys.executable, "-m", "mlops.serving.server", "--app", "app.main:app"]
    process = subprocess.Popen(
        [*command, "--private", str(private), "--fd", str(public.fileno())], cwd=root / "services" / "predict",
        pass_fds=[public.fileno()], env={
            **os.environ, "PYTHONPATH": str(root), "MLOPS_MODELS_FILE": str(folder / "release.yaml"),
            "MLOPS_BUNDLE_STORE": str(folder / "store"),
        },
    )
    try:
        deadline = time.monotonic() + 20
        while not private.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        yield process, private
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def public() -> Iterator[socket.socket]:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(128)
        yield sock


def test_reloads_under_load_lose_nothing_and_never_mix_versions(tmp_path: Path, public: socket.socket) -> None:
    sums = {version: making.houses(tmp_path / "store", version, factor) for version, factor in FACTORS.items()}
    making.write_list(tmp_path / "release.yaml", {"houses": ("3", sums["3"])})
    seen: Counter[str] = Counter()
    wrong: list[Any] = []
    stop = threading.Event()

    def client() -> None:
        connection = http.client.HTTPConnection(*public.getsockname(), timeout=20)
        rows = [HOUSE | {"size": float(size)} for size in range(20)]
        while not stop.is_set():
            try:
                status, answer = ask(connection, "POST", "/predict", {"model": "houses", "rows": rows})
                factor = FACTORS[answer["version"]]
                if status != 200 or answer["predictions"] != [factor * row["size"] + 1003.0 for row in rows]:
                    wrong.append(answer)
                seen[answer["version"]] += 1
            except Exception as error:  # whatever it is, a request was lost
                wrong.append(error)
                return

    with running(tmp_path, public) as (process, private):
        control = Private(private)
        assert ask(control, "GET", "/ready") == (
            200, {"ready": True, "models": {"houses": {"version": "3", "sha256": sums["3"], "engine": "onnx"}}}
        )
        assert ask(control, "POST", "/-/accept")[0] == 200
        clients = [threading.Thread(target=client) for _ in range(4)]
        for thread in clients:
            thread.start()
        time.sleep(0.1)
        for turn in range(1, 21):
            version = "43"[turn % 2]
            making.write_list(tmp_path / "release.yaml", {"houses": (version, sums[version])})
            assert ask(control, "POST", "/-/reload")[0] == 200
        making.write_list(tmp_path / "release.yaml", {"houses": ("5", sums["3"])})
        status, answer = ask(control, "POST", "/-/reload")
        assert status == 409 and "5.bundle" in answer["error"]
        time.sleep(0.1)
        stop.set()
        for thread in clients:
            thread.join(20)
        assert ask(control, "GET", "/ready")[1]["models"]["houses"]["version"] == "4"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert wrong == []
    assert set(seen) == {"3", "4"}


def test_the_image_holds_what_the_service_needs(tmp_path: Path, public: socket.socket) -> None:
    """What the Dockerfile copies is enough to answer: from nothing else of the repository."""
    image = tmp_path / "image"
    for line in re.findall(r"^COPY (?!--)(.+)$", (SERVICE / "Dockerfile").read_text(), re.MULTILINE):
        *sources, target = line.split()
        for source in sources:
            place = Path("/srv/services/predict") / target
            into = image / place.relative_to("/srv") if place.is_relative_to("/srv") else None
            if into is None:
                continue
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, into, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                into.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / source, into)
    making.write_list(tmp_path / "release.yaml", {"houses": ("3", making.houses(tmp_path / "store"))})
    with running(tmp_path, public, image) as (_, private):
        control = Private(private)
        assert ask(control, "GET", "/ready")[1]["ready"] is True
        assert ask(control, "POST", "/predict", {"model": "houses", "rows": [HOUSE]})[1]["predictions"] == [1023.0]
        assert ask(control, "GET", "/openapi.json")[0] == 200


def test_the_lock_has_the_versions_that_models_are_made_with() -> None:
    """A pickle and an export are only good with the libraries that wrote them."""
    pins = re.compile(r"^([a-z0-9-]+)==(\S+)(?: ; (.*?))? \\$", re.MULTILINE)
    made = set(pins.findall((ROOT / "requirements" / "dev.txt").read_text()))
    locked = set(pins.findall((SERVICE / "requirements.txt").read_text()))
    assert locked and {(name, version) for name, version, _ in locked} <= {(name, version) for name, version, _ in made}
