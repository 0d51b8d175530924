"""The data version: data that can be named, and what is known of it."""

from __future__ import annotations

from typing import Any, Literal

from mlops.records.base import Document, Record


class Source(Record, frozen=True, kw_only=True):
    """Where the raw rows came from.

    Attributes:
        location: A path in the repository, a path or URL that the user gave, or `module:callable`.
        sha256: Of the raw bytes as ingested (for a callable: of the table that it returned).
        simulated: True where the rows are made up; every report built on them says so.
    """

    location: str
    sha256: str
    rows: int
    simulated: bool = False


class ColumnShape(Record, frozen=True, kw_only=True):
    """A column's name, type (string, float, integer, boolean, datetime) and whether it may be empty."""

    name: str
    type: str
    nullable: bool = False


class Split(Record, frozen=True, kw_only=True):
    """A part of the rows in a file of its own (Parquet, beside the version's record).

    Attributes:
        file: File name in the version's folder.
        fingerprint: Of the rows' content, independent of their order and of the file's layout.
    """

    name: str
    file: str
    rows: int
    sha256: str
    fingerprint: str


class Validation(Record, frozen=True, kw_only=True):
    """The suite's verdict. `success` is false where fewer expectations were evaluated than declared.

    Attributes:
        report: The Data Docs page, as a path in the repository.
        data_sha256: Of the ingested file that was validated.
    """

    suite: str
    suite_sha256: str
    success: bool
    evaluated: int
    successful: int
    engine: str
    report: str | None = None
    data_sha256: str = ""


class CheckResult(Record, frozen=True, kw_only=True):
    """A quality rule that no expectation states. Severity `warn` never stops a run."""

    name: str
    success: bool
    severity: Literal["block", "warn"]
    message: str
    details: dict[str, Any] = {}


class DataVersion(Document, frozen=True, kw_only=True):
    """A published version of a data set: all that a model may know of it.

    Attributes:
        version: Short name of the version: the first 12 hexadecimal digits of `fingerprint`.
        fingerprint: Of the processed rows' content, independent of their order and of file layout.
        quality: Score between 0 and 1: the share of passed expectations and checks.
    """

    dataset: str
    version: str
    fingerprint: str
    rows: int
    columns: list[ColumnShape]
    target: str
    source: Source
    splits: list[Split]
    validation: Validation
    checks: list[CheckResult]
    quality: float
    code: str = ""


class Making(Record, frozen=True, kw_only=True):
    """What a version's rows were made from, once: the fingerprints of everything that decides them.

    Attributes:
        created: When, ISO 8601 in UTC.
        source: Of the raw bytes, as in `Source`.
        suite: Of the suite's file.
        config: Of the data set's file.
        code: Of the code that reads and processes the rows, with everything that it imports, and of the lock.
        commit: What the tree was at; None outside git. `clean` is false where files differed from it.
        tools: Library → version, of those that read and write the tables.
    """

    created: str
    source: str
    suite: str
    config: str
    code: str
    commit: str | None = None
    clean: bool = True
    tools: dict[str, str] = {}

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What two makings of the same rows differ in."""
        return self.source, self.suite, self.config, self.code


class Provenance(Document, frozen=True, kw_only=True):
    """Where a version comes from. It stands beside the version's record and not in it: a model is trained again
    when the record changes, and other code that makes the same rows is no reason for that.

    Attributes:
        made: Each different way in which these rows were made, the first one first.
    """

    dataset: str
    version: str
    fingerprint: str
    made: list[Making]
