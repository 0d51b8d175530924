"""Lanes: the worker processes of a run, as the runner sees them."""

from __future__ import annotations

import json
import selectors
import subprocess
import sys
from pathlib import Path
from typing import IO, Any

from mlops import processes
from mlops.errors import UnavailableError
from mlops.files import unwritable
from mlops.pipelines.steps import Run, Step


class Lanes:
    """Starts a worker process when a lane gets its first step, and ends them all at the end.

    Args:
        folder: Where each lane's log is written, `NAME.log`.
    """

    def __init__(self, run: Run, folder: Path) -> None:
        self._run = run
        self._folder = folder
        self._workers: dict[str, subprocess.Popen[bytes]] = {}
        self._logs: list[IO[bytes]] = []
        self._busy: dict[str, Step] = {}
        self._selector = selectors.DefaultSelector()

    def idle(self, lane: str) -> bool:
        """Whether the lane can take a step."""
        return lane not in self._busy

    def running(self) -> list[Step]:
        """The steps that run now."""
        return list(self._busy.values())

    def log(self, lane: str) -> Path:
        """The log of a lane."""
        return self._folder / f"{lane}.log"

    def start(self, step: Step) -> None:
        """Hand `step` to its lane."""
        worker = self._workers.get(step.process) or self._spawn(step.process)
        self._busy[step.process] = step
        self._send(worker, {"id": step.id, "function": step.function, "subject": step.subject})

    def wait(self, timeout: float | None = None) -> list[tuple[Step, dict[str, Any]]]:
        """The steps that ended, each with its answer; empty when `timeout` seconds passed first."""
        ended = []
        for key, _ in self._selector.select(timeout):
            lane: str = key.data
            worker = self._workers[lane]
            assert worker.stdout is not None
            line = worker.stdout.readline()
            step = self._busy.pop(lane)
            if line:
                ended.append((step, json.loads(line)))
                continue
            self._selector.unregister(worker.stdout)
            code = self._workers.pop(lane).wait()
            ended.append((step, {
                "error": f"the step's process died ({_death(code)}); its log is {self.log(lane)}", "exit_code": 2,
                "kind": "Died",
            }))
        return ended

    def close(self) -> None:
        """End all workers; those that still run a step are killed."""
        for lane, worker in self._workers.items():
            if lane in self._busy:
                worker.kill()
            elif worker.stdin is not None:
                worker.stdin.close()
        for worker in self._workers.values():
            worker.wait()
        for log in self._logs:
            log.close()
        self._selector.close()

    def _spawn(self, lane: str) -> subprocess.Popen[bytes]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            log = self.log(lane).open("ab")
        except OSError as error:
            raise unwritable(self.log(lane), error) from error
        self._logs.append(log)
        worker = subprocess.Popen(
            [sys.executable, "-m", "mlops.pipelines.worker"], cwd=self._run.repository, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=log, preexec_fn=processes.die_with_parent,
        )
        self._workers[lane] = worker
        self._selector.register(worker.stdout, selectors.EVENT_READ, lane)  # type: ignore[arg-type]
        self._send(worker, {
            "repository": str(self._run.repository), "environment": self._run.settings.environment,
            "source": self._run.source, "given": self._run.given, "who": self._run.who, "level": self._run.level,
            "asked": dict(self._run.asked), "apart": self._run.apart,
        })
        return worker

    @staticmethod
    def _send(worker: subprocess.Popen[bytes], message: dict[str, Any]) -> None:
        assert worker.stdin is not None
        try:
            worker.stdin.write(json.dumps(message).encode() + b"\n")
            worker.stdin.flush()
        except BrokenPipeError as error:
            raise UnavailableError("a worker process died before it got its step") from error


def _death(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    hint = ", perhaps the machine ran out of memory" if code == -9 else ""
    return f"signal {-code}{hint}"
