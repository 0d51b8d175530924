"""Quality rules that no expectation states, each a result with a severity.

`of_table` judges a table as it came (duplicates, missing cells, volume, relations, the target);
`of_splits` judges what a model is trained and judged on (leakage, volume and target of each part).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlops.data_pipeline import integrity, mojibake, timeliness
from mlops.data_pipeline.dataset import Dataset, Rule, Severity
from mlops.data_pipeline.integrity import NAMED, listed
from mlops.data_pipeline.readable import readable
from mlops.records import CheckResult, DataVersion

if TYPE_CHECKING:
    import polars

    from mlops.config import Workspace


def of_table(
    dataset: Dataset, table: polars.DataFrame, *, places: Workspace | None = None, before: Sequence[DataVersion] = ()
) -> list[CheckResult]:
    """The checks on the rows of a source. In a column that is text for a few cells, the others are read as declared.

    Args:
        places: Where the versions of other data sets are that the rows refer to.
        before: Versions of the same source made earlier, the newest last, for the checks against history.
    """
    duplicates = _duplicates(dataset, table)
    table = readable(dataset, table)
    return [
        _volume("volume", table.height, dataset.checks.volume.minimum_rows, dataset.checks.volume.severity),
        duplicates,
        *_missing(dataset, table),
        *integrity.of_table(dataset, table, places),
        *timeliness.of_table(dataset, table, before),
        *(_rule(rule, table) for rule in dataset.checks.rules),
        *_label(dataset, "table", table),
        *_disguise(dataset, table),
        *mojibake.of_table(dataset, table),
    ]


def of_splits(dataset: Dataset, train: polars.DataFrame, test: polars.DataFrame) -> list[CheckResult]:
    """The checks on the two parts of the processed rows."""
    volume = dataset.checks.volume
    return [
        _volume("volume of test", test.height, volume.minimum_test_rows, volume.severity),
        _volume("volume of train", train.height, test.height, volume.severity),
        _leakage(dataset, train, test),
        *_label(dataset, "train", train),
        *_label(dataset, "test", test),
    ]


def blocking(results: Sequence[CheckResult]) -> list[CheckResult]:
    """The failed ones that stop a run."""
    return [result for result in results if not result.success and result.severity == "block"]


def _result(name: str, success: bool, severity: Severity, message: str, **details: Any) -> CheckResult:
    return CheckResult(name=name, success=success, severity=severity, message=message, details=details)


def _volume(name: str, rows: int, least: int, severity: Severity) -> CheckResult:
    message = f"{rows} rows" if rows >= least else f"only {rows} rows, at least {least} are needed"
    return _result(name, rows >= least, severity, message, rows=rows, minimum=least)


def _duplicates(dataset: Dataset, table: polars.DataFrame) -> CheckResult:
    """Rows that are the same as an earlier one in every declared column."""
    import polars as pl

    columns = [name for name in dataset.columns if name in table.columns]
    limit = dataset.checks.duplicates
    if not columns:
        return _result("duplicates", False, limit.severity, "none of the declared columns is there")
    rows: list[int] = []
    if table.select(columns).hash_rows().n_unique() < table.height:  # the same rows have the same hash
        repeated = ~table.select(pl.struct(columns).is_first_distinct().alias("first"))["first"]
        rows = (repeated.arg_true() + 1).to_list()
    share = len(rows) / max(table.height, 1)
    message = f"{len(rows)} rows repeat an earlier one" + (f", first: rows {listed(rows)}" if rows else "")
    return _result(
        "duplicates", share <= limit.maximum_share, limit.severity, message, count=len(rows), rows=rows[:NAMED]
    )


def _missing(dataset: Dataset, table: polars.DataFrame) -> list[CheckResult]:
    results = []
    for name, limit in dataset.checks.missing.items():
        title = f"missing {name}"
        if name not in table.columns:
            results.append(_result(title, False, limit.severity, f"the column {name} is missing"))
            continue
        share = table[name].null_count() / max(table.height, 1)
        message = f"{share:.2%} of {name} is empty, {limit.maximum_share:.2%} may be"
        results.append(_result(title, share <= limit.maximum_share, limit.severity, message, share=share))
    return results


def _rule(rule: Rule, table: polars.DataFrame) -> CheckResult:
    """A declared relation; one that cannot be evaluated is a failure that blocks."""
    import polars as pl

    columns: list[str] = []
    try:
        asked = pl.sql_expr(rule.rule)
        columns = list(dict.fromkeys(asked.meta.root_names()))
        answers = table.select(asked.alias("holds"))["holds"]
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = str(error).strip().splitlines()[0][:160]
        return _result(rule.name, False, "block", f"could not be evaluated: {reason}", rule=rule.rule, error=reason)
    if answers.dtype != pl.Boolean:
        reason = f"the rule gives {answers.dtype}, not yes or no"
        return _result(rule.name, False, "block", f"could not be evaluated: {reason}", rule=rule.rule, error=reason)
    rows = ((~answers).fill_null(False).arg_true() + 1).to_list()
    told = ", ".join(columns)
    if len(answers) == 1 and table.height != 1:  # one answer for the whole table
        message = f"{rule.message} ({told})" if rows else "holds"
        return _result(rule.name, not rows, rule.severity, message, rule=rule.rule, columns=columns)
    share = len(rows) / max(table.height, 1)
    message = f"{len(rows)} of {table.height} rows: {rule.message} ({told}); first: rows {listed(rows)}"
    return _result(
        rule.name, share <= rule.maximum_share, rule.severity, message if rows else "holds",
        rule=rule.rule, columns=columns, count=len(rows), rows=rows[:NAMED],
    )


def _label(dataset: Dataset, part: str, table: polars.DataFrame) -> list[CheckResult]:
    """Whether the target has something in it to learn, and not one value all over."""
    limit, target = dataset.checks.label, dataset.target
    if not target:
        return []
    title = f"target of {part}"
    if target not in table.columns:
        return [_result(title, False, limit.severity, f"the target {target} is missing")]
    values = table[target].drop_nulls()
    counts = values.value_counts(sort=True)["count"]
    distinct, rows = len(counts), max(len(values), 1)
    problems = []
    if distinct < limit.minimum_distinct:
        problems.append(f"has {distinct} distinct values, at least {limit.minimum_distinct} are needed")
    if distinct and counts[0] / rows > limit.maximum_value_share:
        problems.append(f"has one value in {counts[0] / rows:.1%} of the rows, {limit.maximum_value_share:.1%} may be")
    if distinct and counts[-1] / rows < limit.minimum_class_share:
        problems.append(
            f"has a class in only {counts[-1] / rows:.2%} of the rows, {limit.minimum_class_share:.2%} is needed"
        )
    message = f"{target} " + ("; ".join(problems) if problems else f"has {distinct} distinct values")
    return [_result(title, not problems, limit.severity, message, distinct=distinct, rows=len(values))]


def _disguise(dataset: Dataset, table: polars.DataFrame) -> list[CheckResult]:
    """Numeric features that are the numeric target in disguise: leakage from the answer."""
    import polars as pl

    target, limit = dataset.target, dataset.checks.label
    if target not in table.columns or not table.schema[target].is_numeric():
        return []
    features = [
        name for name in dataset.columns
        if name != target and name in table.columns and table.schema[name].is_numeric()
    ]
    found = table.select(pl.corr(name, target).abs().alias(name) for name in features)
    leaking = [name for name in features if (found[name][0] or 0.0) > limit.maximum_correlation]
    message = f"{', '.join(leaking)} is {target} in disguise" if leaking else f"no feature repeats {target}"
    return [_result("target leakage", not leaking, limit.severity, message, features=leaking)]


def _leakage(dataset: Dataset, train: polars.DataFrame, test: polars.DataFrame) -> CheckResult:
    """Held-out rows whose features were trained on as well."""
    from mlops.data_pipeline.fingerprint import row_digests

    limit = dataset.checks.leakage
    features = [name for name in train.columns if name != dataset.target]
    known = set(row_digests(train, features))
    shared = sum(digest in known for digest in row_digests(test, features))
    share = shared / max(test.height, 1)
    message = f"{shared} of {test.height} held-out rows are in the training part too"
    return _result("leakage between splits", share <= limit.maximum_share, limit.severity, message, count=shared)
