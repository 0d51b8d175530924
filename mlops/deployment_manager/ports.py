"""Who holds a port, and what to say when it is taken."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from pathlib import Path

from mlops.errors import BusyError, ConfigurationError, MlopsError

_LISTEN = "0A"  # proc(5), /proc/net/tcp: the socket's state


def problem(name: str, host: str, port: int, code: int | None, said: str) -> MlopsError:
    """The error for a port that could not be bound: it names the port, its setting and, where known, who holds it."""
    where = f"{host}:{port}"
    mend = f"choose another port for {name}: MLOPS_PORTS={name}=PORT, or ports.{name} in mlops_config.json"
    if code == errno.EADDRINUSE:
        owner = holder(port)
        return BusyError(
            f"port {port} of the service {name} is taken{f' by {owner}' if owner else ''}", where=where,
            mend=f"stop the program that holds it, or {mend}",
        )
    return ConfigurationError(
        f"the service {name} cannot listen there: {said}", where=where,
        mend=f"{mend}; ports.host in mlops_config.json must be an address of this machine",
    )


def check(name: str, host: str, port: int) -> None:
    """Raise unless the port is free now (port 0 always is).

    Raises:
        BusyError: it is taken.
        ConfigurationError: it may not be used, or there is no such host.
    """
    from mlops.deployment_manager.rollout import bind

    if port:
        try:
            bind(host, port).close()
        except OSError as error:
            raise problem(name, host, port, error.errno, error.strerror or str(error)) from error


def holder(port: int) -> str | None:
    """The process that listens on a TCP port, like `python3 -m http.server (process 123)`, where /proc tells."""
    inodes = {inode for table in ("tcp", "tcp6") for inode in _listening(Path("/proc/net") / table, port)}
    if not inodes:
        return None
    for process in Path("/proc").glob("[0-9]*"):
        if not inodes.isdisjoint(_open_files(process)):
            return f"{_command(process)} (process {process.name})"
    return None


def _open_files(process: Path) -> list[str]:
    """What the process has open; nothing for another user's."""
    found = []
    try:
        for entry in os.listdir(process / "fd"):
            with contextlib.suppress(OSError):  # closed meanwhile
                found.append(os.readlink(process / "fd" / entry))
    except OSError:
        pass
    return found


def _listening(table: Path, port: int) -> list[str]:
    try:
        rows = [line.split() for line in table.read_text().splitlines()[1:]]
    except OSError:
        return []
    return [f"socket:[{row[9]}]" for row in rows if row[3] == _LISTEN and int(row[1].rpartition(":")[2], 16) == port]


def _command(process: Path) -> str:
    try:
        words = (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return "a process"
    text = " ".join(os.fsdecode(word) for word in words if word)
    return text if len(text) <= 120 else f"{text[:117]}..."


def fits(path: str) -> bool:
    """Whether a Unix socket can be bound at `path` here."""
    from mlops.deployment_manager.wire import LONGEST_FOLDER

    if len(os.fsencode(os.path.dirname(path))) > LONGEST_FOLDER:
        return False
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.bind(path)
        except OSError:
            return False
    os.unlink(path)
    return True
