"""What a suite found, in words that a newcomer understands."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec

from mlops.errors import BadDataError, ConfigurationError, MlopsError

Verdict = Literal["pass", "fail", "error"]
SHOWN = 5
"""How many rows a message names at most."""


class Finding(msgspec.Struct, frozen=True):
    """One expectation that did not hold (`fail`) or could not be evaluated (`error`).

    Attributes:
        column: The column, or columns, None where it is about the whole table.
        message: What is wrong, one line.
        where: File and line of the expectation in the suite.
        rows: First rows concerned, counted from 1 without the header.
    """

    verdict: Verdict
    expectation: str
    column: str | None
    message: str
    where: str
    rows: tuple[int, ...] = ()


class Outcome(msgspec.Struct, frozen=True):
    """The suite's result.

    Attributes:
        document: Great Expectations' validation result as JSON data.
        declared: How many expectations the suite has; `evaluated` of them gave an answer, `successful` a yes.
    """

    document: dict[str, Any]
    findings: tuple[Finding, ...]
    declared: int
    evaluated: int
    successful: int
    engine: str

    @property
    def success(self) -> bool:
        """Every declared expectation was evaluated and holds."""
        return not self.findings and self.declared == self.evaluated == self.successful

    @property
    def verdict(self) -> Verdict:
        """`fail` where the data broke an expectation, `error` where the question could not be answered."""
        if any(finding.verdict == "fail" for finding in self.findings):
            return "fail"
        return "pass" if self.success else "error"

    def refusal(self, where: str | Path, *, suite: str | Path, report: str | None = None) -> MlopsError | None:
        """The error that stops the way, None for a pass: BadDataError, or ConfigurationError where nothing failed
        but something could not be evaluated."""
        if self.success:
            return None
        page = f"; the whole result is in {report}" if report else ""
        if self.verdict == "error":
            return ConfigurationError(
                "the suite could not be evaluated, so the data is not known to be good\n" + self.text(), where=suite,
                mend=f"correct the expectation named above{page}",
            )
        count = len(self.findings)
        return BadDataError(
            f"the data breaks {count} of {self.declared} expectations\n{self.text()}", where=where,
            mend="correct the data (rows count from 1, the header is not counted); where the data is right and "
            f"the expectation too narrow, change {suite}{page}",
        )

    def text(self, limit: int = 12) -> str:
        """The findings as indented lines, at most `limit` of them, failures first."""
        told = self.lines()
        lines = [f"  - {line}" for line in told[:limit]]
        if len(told) > limit:
            lines.append(f"  - and {len(told) - limit} more")
        return "\n".join(lines)

    def lines(self) -> list[str]:
        """What was found, failures first; several expectations that say the same are one line."""
        by_message: dict[str, list[str]] = {}
        for finding in sorted(self.findings, key=lambda finding: finding.verdict != "fail"):
            by_message.setdefault(finding.message, []).append(finding.expectation)
        return [
            f"{message} [{names[0]}{f' and {len(names) - 1} more' if len(names) > 1 else ''}]"
            for message, names in by_message.items()
        ]
