"""The supervisor: `python -m mlops.deployment_manager.supervisor --runtime DIR --logs DIR --control PATH --tell FD`.

It owns the public listening sockets, starts and ends the services' processes, and outlives the
command that started it. A request `apply` says what shall run; it is done wholly or not at all,
also when the one who asked is gone. Only the main thread starts processes: the kernel ends them
with the thread that made them, so a killed supervisor leaves none behind. Standard library only.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import queue
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlops import files, processes
from mlops.deployment_manager.child import DRAIN_SECONDS, Child, Failed, Spec
from mlops.deployment_manager.output import Log
from mlops.deployment_manager.rollout import Listener, Rollout
from mlops.deployment_manager.wire import PROTOCOL, lines

STATE_FILE = "state.json"
_BACK_OFF = (0.2, 30.0)  # first and longest pause before a crashed process is started again, seconds
_STEADY_SECONDS = 30.0  # one that ran so long has not crashed at its start


class Supervisor:
    """The services of one workspace.

    Args:
        runtime: Folder of the state file and of the lists of models.
        logs: Folder of the services' output.
        sockets: Folder of the Unix sockets, private to the user.
    """

    def __init__(self, runtime: Path, logs: Path, sockets: Path, control: str) -> None:
        self.runtime, self.logs, self.sockets, self.control = runtime, logs, sockets, control
        self.services: dict[str, Child] = {}
        self.listeners: dict[str, Listener] = {}
        self.restarts: dict[str, int] = {}
        self.applied: dict[str, Any] = {}
        self.stopping = threading.Event()
        self._number = 0
        self._logs: dict[str, Log] = {}
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()

    def run(self) -> None:
        """Work until a stop is asked for, or until the workspace is gone."""
        while not self.stopping.is_set():
            try:
                job = self._jobs.get(timeout=2.0)
            except queue.Empty:
                if not (self.runtime / STATE_FILE).exists():
                    self.stopping.set()  # the workspace was deleted under us
                continue
            if job is not None:
                job()
        self._end_all()

    def wake(self) -> None:
        """Let the main thread look at what changed."""
        self._jobs.put(None)

    def submit(self, work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Have the main thread do `work` and return its answer; called by other threads."""
        answers: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()

        def job() -> None:
            try:
                answers.put(work())
            except Exception as error:  # whoever asked is told; the services go on
                answers.put({"ok": False, "error": f"{type(error).__name__}: {error}", "suspect": ""})

        self._jobs.put(job)
        while True:
            try:
                return answers.get(timeout=0.5)
            except queue.Empty:
                if self.stopping.is_set():
                    return {"ok": False, "error": "the services are being stopped", "suspect": ""}

    def apply(self, request: dict[str, Any], tell: Callable[[str], None]) -> dict[str, Any]:
        """Make what runs what the request says, or leave it as it was."""
        specs = [Spec(**document) for document in request["services"]]
        rollout = Rollout(self, specs, tell, request["patience"])
        try:
            changed = rollout.run()
        except Failed as error:
            return {"ok": False, "error": str(error), "suspect": error.suspect}
        except OSError as error:
            name = rollout.binding
            said = error.strerror or str(error)
            return {"ok": False, "error": said, "suspect": "", "port": name, "errno": error.errno}
        self.applied = {"manifest": request.get("manifest"), "release": request.get("release")}
        self.save()
        return {"ok": True, "changed": changed, **self.status(probe=True)}

    def spawn(self, spec: Spec, addresses: dict[str, str]) -> Child:
        """Start a process of a service; called by the main thread only.

        Raises:
            Failed: it cannot be started.
        """
        self._number += 1
        log = self._logs.setdefault(spec.name, Log(self.logs / f"{spec.name}.log"))
        child = Child(
            spec, addresses, self._number, self.listeners[spec.name].socket.fileno(), self.sockets,
            self.runtime / "lists", log,
        )
        moment = time.strftime("%Y-%m-%dT%H:%M:%S%z")
        log.write(f"--- {moment} process {child.popen.pid}, image {spec.digest}\n".encode())
        child.on_end(lambda: self._jobs.put(lambda: self._ended(child)))
        self.save(child)
        return child

    def status(self, *, probe: bool) -> dict[str, Any]:
        """What runs; with `probe` each service is asked whether it is ready."""
        services = []
        listeners = dict(self.listeners)  # copies: the main thread may be changing both
        for name, child in sorted(dict(self.services).items()):
            if name not in listeners:
                continue
            ready, said = child.ready() if probe else (child.alive and child.accepting, {})
            services.append({
                "name": name, "pid": child.popen.pid if child.alive else None, "alive": child.alive, "ready": ready,
                "digest": child.spec.digest, "address": listeners[name].address,
                "port": listeners[name].wanted, "models": said.get("models") or {},
                "problems": [str(each) for each in said.get("problems") or []], "since": child.since,
                "restarts": self.restarts.get(name, 0), "log": str(self.logs / f"{name}.log"),
            })
        return {"services": services, "applied": self.applied, "pid": os.getpid(), "protocol": PROTOCOL}

    def save(self, *more: Child) -> None:
        """Write the state file: enough to find this process and all its children, should it be killed."""
        children = [*self.services.values(), *more]
        state = {
            "protocol": PROTOCOL, "pid": os.getpid(), "token": processes.started(os.getpid()), "control": self.control,
            "applied": self.applied,
            "processes": [[child.popen.pid, child.token] for child in children if child.alive],
            "services": {name: {"digest": child.spec.digest, "address": self.listeners[name].address,
                                "log": str(self.logs / f"{name}.log")} for name, child in self.services.items()},
        }
        with contextlib.suppress(Exception):  # a full disk must not end the services
            files.write_atomic(self.runtime / STATE_FILE, json.dumps(state, indent=1) + "\n")

    def _ended(self, child: Child) -> None:
        """A process has ended: start it again unless it was meant to end."""
        name = child.spec.name
        if child.ending or self.stopping.is_set() or self.services.get(name) is not child:
            return
        lived = time.time() - child.since
        count = 0 if lived > _STEADY_SECONDS else self.restarts.get(name, 0)
        self.restarts[name] = count + 1
        pause = min(_BACK_OFF[1], _BACK_OFF[0] * 2 ** min(count, 10))
        code = child.popen.returncode
        self.note(f"{name} ended with exit code {code} after {lived:.1f} s; started again in {pause:g} s")
        child.forget()
        timer = threading.Timer(pause, lambda: self._jobs.put(lambda: self._again(child)))
        timer.daemon = True
        timer.start()

    def _again(self, ended: Child) -> None:
        name = ended.spec.name
        if self.services.get(name) is not ended or self.stopping.is_set():
            return
        spec = Spec(**{**vars(ended.spec), "models": ended.models})
        try:
            child = self.spawn(spec, self.addresses())
        except Failed as error:
            self.note(str(error))
            timer = threading.Timer(_BACK_OFF[1], lambda: self._jobs.put(lambda: self._again(ended)))
            timer.daemon = True
            timer.start()
            return
        self.services[name] = child
        self.save()
        threading.Thread(target=child.bring_up, daemon=True).start()

    def addresses(self) -> dict[str, str]:
        """Service → address."""
        return {name: listener.address for name, listener in self.listeners.items()}

    def note(self, text: str) -> None:
        """A line in the supervisor's own log."""
        print(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {text}", flush=True)

    def _end_all(self) -> None:
        for listener in self.listeners.values():
            listener.socket.close()
        for child in self.services.values():
            child.end()
        deadline = time.monotonic() + DRAIN_SECONDS
        for child in self.services.values():
            child.wait_end(deadline)


class Control:
    """Answers requests on the control socket, each connection in a thread of its own."""

    def __init__(self, supervisor: Supervisor, path: str) -> None:
        self._supervisor = supervisor
        self.socket = socket.socket(socket.AF_UNIX)
        Path(path).unlink(missing_ok=True)
        self.socket.bind(path)
        os.chmod(path, 0o600)
        self.socket.listen(16)
        self._waiting: list[socket.socket] = []

    def start(self) -> None:
        """Begin to answer."""
        threading.Thread(target=self._accept, daemon=True).start()

    def say_stopped(self) -> None:
        """Tell those who asked for the stop that it is done."""
        names = sorted(self._supervisor.services)
        for connection in self._waiting:
            _send(connection, {"ok": True, "stopped": names})

    def _accept(self) -> None:
        while True:
            connection, _ = self.socket.accept()
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            for request in lines(connection):
                self._answer(connection, request)

    def _answer(self, connection: socket.socket, request: dict[str, Any]) -> None:
        supervisor = self._supervisor
        operation = request.get("op")
        if operation == "stop":
            self._waiting.append(connection)
            supervisor.stopping.set()
            supervisor.wake()
        elif operation == "apply":
            _send(connection, supervisor.submit(
                lambda: supervisor.apply(request, lambda text: _send(connection, {"say": text}))
            ))
        elif operation == "status":
            _send(connection, {"ok": True, **supervisor.status(probe=bool(request.get("probe")))})
        else:
            _send(connection, {"ok": False, "error": f"unknown request {operation!r}"})


def _send(connection: socket.socket, document: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # whoever asked is gone; what was asked for is done all the same
        connection.sendall(json.dumps(document).encode() + b"\n")


def main() -> None:
    """Run until stopped."""
    parser = argparse.ArgumentParser(prog="python -m mlops.deployment_manager.supervisor")
    parser.add_argument("--runtime", type=Path, required=True)
    parser.add_argument("--logs", type=Path, required=True)
    parser.add_argument("--control", required=True)
    parser.add_argument("--tell", type=int, required=True, help="descriptor to write one line to when it is up")
    options = parser.parse_args()
    sockets = Path(options.control).parent
    supervisor = Supervisor(options.runtime, options.logs, sockets, options.control)
    control = Control(supervisor, options.control)

    def stop(number: int, frame: object) -> None:
        supervisor.stopping.set()
        supervisor.wake()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    supervisor.save()
    control.start()
    os.write(options.tell, b"up\n")
    os.close(options.tell)
    supervisor.note(f"supervisor {os.getpid()} is up")
    supervisor.run()
    control.socket.close()
    (options.runtime / STATE_FILE).unlink(missing_ok=True)
    shutil.rmtree(options.runtime / "lists", ignore_errors=True)
    Path(options.control).unlink(missing_ok=True)
    if sockets != options.runtime:
        shutil.rmtree(sockets, ignore_errors=True)
    supervisor.note("stopped")
    control.say_stopped()
    sys.stdout.flush()


if __name__ == "__main__":
    main()
