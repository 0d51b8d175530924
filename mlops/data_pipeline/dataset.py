"""What one file under `data/datasets/` declares of a data set."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from mlops import documents, product
from mlops.data_pipeline.drift_rules import DriftRules
from mlops.data_pipeline.reading import Quarantine, Reading, reading_contradictions
from mlops.documents import suggestion
from mlops.errors import ConfigurationError, MissingInputError
from mlops.features.rules import FeatureRule
from mlops.logs import hide_secrets

Severity = Literal["block", "warn"]
ColumnType = Literal["string", "float", "integer", "boolean", "datetime"]


class Column(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A column of the source: its type, and whether a cell may be empty.

    Attributes:
        format: For a `datetime` that a text file writes in another way than ISO 8601: strftime's directives, such as
            `%d/%m/%Y`. Without it only ISO 8601 is taken, so that no order of day and month is ever guessed.
        unit: What its numbers count or measure, such as `years` or `10,000 dollars`; for the card.
    """

    type: ColumnType
    nullable: bool = False
    format: str = ""
    description: str = ""
    unit: str = ""


class SplitRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`test`: the share of rows held out; `salt`: changes which."""

    test: float = 0.2
    salt: str = ""


class Limit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The largest share of rows that may do it, and what happens beyond."""

    maximum_share: float = 0.0
    severity: Severity = "block"


