"""DVC, asked through its own command: no telemetry, no look for updates, nothing of the user's terminal."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

from mlops import processes
from mlops.errors import MissingInputError, TerminalError, UnavailableError

# DVC's own switches (dvc/env.py): no telemetry, no Studio.
_QUIET = {"DVC_NO_ANALYTICS": "1", "DVC_STUDIO_OFFLINE": "1"}
_MEND = "check the address (MLOPS_DVC_REMOTE, or `.dvc/config`) and its credentials, then run the same command again"


class DvcError(TerminalError):
    """A DVC command failed; `said` holds what it wrote."""

    def __init__(self, message: str, said: str, *, where: Path) -> None:
        super().__init__(message, where=where, mend="run the same command again; `dvc doctor` tells of the set-up")
        self.said = said


class Dvc:
    """One DVC repository.

    Args:
        folder: Its top, with `.dvc/` in it.
        environment: Further variables for DVC (dvc/env.py lists its own).
    """

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self._environment = os.environ | _QUIET | environment

    def __call__(self, *arguments: str) -> str:
        """The standard output of `dvc arguments…`.

        Raises:
            MissingInputError: DVC is not installed.
            UnavailableError: the remote could not be reached, or refused the credentials.
            DvcError: it failed for another reason.
        """
        if importlib.util.find_spec("dvc") is None:
            raise MissingInputError("DVC is not installed", mend="run `make setup`, which installs it")
        command = [sys.executable, "-m", "dvc", *arguments]
        done = processes.run(command, cwd=self.folder, env=self._environment)
        if done.returncode == 0:
            return done.stdout.decode(errors="replace")
        said = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise _explained(arguments[0], said, self.folder)

    def settings(self, level: str) -> dict[str, str]:
        """The settings of one level (`project`: the committed file), such as `core.remote`; paths are absolute."""
        if not (self.folder / ".dvc" / _FILES[level]).is_file():
            return {}
        pairs = (line.partition("=") for line in self("config", "--list", f"--{level}").splitlines())
        return {name: value for name, _, value in pairs}


_FILES = {"project": "config", "local": "config.local"}


def _explained(verb: str, said: str, folder: Path) -> UnavailableError | DvcError:
    lines = [line.removeprefix("ERROR: ") for line in said.splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith("Having any troubles")]
    shown = "; ".join(told[-3:]) or "it gave no reason"
    if any(sign in said for sign in _OUT_OF_REACH):
        return UnavailableError(f"the remote of DVC did not take part: {shown}", where=folder, mend=_MEND)
    return DvcError(f"dvc {verb} failed: {shown}", said, where=folder)


_OUT_OF_REACH = (
    "Unable to locate credentials", "NoCredentials", "AccessDenied", "Access Denied", "Forbidden", "InvalidAccessKeyId",
    "SignatureDoesNotMatch", "NoSuchBucket", "does not exist", "Could not connect", "Cannot connect", "ConnectionError",
    "EndpointConnectionError", "failed to connect", "failed to push", "failed to pull", "Permission denied",
    "timed out",
)
