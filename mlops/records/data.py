"""The data version: data that can be named, and what is known of it."""

from __future__ import annotations

from typing import Any, Literal

from mlops.records.base import Document, Record


class SourceFile(Record, frozen=True, kw_only=True):
    """One of several files of a source, in the order of their rows."""

    name: str
    rows: int
    sha256: str


class WrongCell(Record, frozen=True, kw_only=True):
    """A cell that is not what the data set declares.

    Attributes:
        row: From 1, the header not counted; over all files of the source.
        value: As it came, escaped and cut; empty for an empty cell.
        reason: What is wrong with it.
        file: The file and its own row, where the source has several files.
    """

    row: int
    column: str
    value: str
    reason: str
    file: str = ""

    def told(self) -> str:
        """One line that names row, column and value."""
        place = f"row {self.row}" + (f" ({self.file})" if self.file else "")
        return f"{place}, column {self.column}: {self.value}{' ' if self.value else ''}{self.reason}"


class Source(Record, frozen=True, kw_only=True):
    """Where the raw rows came from.

    Attributes:
        location: A path in the repository, a path or URL that the user gave, or `module:callable`.
        sha256: Of the raw bytes as ingested (for several files: of theirs, in order; for a callable or a query: of the
            rows).
        rows: Of the ingested table; those set aside are not among them.
        simulated: True where the rows are made up; every report built on them says so.
        fingerprint: Of the ingested rows, whatever their file layout (and order, where the data set says so).
        table_sha256: Of the ingested table's file; empty where none was written.
        files: The files, where there are several.
        wrong_cells: How many cells are not of their declared type, or empty where they must not be.
        wrong: The first of them.
        quarantined: How many rows were set aside.
        reasons: Why rows were set aside → how many rows, the most frequent first; a row may have several reasons.
        aside: The first rows that were set aside, each with its number in the source and its reasons.
        quarantine_sha256: Of the file of the rows set aside; empty where there are none.
    """

    location: str
    sha256: str
    rows: int
    simulated: bool = False
    fingerprint: str = ""
    table_sha256: str = ""
    files: list[SourceFile] = []
    wrong_cells: int = 0
    wrong: list[WrongCell] = []
    quarantined: int = 0
    reasons: dict[str, int] = {}
    aside: list[str] = []
    quarantine_sha256: str = ""

    def why_aside(self, most: int = 5) -> str:
        """The reasons why rows were set aside, each with its number of rows, one line; at most `most` of them."""
        told = [f"{reason} ({rows})" for reason, rows in list(self.reasons.items())[:most]]
        more = len(self.reasons) - most
        return "; ".join([*told, *([f"and {more} other reasons"] if more > 0 else [])])


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


class QualityPart(Record, frozen=True, kw_only=True):
    """One aspect of quality (completeness, uniqueness, validity, …): how many expectations and checks ask about it,
    how many of them hold, and the share that holds."""

    name: str
    asked: int
    held: int
    score: float


class DataVersion(Document, frozen=True, kw_only=True):
    """A published version of a data set: all that a model may know of it.

    Attributes:
        version: Short name of the version: the first 12 hexadecimal digits of `fingerprint`.
        fingerprint: Of the processed rows' content, independent of their order and of file layout.
        quality: Score between 0 and 1: the share of passed expectations and checks.
        quality_parts: What the score is made of, an aspect each.
        missing: Column of the source → share of its cells that are empty, for those that have any.
        categories: Column of the source → value → its rows, for columns of few values, where the data set declares
            a history.
        features: File beside the parts → its checksum: the plan of the declared features, and what they were made of
            (see `mlops.features.kept`). Empty where none are declared.
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
    quality_parts: list[QualityPart] = []
    missing: dict[str, float] = {}
    categories: dict[str, dict[str, int]] = {}
    features: dict[str, str] = {}
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