class Volume(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fewest rows, in all and in the held-out part."""

    minimum_rows: int = 1
    minimum_test_rows: int = 1
    severity: Severity = "block"


class Label(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the target must look like to be learnt from.

    Attributes:
        minimum_distinct: Fewest distinct values, in each split.
        minimum_class_share: For a target of classes: the smallest share of rows that a class may have.
        maximum_value_share: The largest share of rows that one value may have.
        maximum_correlation: The largest absolute correlation of a numeric feature with a numeric target; beyond it, the
            feature is the target in disguise.
    """

    minimum_distinct: int = 2
    minimum_class_share: float = 0.0
    maximum_value_share: float = 0.99
    maximum_correlation: float = 0.999
    severity: Severity = "block"


class Key(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Columns that together name a row: never empty, never twice."""

    columns: list[str]
    severity: Severity = "block"


class Reference(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Columns whose values must be found elsewhere; a row with an empty cell among them refers to nothing.

    Attributes:
        to: A CSV or Parquet file of the tree (`data/raw/codes.csv`), or the name of another data set: its last version.
        key: The columns there, one for each of `columns`; the same names where none are given.
    """

    columns: list[str]
    to: str
    key: list[str] = []
    maximum_share: float = 0.0
    severity: Severity = "block"


class Freshness(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How old the newest row may be, by the moments in `column`; days may be fractions.

    `future_days`: how far the newest may lie ahead, for clocks that differ.
    """

    column: str
    maximum_days: float
    future_days: float = 1.0
    severity: Severity = "block"


class History(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far rows may be from the last `versions` versions, by their median. A category that they had is missed too.

    Attributes:
        maximum_change: Of the number of rows, as a share: 0.3 allows 70 up to 130 in place of 100.
        maximum_missing_rise: Of the share of empty cells in a column, in points: 0.05 allows 2 % to become 7 %.
    """

    maximum_change: float = 0.3
    maximum_missing_rise: float = 0.05
    versions: int = 5
    severity: Severity = "warn"


class Stuck(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often a column may hold the same value, as one that stands still or was filled in.

    Attributes:
        maximum_run: In how many rows one after another, be it empty; in rows that are sorted by it, in any number.
        maximum_share: In which share of all rows.
        besides: Values that may stand in any number of rows, such as the one that a column is capped at.
    """

    maximum_run: int
    maximum_share: float = 1.0
    besides: list[float] = []
    severity: Severity = "block"


class InStep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Columns of numbers that belong together row by row: none may fit another one better when moved by a few rows, as
    after a join that is off by one."""

    columns: list[str]
    severity: Severity = "block"


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A relation that no single expectation states, as an SQL expression over the columns.

    Without an aggregate it must hold row by row, and `maximum_share` of the rows may break it; with one
    (`CORR(a, b) > 0.5`) it is one answer for the table. Where it is NULL it does not apply.
    """

    name: str
    rule: str
    message: str
    maximum_share: float = 0.0
    severity: Severity = "block"


class Checks(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The quality rules beside the suite. `missing`: the limit of empty cells for a column."""

    duplicates: Limit = Limit()
    leakage: Limit = Limit()
    volume: Volume = Volume()
    label: Label = Label()
    missing: dict[str, Limit] = {}
    keys: list[Key] = []
    references: list[Reference] = []
    freshness: Freshness | None = None
    history: History | None = None
    stuck: dict[str, Stuck] = {}
    in_step: InStep | None = None
    rules: list[Rule] = []


class DatasetFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shape of the file.

    Attributes:
        source: A path, a pattern or a folder in the repository, an address, or `module:callable`; or a `Reading`.
        identity: Whether two sources with the same rows in another order are the same data (`rows`) or not (`order`).
        quarantine: Whether bad rows are set aside with the reason instead of stopping the pipeline, and how many may.
        simulated: Whether the rows of `source` are made up.
        takes_data: Whether `make run DATA=FILE` stands in for `source`.
        suite: Path of the Great Expectations suite.
        process: `module:callable` from the validated table to the processed one; without it, the declared columns are.
        process_takes: What it is given: the whole `table`, in memory; or `rows`, some at a time, for a function that
            makes of each row what it makes of it alone. Only the latter processes data beyond memory.
        target: The column that a model predicts; empty where no model is trained on the rows.
        features: What becomes of columns of the processed rows, learnt on the training part alone: rules by name.
        columns: The columns that the source must have; others are allowed and dropped.
        card: A page written by hand that the card points to, a path in the repository.
        origin: Where the rows come from, in words; `licence`: under which terms; `limits`: what they are not good for.
    """

    title: str
    source: str | Reading
    suite: str
    columns: dict[str, Column]
    process: str = ""
    process_takes: Literal["table", "rows"] = "table"
    target: str = ""
    features: dict[str, FeatureRule] = {}
    description: str = ""
    card: str = ""
    origin: str = ""
    licence: str = ""
    limits: list[str] = []
    simulated: bool = False
    takes_data: bool = False
    identity: Literal["rows", "order"] = "order"
    quarantine: bool | Quarantine = False
    split: SplitRule = SplitRule()
    checks: Checks = Checks()
    drift: DriftRules = DriftRules()


class Dataset(DatasetFile, frozen=True, kw_only=True):
    """A data set's declaration with its name and its place.

    Attributes:
        file: The declaration's file, for errors and as a step's input.
    """

    name: str
    repository: Path
    file: Path

    @property
    def suite_path(self) -> Path:
        """The suite's file."""
        return self.repository / self.suite

    @property
    def reading(self) -> Reading:
        """The source in full."""
        return Reading(path=self.source) if isinstance(self.source, str) else self.source

    @property
    def location(self) -> str:
        """The source in short, for people: its path or pattern, or the database without secrets."""
        reading = self.reading
        return hide_secrets(reading.database) if reading.database else ", ".join(reading.locations)

    @property
    def ordered(self) -> bool:
        """Whether the order of the rows is part of what the data is."""
        return self.identity == "order"

    @property
    def maximum_quarantined(self) -> float | None:
        """The largest share of rows that may be set aside; None where none may."""
        if isinstance(self.quarantine, bool):
            return Quarantine().maximum_share if self.quarantine else None
        return self.quarantine.maximum_share

    @property
    def source_is_callable(self) -> bool:
        """Whether `source` is `module:callable`."""
        return is_reference(self.reading.path)


def is_reference(text: str) -> bool:
    """Whether `text` has the form `module:callable`."""
    return re.fullmatch(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", text) is not None


def read_dataset(repository: Path, name: str) -> Dataset:
    """The data set `name` as `data/datasets/NAME.yaml` declares it.

    Raises:
        MissingInputError: there is no such data set; the message lists those that there are.
        ConfigurationError: the file does not have its shape, or contradicts itself.
    """
    known = product.names(repository, product.DATASETS)
    if name not in known:
        raise MissingInputError(
            f"there is no data set {name!r}", where=repository / product.DATASETS,
            mend=f"there are: {', '.join(known)}" if known else "make data/datasets/NAME.yaml",
        )
    file = repository / product.DATASETS / f"{name}.yaml"
    declared = documents.read(DatasetFile, file)
    for field, problem in contradictions(declared):
        raise ConfigurationError(
            f"field {field!r}: {problem}", where=documents.place(file, field),
            mend="correct the field; its neighbours in the same folder show the shape",
        )
    fields = {field: getattr(declared, field) for field in declared.__struct_fields__}
    return Dataset(name=name, repository=repository, file=file, **fields)


def contradictions(declared: DatasetFile) -> Iterator[tuple[str, str]]:
    """What in the file does not fit together, as the field and what is wrong with it."""
    columns = declared.columns
    yield from _target_contradictions(declared)
    if not 0 < declared.split.test < 1:
        yield "split.test", f"{declared.split.test} is not a share between 0 and 1"
    if declared.process and not is_reference(declared.process):
        yield "process", f"{declared.process!r} is not of the form module:callable"
    for name in declared.checks.missing:
        if name not in columns:
            yield f"checks.missing.{name}", f"{name!r} is not among the columns{suggestion(name, columns)}"
    yield from _check_contradictions(declared)
    yield from declared.drift.contradictions(columns)
    names = [rule.name for rule in declared.checks.rules]
    for number, name in enumerate(names):
        if name in names[:number]:
            yield f"checks.rules[{number}].name", f"the name {name!r} stands twice"
    for name, column in columns.items():
        if column.format and column.type != "datetime":
            yield f"columns.{name}.format", f"is for a datetime, the column is of type {column.type}"
    quarantine = declared.quarantine
    if not isinstance(quarantine, bool) and not 0 <= quarantine.maximum_share < 1:
        yield "quarantine.maximum_share", f"{quarantine.maximum_share} is not a share from 0 to below 1"
    if isinstance(declared.source, Reading):
        yield from reading_contradictions(declared.source, declared.identity)


def _target_contradictions(declared: DatasetFile) -> Iterator[tuple[str, str]]:
    target, columns = declared.target, declared.columns
    if target and target not in columns:
        yield "target", f"{target!r} is not among the columns{suggestion(target, columns)}"
    for name, rule in declared.features.items():
        if target and target in rule.sources(name):
            yield f"features.{name}", f"is made of the target {target!r}, which a model predicts as it is"


def _check_contradictions(declared: DatasetFile) -> Iterator[tuple[str, str]]:
    checks, columns = declared.checks, declared.columns
    named = [
        *((f"checks.keys[{n}].columns", key.columns) for n, key in enumerate(checks.keys)),
        *((f"checks.references[{n}].columns", each.columns) for n, each in enumerate(checks.references)),
        *([("checks.freshness.column", [checks.freshness.column])] if checks.freshness else []),
        *((f"checks.stuck.{name}", [name]) for name in checks.stuck),
        *([("checks.in_step.columns", checks.in_step.columns)] if checks.in_step else []),
    ]
    for field, names in named:
        if not names:
            yield field, "names no column"
        for name in names:
            if name not in columns:
                yield field, f"{name!r} is not among the columns{suggestion(name, columns)}"
    for n, each in enumerate(checks.references):
        if each.key and len(each.key) != len(each.columns):
            yield f"checks.references[{n}].key", f"has {len(each.key)} columns for {len(each.columns)}"
    freshness = checks.freshness
    if freshness and freshness.column in columns and columns[freshness.column].type != "datetime":
        yield "checks.freshness.column", f"{freshness.column!r} is of type {columns[freshness.column].type}"
