"""What one file under `data/datasets/` declares of a data set."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

import msgspec

from mlops import documents, product
from mlops.data_pipeline.drift_rules import DriftRules
from mlops.errors import ConfigurationError, MissingInputError

Severity = Literal["block", "warn"]
ColumnType = Literal["string", "float", "integer", "boolean", "datetime"]


class Column(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A column of the source: its type, and whether a cell may be empty."""

    type: ColumnType
    nullable: bool = False
    description: str = ""


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
    rules: list[Rule] = []


class DatasetFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The shape of the file.

    Attributes:
        source: A path in the repository, a URL, or `module:callable` that returns a Polars or pandas frame.
        simulated: Whether the rows of `source` are made up.
        takes_data: Whether `make run DATA=FILE` stands in for `source`.
        suite: Path of the Great Expectations suite.
        process: `module:callable` from the validated table to the processed one.
        target: The column that a model predicts.
        columns: The columns that the source must have; others are allowed and dropped.
    """

    title: str
    source: str
    suite: str
    process: str
    target: str
    columns: dict[str, Column]
    description: str = ""
    card: str = ""
    simulated: bool = False
    takes_data: bool = False
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
    def source_is_callable(self) -> bool:
        """Whether `source` is `module:callable`."""
        return is_reference(self.source)

    @property
    def source_files(self) -> list[str]:
        """The file of the tree that `source` is, as a path in the repository; empty for a URL or a callable."""
        return [] if self.source_is_callable or "://" in self.source else [self.source]


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
    problem = _contradiction(declared)
    if problem:
        raise ConfigurationError(problem, where=file, mend="correct the file; its neighbours show the shape")
    fields = {field: getattr(declared, field) for field in declared.__struct_fields__}
    return Dataset(name=name, repository=repository, file=file, **fields)


def _contradiction(declared: DatasetFile) -> str | None:
    """What in the file does not fit together, None for nothing."""
    if declared.target not in declared.columns:
        return f"field 'target': {declared.target!r} is not among the columns"
    if not 0 < declared.split.test < 1:
        return f"field 'split.test': {declared.split.test} is not a share between 0 and 1"
    if not is_reference(declared.process):
        return f"field 'process': {declared.process!r} is not of the form module:callable"
    unknown = [name for name in declared.checks.missing if name not in declared.columns]
    if unknown:
        return f"field 'checks.missing': {unknown[0]!r} is not among the columns"
    for field, problem in declared.drift.contradictions(declared.columns):
        return f"field {field!r}: {problem}"
    names = [rule.name for rule in declared.checks.rules]
    repeated = [name for name in names if names.count(name) > 1]
    return f"field 'checks.rules': the name {repeated[0]!r} stands twice" if repeated else None
