"""What a pipeline says of itself for people: small enough to be kept, shown, and read by another job."""

from __future__ import annotations

from typing import Literal

from mlops.records.base import Document, Record
from mlops.records.data import CheckResult

StepOutcome = Literal["success", "failure", "cached", "blocked"]


class StepReport(Record, frozen=True, kw_only=True):
    """A step and what became of it; `told` is its result or its error, in words."""

    pipeline: str
    step: str
    subject: str
    outcome: StepOutcome
    seconds: float
    told: str
    reason: str = ""


class TestReport(Record, frozen=True, kw_only=True):
    """A JUnit file: counts, and the first tests that failed with the first line of why."""

    __test__ = False  # not a test class, whatever its name begins with

    name: str
    tests: int
    failures: int
    errors: int
    skipped: int
    seconds: float
    failed: list[tuple[str, str]] = []


class BrokenExpectation(Record, frozen=True, kw_only=True):
    """An expectation that does not hold.

    Attributes:
        unexpected, elements: Rows that break it, of how many; None where it is not about rows.
        told: What was found instead, or why it could not be evaluated.
        file, line: Where the suite states it; line 0 where that is not known.
    """

    expectation: str
    column: str
    severity: str
    unexpected: int | None
    elements: int | None
    told: str
    file: str
    line: int


class DataReport(Record, frozen=True, kw_only=True):
    """A data set in this run. What a failed run did not come to know is None."""

    dataset: str
    version: str | None = None
    rows: int | None = None
    simulated: bool = False
    quality: float | None = None
    evaluated: int | None = None
    successful: int | None = None
    broken: list[BrokenExpectation] = []
    checks: list[CheckResult] = []


class ModelReport(Record, frozen=True, kw_only=True):
    """A model in this run: challenger against champion.

    Attributes:
        level: How it was trained: `full`, or `bounded` on a sample; None where nothing says it.
        version: The challenger's registered version.
        in_force: The champion after this run.
    """

    model: str
    verdict: str
    reason: str
    metric: str
    challenger: float | None
    champion: float | None
    champion_version: str | None
    difference: float | None
    interval: tuple[float, float] | None
    rows: int
    simulated: bool
    level: str | None = None
    version: str | None = None
    in_force: str | None = None


class PipelineReport(Document, frozen=True, kw_only=True):
    """All that a summary or a comment says of one pipeline.

    Attributes:
        outcome: `none` where nothing ran.
        killed: The run did not come to its end.
        coverage: Share of lines that tests ran, between 0 and 1.
    """

    pipeline: str
    outcome: Literal["success", "failure", "none"]
    steps: list[StepReport]
    tests: list[TestReport]
    coverage: float | None
    data: list[DataReport]
    models: list[ModelReport]
    killed: bool = False
