"""Steps that run a checking tool: its findings, told so that a newcomer knows where to look."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

from mlops import processes
from mlops.errors import MissingInputError, TestsFailedError

_SHOWN = 25  # lines of a tool's output in an error; the whole is in the log


def pytest(folder: Path, junit: Path, *, coverage: Path | None = None) -> dict[str, Any]:
    """Run the tests of a service, from its folder, and leave a JUnit report.

    Args:
        coverage: Where the coverage of its package `app` goes, in Cobertura's XML; measured only where it is given.

    Raises:
        TestsFailedError: a test failed, or none ran.
        MissingInputError: pytest could not be started as asked.
    """
    junit.parent.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable, "-m", "pytest", "tests", "-q", "--no-header", "--tb=short", "-p", "no:cacheprovider",
        f"--junit-xml={junit}", "--rootdir=.", "-c", os.devnull, "--import-mode=importlib",
    ]
    if coverage is not None:
        command += ["--cov=app", "--cov-branch", "--cov-config=", f"--cov-report=xml:{coverage}"]
    # The service's own `app`, and the library of the same tree.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(folder.parent.parent)])}
    if coverage is None:
        done = processes.run(command, cwd=folder, env=environment)
    else:
        data = coverage.with_suffix(".data")
        done = processes.run(command, cwd=folder, env=environment | {"COVERAGE_FILE": str(data)})
        data.unlink(missing_ok=True)
    output = done.stdout.decode(errors="replace")
    print(output, done.stderr.decode(errors="replace"), file=sys.stderr)
    summary = re.findall(r"^=*\s*(\d+ (?:passed|failed|error).*?)\s*=*$", output, re.MULTILINE)
    if done.returncode == 0:
        return {"tests": re.sub(r" in [\d.]+s.*", "", summary[-1]) if summary else "passed"}
    failed = re.findall(r"^((?:FAILED|ERROR) .*)$", output, re.MULTILINE)
    if done.returncode == 5:
        raise TestsFailedError("no test ran", where=folder / "tests", mend="a service without tests is not released")
    if done.returncode not in (1, 2) or not output.strip():
        raise MissingInputError(
            f"pytest could not run: {done.stderr.decode(errors='replace').strip()[-500:]}", where=folder,
            mend="run `make setup` again",
        )
    shown = failed or output.strip().splitlines()[-_SHOWN:]
    raise TestsFailedError(
        "the service's tests fail:\n    " + "\n    ".join(shown[:_SHOWN]), where=folder / "tests",
        mend=f"run `cd {folder.parent.name}/{folder.name} && python -m pytest tests` and correct what it shows; "
        "what is released goes on as it is",
    )


def flake8(repository: Path, paths: list[str]) -> dict[str, Any]:
    """Lint `paths` with the repository's own rules.

    Raises:
        TestsFailedError: flake8 found something.
        MissingInputError: flake8 could not be started as asked.
    """
    done = processes.run([sys.executable, "-m", "flake8", "--jobs=1", *paths], cwd=repository)
    lines = done.stdout.decode(errors="replace").splitlines()
    if done.returncode == 0:
        return {"findings": 0}
    if not lines:
        raise MissingInputError(
            f"flake8 could not run: {done.stderr.decode(errors='replace').strip()[-500:]}", where=repository,
            mend="run `make setup` again",
        )
    more = f"\n    and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
    raise TestsFailedError(
        f"flake8 has {len(lines)} finding(s):\n    " + "\n    ".join(lines[:_SHOWN]) + more, where=repository,
        mend="correct the lines; `make lint` shows them all",
    )
