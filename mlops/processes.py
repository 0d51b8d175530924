"""Child processes: run to the end with a clear error, start detached, and know whether one lives."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from mlops.errors import MissingInputError, UnavailableError


def run(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    input: bytes | None = None,
    timeout: float | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run `command` to its end and return it, whatever its exit code; output is captured.

    Raises:
        MissingInputError: the program is not installed.
        UnavailableError: it did not end within `timeout` seconds.
    """
    try:
        return subprocess.run(  # a list, never a shell
            list(command), cwd=cwd, env=None if env is None else dict(env), input=input, timeout=timeout,
            capture_output=True, check=False, preexec_fn=die_with_parent,
        )
    except FileNotFoundError as error:
        raise MissingInputError(
            f"the program {command[0]!r} is not installed", mend=f"install {command[0]} and run the same command again"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"{command[0]} did not end within {timeout:g} s") from error


def die_with_parent() -> None:
    """In a child before exec: ask the kernel to end it when its parent dies (Linux; elsewhere nothing)."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1  # linux/prctl.h
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGKILL)


def started(pid: int) -> str | None:
    """A token for when the process `pid` was started, None where it does not run (any more).

    A process id alone may be reused by the system; the pair (pid, token) is not.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if fields[0] == "Z" else fields[19]  # proc(5): state, and starttime, field 22
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return None
    try:  # no /proc (macOS): ps knows
        output = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return output.stdout.strip() or None


def terminate(pid: int, token: str | None, *, grace: float = 10.0) -> bool:
    """End the process `pid` that was started at `token`: SIGTERM, then SIGKILL after `grace` seconds.

    Returns whether it was running. Another process that got the same id is left alone.
    """
    import time

    if token is None or started(pid) != token:
        return False
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + grace
    while time.monotonic() < deadline:
        if started(pid) != token:
            return True
        time.sleep(0.02)
    os.kill(pid, signal.SIGKILL)
    return True


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
