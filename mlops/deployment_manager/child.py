"""One process of one service, as `mlops.serving.server` runs it. Standard library only.

It answers on a private Unix socket at once and begins to accept on the shared public socket when
it is told to, so the old and the new one can change places without a client noticing.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlops import processes
from mlops.deployment_manager.output import Log, Pump
from mlops.deployment_manager.wire import http_request

START_SECONDS = 60.0
"""How long a process may take to answer at all."""

IMPATIENT_SECONDS = 2.0
"""After so long not ready it is asked to load its lists at once, which gives a final answer."""

DRAIN_SECONDS = 12.0
"""From SIGTERM to SIGKILL: the service itself takes 10 at most."""


_MEND = "\n  mend: "  # how an error of the library goes on; the caller has its own advice


class Failed(Exception):
    """A process did not do what it was started for.

    Attributes:
        suspect: `image` where it did not run, `models` where it runs and refuses its models.
    """

    def __init__(self, message: str, suspect: str) -> None:
        super().__init__(message)
        self.suspect = suspect


@dataclasses.dataclass(frozen=True)
class Spec:
    """What a service shall be.

    Attributes:
        host, port: Where it is reached; port 0 takes a free one and keeps it.
        command: The program; `--fd` and `--private` are added.
        env: Its own variables; they decide, with digest and command, whether a running process is the right one.
        base: Variables that it needs to run at all (PATH, …) and that decide nothing.
        addresses: Variable → the service whose address it holds.
        models: The list of models, a `release.yaml`, whole.
    """

    name: str
    host: str
    port: int
    digest: str
    command: list[str]
    cwd: str
    env: dict[str, str]
    base: dict[str, str]
    addresses: dict[str, str]
    models: str

    def identity(self, addresses: dict[str, str]) -> str:
        """What a running process must have been started with; the models are left out, they can be reloaded."""
        parts = [self.name, self.digest, self.command, self.cwd, self.env,
                 {name: addresses.get(service, "") for name, service in self.addresses.items()}]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


class Child:
    """A running process of a service.

    Args:
        fd: The public listening socket, shared with its predecessor and successor.
        folder: Where its private socket lies.
        lists: Where its list of models lies.
    """

    def __init__(
        self, spec: Spec, addresses: dict[str, str], number: int, fd: int, folder: Path, lists: Path, log: Log
    ) -> None:
        self.spec = spec
        self.identity = spec.identity(addresses)
        self.models = spec.models
        self.private = str(folder / f"{spec.name}-{number}.sock")
        self._list = lists / f"{spec.name}-{number}.yaml"
        self._write_list(spec.models)
        environment = {**spec.base, **spec.env, "MLOPS_MODELS_FILE": str(self._list)}
        environment |= {name: addresses.get(service, "") for name, service in spec.addresses.items()}
        reader, writer = os.pipe()
        try:
            self.popen = subprocess.Popen(
                [*spec.command, "--fd", str(fd), "--private", self.private], cwd=spec.cwd, env=environment,
                stdin=subprocess.DEVNULL, stdout=writer, stderr=writer, pass_fds=(fd,), process_group=0,
                preexec_fn=processes.die_with_parent,
            )
        except (OSError, subprocess.SubprocessError) as error:
            os.close(reader)
            self.forget()
            raise Failed(f"{spec.name} could not be started: {error}", "image") from error
        finally:
            os.close(writer)
        self.pump = Pump(reader, log)
        self.since = time.time()
        self.token = processes.started(self.popen.pid)
        self.accepting = False
        self.ending = False

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.popen.poll() is None

    def wait_ready(self, given_up: Callable[[], bool], patience: float) -> None:
        """Wait until it says that it is ready; one that answers may say for `patience` seconds that it is not.

        Raises:
            Failed: it ended, did not answer, or is not ready in time.
        """
        begun = time.monotonic()
        answered: float | None = None
        said, asked, reads = "", False, True
        while not given_up():
            if not self.alive:
                raise Failed(f"{self.spec.name} ended with exit code {self.popen.returncode}{self._tail()}", "image")
            now = time.monotonic()
            try:
                status, document = http_request(self.private, "GET", "/ready", 5.0)
            except OSError as error:
                if now - begun > START_SECONDS:
                    text = f"{self.spec.name} does not answer after {START_SECONDS:g} s: {error}"
                    raise Failed(text, "image") from error
                time.sleep(0.02)
                continue
            if status == 200:
                return
            answered = answered or now
            said = "; ".join(map(str, document.get("problems") or [])) or f"/ready answers {status}"
            if now - answered > patience:
                raise Failed(f"{self.spec.name} is not ready: {said}", "models" if reads else "image")
            if now - answered > min(IMPATIENT_SECONDS, patience / 2) and not asked:
                asked = True
                reads = self.reload()
            time.sleep(0.05)
        raise Failed(f"{self.spec.name} was given up: the services are being stopped", "image")

    def bring_up(self) -> None:
        """Wait until it answers at all, ready or not, and let it accept; for a restart after a crash."""
        while self.alive and not self.ending:
            try:
                http_request(self.private, "GET", "/health", 5.0)
                self.accept()
                return
            except (OSError, Failed):
                time.sleep(0.05)

    def accept(self) -> None:
        """Have it accept on the public socket.

        Raises:
            Failed: it does not.
        """
        self._post("/-/accept", "image")
        self.accepting = True

    def reload(self, models: str | None = None) -> bool:
        """Have it read its list again, with `models` a new one; where it refuses, the old list is put back.

        Returns whether it reads a list at all.

        Raises:
            Failed: it refuses; the models of before are served on.
        """
        before = self.models
        if models is not None:
            self._write_list(models)
        try:
            said = self._post("/-/reload", "models")
        except Failed:
            self._write_list(before)
            raise
        self.models = models if models is not None else before
        return bool(said.get("reloaded", True))

    def ready(self, timeout: float = 2.0) -> tuple[bool, dict[str, Any]]:
        """Whether it says that it is ready, and all that it says."""
        try:
            status, document = http_request(self.private, "GET", "/ready", timeout)
        except OSError:
            return False, {}
        return status == 200 and self.accepting, document

    def end(self) -> None:
        """Ask it to stop accepting and to finish what is in flight."""
        self.ending = True
        self._signal(signal.SIGTERM)

    def wait_end(self, deadline: float) -> None:
        """Wait for its end until `deadline` (monotonic seconds), then make it end, and clean up behind it."""
        try:
            self.popen.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self.popen.wait()
        self.forget()

    def on_end(self, call: Callable[[], None]) -> None:
        """Call `call` in another thread once the process has ended."""

        def wait() -> None:
            self.popen.wait()
            call()

        threading.Thread(target=wait, daemon=True).start()

    def forget(self) -> None:
        """Remove what the process leaves behind."""
        self._list.unlink(missing_ok=True)
        Path(self.private).unlink(missing_ok=True)

    def _signal(self, number: int) -> None:
        try:
            if self.alive:
                os.kill(self.popen.pid, number)
            if number == signal.SIGKILL:
                os.killpg(self.popen.pid, number)  # and what it may have started
        except (ProcessLookupError, PermissionError):
            return

    def _post(self, target: str, suspect: str) -> dict[str, Any]:
        try:
            status, document = http_request(self.private, "POST", target, 60.0)
        except OSError as error:
            raise Failed(f"{self.spec.name} does not answer to {target}: {error}{self._tail()}", "image") from error
        if status != 200:
            said = str(document.get("error") or f"{target} answers {status}")
            raise Failed(f"{self.spec.name}: {said.partition(_MEND)[0]}", suspect)
        return document

    def _tail(self) -> str:
        if self.alive:
            return ""
        last = self.pump.last()
        return f"; its last words:\n{last}" if last else ""

    def _write_list(self, models: str) -> None:
        part = self._list.with_suffix(".part")
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(models)
            os.replace(part, self._list)
        except OSError as error:
            raise Failed(f"the list of models cannot be written to {self._list}: {error}", "disk") from error
