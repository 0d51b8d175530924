"""Quality rules that no expectation states, each a result with a severity.

`of_table` judges a table as it came (duplicates, missing cells, volume, relations, the target);
`of_splits` judges what a model is trained and judged on (leakage, volume and target of each part).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.data_pipeline.dataset import Dataset, Rule, Severity
from mlops.data_pipeline.quality import history, integrity, mojibake, sequence, timeliness
from mlops.data_pipeline.quality.readable import readable
from mlops.data_pipeline.tables import equal_rows
from mlops.data_pipeline.tables.equal_rows import Named
from mlops.data_pipeline.tables.rows import Rows
from mlops.data_pipeline.tables.scratch import Scratch
from mlops.records import CheckResult, DataVersion

if TYPE_CHECKING:
    import polars

    from mlops.config import Workspace


def of_table(
    dataset: Dataset, table: polars.DataFrame | Rows, *, places: Workspace | None = None,
    before: Sequence[DataVersion] = (), beside: Path | None = None,
) -> list[CheckResult]:
    """The checks on the rows of a source. In a column that is text for a few cells, the others are read as declared.

    Args:
        places: Where the versions of other data sets are that the rows refer to.
        before: Versions made earlier, the newest last, for the checks against history: see `versions.earlier`.
        beside: The folder for what is in no memory; the system's own for temporary files where none is given.
    """
    rows, volume = Rows.of(table), dataset.checks.volume
    with Scratch(beside) as scratch:
        duplicates = _duplicates(dataset, rows, scratch)
        rows = readable(dataset, rows, scratch)
        return [
            _volume("volume", rows.height, volume.minimum_rows, volume.severity),
            duplicates,
            *_missing(dataset, rows),
            *integrity.of_table(dataset, rows, places, scratch),
            *timeliness.of_table(dataset, rows),
            *history.of_table(dataset, rows, before),
            *sequence.of_table(dataset, rows),
            *(_rule(rule, rows) for rule in dataset.checks.rules),
            *_label(dataset, "table", rows, scratch),
            *_disguise(dataset, rows),
            *mojibake.of_table(dataset, rows),
        ]


def of_splits(
    dataset: Dataset, train: polars.DataFrame | Rows, test: polars.DataFrame | Rows, *, beside: Path | None = None
) -> list[CheckResult]:
    """The checks on the two parts of the processed rows.

    Args:
        beside: See `of_table`.
    """
    volume = dataset.checks.volume
    one, two = Rows.of(train), Rows.of(test)
    with Scratch(beside) as scratch:
        return [
            _volume("volume of test", two.height, volume.minimum_test_rows, volume.severity),
            _volume("volume of train", one.height, two.height, volume.severity),
            _leakage(dataset, one, two, scratch),
            *_label(dataset, "train", one, scratch),
            *_label(dataset, "test", two, scratch),
        ]


def blocking(results: Sequence[CheckResult]) -> list[CheckResult]:
    """The failed ones that stop a run."""
    return [result for result in results if not result.success and result.severity == "block"]


def _result(name: str, success: bool, severity: Severity, message: str, **details: Any) -> CheckResult:
    return CheckResult(name=name, success=success, severity=severity, message=message, details=details)


def _volume(name: str, rows: int, least: int, severity: Severity) -> CheckResult:
    message = f"{rows} rows" if rows >= least else f"only {rows} rows, at least {least} are needed"
    return _result(name, rows >= least, severity, message, rows=rows, minimum=least)


def _duplicates(dataset: Dataset, table: Rows, scratch: Scratch) -> CheckResult:
    """Rows that are the same as an earlier one in every declared column."""
    columns = [name for name in dataset.columns if name in table.schema]
    limit = dataset.checks.duplicates
    if not columns:
        return _result("duplicates", False, limit.severity, "none of the declared columns is there")
    found = equal_rows.repeated(table, columns, scratch)
    share = found.count / max(table.height, 1)
    message = f"{found.count} rows repeat an earlier one" + (f", first: rows {found}" if found.count else "")
    return _result(
        "duplicates", share <= limit.maximum_share, limit.severity, message, count=found.count, rows=found.first
    )


def _missing(dataset: Dataset, table: Rows) -> list[CheckResult]:
    results = []
    for name, limit in dataset.checks.missing.items():
        title = f"missing {name}"
        if name not in table.schema:
            results.append(_result(title, False, limit.severity, f"the column {name} is missing"))
            continue
        share = table.nulls()[name] / max(table.height, 1)
        message = f"{share:.2%} of {name} is empty, {limit.maximum_share:.2%} may be"
        results.append(_result(title, share <= limit.maximum_share, limit.severity, message, share=share))
    return results


def _rule(rule: Rule, table: Rows) -> CheckResult:
    """A declared relation; one that cannot be evaluated is a failure that blocks.

    All answers are in memory, two bits a row.
    """
    import polars as pl

    columns: list[str] = []
    try:
        asked = pl.sql_expr(rule.rule)
        columns = list(dict.fromkeys(asked.meta.root_names()))
        answers = table.collect(table.frame.select(asked.alias("holds"))).to_series()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = str(error).strip().splitlines()[0][:160]
        return _result(rule.name, False, "block", f"could not be evaluated: {reason}", rule=rule.rule, error=reason)
    if answers.dtype != pl.Boolean:
        reason = f"the rule gives {answers.dtype}, not yes or no"
        return _result(rule.name, False, "block", f"could not be evaluated: {reason}", rule=rule.rule, error=reason)
    found, told = Named.where((~answers).fill_null(False)), ", ".join(columns)
    if len(answers) == 1 and table.height != 1:  # one answer for the whole table
        message = f"{rule.message} ({told})" if found.count else "holds"
        return _result(rule.name, not found.count, rule.severity, message, rule=rule.rule, columns=columns)
    share = found.count / max(table.height, 1)
    message = f"{found.count} of {table.height} rows: {rule.message} ({told}); first: rows {found}"
    return _result(
        rule.name, share <= rule.maximum_share, rule.severity, message if found.count else "holds",
        rule=rule.rule, columns=columns, count=found.count, rows=found.first,
    )


def _label(dataset: Dataset, part: str, table: Rows, scratch: Scratch) -> list[CheckResult]:
    """Whether the target has something in it to learn, and not one value all over."""
    limit, target = dataset.checks.label, dataset.target
    if not target:
        return []
    title = f"target of {part}"
    if target not in table.schema:
        return [_result(title, False, limit.severity, f"the target {target} is missing")]
    found = equal_rows.values(table, target, scratch)
    most, least = found.most / max(found.rows, 1), found.least / max(found.rows, 1)
    problems = []
    if found.distinct < limit.minimum_distinct:
        problems.append(f"has {found.distinct} distinct values, at least {limit.minimum_distinct} are needed")
    if found.distinct and most > limit.maximum_value_share:
        problems.append(f"has one value in {most:.1%} of the rows, {limit.maximum_value_share:.1%} may be")
    if found.distinct and least < limit.minimum_class_share:
        problems.append(f"has a class in only {least:.2%} of the rows, {limit.minimum_class_share:.2%} is needed")
    message = f"{target} " + ("; ".join(problems) if problems else f"has {found.distinct} distinct values")
    return [_result(title, not problems, limit.severity, message, distinct=found.distinct, rows=found.rows)]


def _disguise(dataset: Dataset, table: Rows) -> list[CheckResult]:
    """Numeric features that are the numeric target in disguise: leakage from the answer."""
    import polars as pl

    target, limit = dataset.target, dataset.checks.label
    if target not in table.schema or not table.schema[target].is_numeric():
        return []
    features = [
        name for name in dataset.columns
        if name != target and name in table.schema and table.schema[name].is_numeric()
    ]
    found = table.collect(table.frame.select(pl.corr(name, target).abs().alias(name) for name in features))
    leaking = [name for name in features if (found[name][0] or 0.0) > limit.maximum_correlation]
    message = f"{', '.join(leaking)} is {target} in disguise" if leaking else f"no feature repeats {target}"
    return [_result("target leakage", not leaking, limit.severity, message, features=leaking)]


def _leakage(dataset: Dataset, train: Rows, test: Rows, scratch: Scratch) -> CheckResult:
    """Held-out rows whose features were trained on as well."""
    limit = dataset.checks.leakage
    features = [name for name in train.columns if name != dataset.target]
    count = equal_rows.shared(test, train, features, scratch)
    share = count / max(test.height, 1)
    message = f"{count} of {test.height} held-out rows are in the training part too"
    return _result("leakage between splits", share <= limit.maximum_share, limit.severity, message, count=count)
