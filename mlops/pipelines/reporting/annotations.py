"""Remarks on lines of files, which GitHub shows beside the change.

An annotation is a workflow command, one line of a job's log. It is written to standard error: standard output is for
answers. GitHub shows ten errors and ten warnings of a step.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from mlops.logs import escape_command

MOST = 10
"""Annotations of one level that GitHub shows of one step."""


class Annotation(NamedTuple):
    """A remark on a line of a file, a path in the repository; line 0 is the whole file."""

    level: Literal["error", "warning"]
    file: str
    line: int
    title: str
    message: str

    def command(self) -> str:
        """The workflow command; nothing in it can end it or begin another."""
        line = f",line={self.line}" if self.line else ""
        return (
            f"::{self.level} file={_property(self.file)}{line},title={_property(self.title)}"
            f"::{escape_command(self.message)}"
        )


def show(annotations: Iterable[Annotation], variables: Mapping[str, str] | None = None) -> None:
    """Write the annotations to standard error where GitHub Actions reads them; elsewhere nothing."""
    if (os.environ if variables is None else variables).get("GITHUB_ACTIONS") != "true":
        return
    made = list(annotations)
    for level in ("error", "warning"):
        some = [each for each in made if each.level == level]
        if len(some) > MOST:
            last = some[MOST - 1]
            more = f" (and {len(some) - MOST} more like it in the log)"
            some[MOST - 1:] = [last._replace(message=last.message + more)]
        for each in some:
            print(each.command(), file=sys.stderr)
    sys.stderr.flush()


def _property(value: str) -> str:
    return escape_command(value).replace(":", "%3A").replace(",", "%2C")
