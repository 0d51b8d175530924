"""From a Great Expectations result to a finding: which column, how many rows, which first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlops.validation.outcome import SHOWN, Finding, Verdict

if TYPE_CHECKING:
    from mlops.validation.compiled.table import Table

NUMBERS = frozenset({"float64", "float32", "int64", "int32", "int16", "int8", "Float64", "Int64"})


def explain(result: dict[str, Any], table: Table, where: str) -> Finding:
    """The finding of a result that is no success."""
    config = result["expectation_config"]
    kwargs = config.get("kwargs", {})
    columns = named_columns(kwargs)
    missing = [column for column in columns if column not in table.names]
    rows = tuple(index + 1 for index in result["result"].get("partial_unexpected_index_list") or ())[:SHOWN]
    verdict: Verdict = "fail"
    unjudged = (result["meta"] or {}).get("nothing was judged")
    if unjudged:
        message = f"{', '.join(columns)}: the column is empty, so the rule was held against nothing"
    elif missing:
        message = "; ".join(_missing(column, table.names) for column in missing)
    elif result["exception_info"]["raised_exception"]:
        verdict, message = _raised(result, columns, table)
    elif config["type"] in ("expect_column_values_to_be_of_type", "expect_column_values_to_be_in_type_list"):
        message, rows = _wrong_type(result, columns[0], table)
    else:
        message = _broken(result, columns)
    return Finding(
        verdict=verdict, expectation=config["type"], column=", ".join(columns) or None, message=message,
        where=where, rows=rows,
    )


def named_columns(kwargs: dict[str, Any]) -> list[str]:
    """The columns that an expectation's arguments name."""
    single = [kwargs[name] for name in ("column", "column_A", "column_B") if isinstance(kwargs.get(name), str)]
    listed = kwargs.get("column_list")
    return single or ([str(name) for name in listed] if isinstance(listed, list) else [])


def _missing(column: str, present: Sequence[str]) -> str:
    import difflib

    by_letters = {name.strip().lower().replace(" ", "_"): name for name in present}
    near = difflib.get_close_matches(column.lower(), list(by_letters), n=1)
    hint = f" (there is {by_letters[near[0]]!r}: was it renamed?)" if near else ""
    return f"{column}: the column is missing{hint}"


def _raised(result: dict[str, Any], columns: list[str], table: Table) -> tuple[Verdict, str]:
    """An exception is the data's fault where numbers were expected and the column holds text."""
    texts = [name for name in columns if str(table.schema[name]) == "String"]
    wants_numbers = any(
        isinstance(value, int | float) and not isinstance(value, bool)
        for name, value in result["expectation_config"].get("kwargs", {}).items() if name != "mostly"
    )
    if texts and wants_numbers:
        return "fail", f"{', '.join(texts)}: holds text where numbers are expected, so its values cannot be compared"
    reason = result["exception_info"]["exception_message"].strip().splitlines()[0]
    return "error", f"{', '.join(columns) or 'the table'}: could not be evaluated: {reason}"


def _wrong_type(result: dict[str, Any], column: str, table: Table) -> tuple[str, tuple[int, ...]]:
    """The cells that are no numbers, where numbers were expected."""
    import polars as pl

    kwargs = result["expectation_config"]["kwargs"]
    wanted = kwargs.get("type_list") or [kwargs.get("type_")]
    found = result["result"].get("observed_value", table.schema[column])
    if table.schema[column] == pl.String and NUMBERS.intersection(wanted):
        number = pl.col(column).str.strip_chars().cast(pl.Float64, strict=False)
        bad = table.collect(
            table.frame.with_row_index("row", offset=1)
            .filter(pl.col(column).is_not_null() & number.is_null()).select("row", column)
        )
        if 0 < bad.height:
            rows, values = tuple(bad["row"].to_list()[:SHOWN]), bad[column].to_list()[:SHOWN]
            return (
                f"{column}: {_of(bad.height, table.height)} hold text where a number is expected; "
                f"first: {_pairs(rows, values)}", rows,
            )
        return f"{column}: its numbers are stored as text", ()
    return f"{column}: has the type {found}, expected {' or '.join(str(name) for name in wanted)}", ()


def _broken(result: dict[str, Any], columns: list[str]) -> str:
    config, details = result["expectation_config"], result["result"]
    name = " and ".join(columns) or "the table"
    words = rule(config["type"], config.get("kwargs", {}))
    count, total = details.get("unexpected_count"), details.get("element_count")
    if count is not None and total:
        first = _pairs(
            [index + 1 for index in (details.get("partial_unexpected_index_list") or ())[:SHOWN]],
            (details.get("partial_unexpected_list") or ())[:SHOWN],
        )
        return f"{name}: {_of(count, total)} break the rule: {words}" + (f"; first: {first}" if first else "")
    observed = details.get("observed_value")
    return f"{name}: breaks the rule: {words}" + (f"; found {_value(observed)}" if observed is not None else "")


def rule(kind: str, kwargs: dict[str, Any]) -> str:
    """The expectation's type read as English, with its arguments."""
    words = kind.removeprefix("expect_").replace("_", " ")
    for prefix in ("column values to ", "column pair values ", "column ", "table "):
        words = words.removeprefix(prefix)
    skip = {"column", "column_list", "mostly", "min_value", "max_value", "batch_id"}
    parts = [words]
    if "min_value" in kwargs or "max_value" in kwargs:
        low, high = kwargs.get("min_value"), kwargs.get("max_value")
        limits = f"{_value(low)} and {_value(high)}" if low is not None and high is not None else (
            f"at least {_value(low)}" if low is not None else f"at most {_value(high)}")
        parts = [words.removesuffix(" between"), "between" if " and " in limits else "", limits]
    extra = [f"{key} {_value(value)}" for key, value in kwargs.items() if key not in skip and value is not None]
    if kwargs.get("mostly", 1) != 1:
        extra.append(f"for at least {kwargs['mostly']:.1%} of the rows")
    return " ".join(part for part in parts if part) + (f" ({', '.join(extra)})" if extra else "")


def _of(count: int, total: int) -> str:
    return f"{count} of {total} rows ({count / total:.2%})"


def _pairs(rows: Sequence[int], values: Sequence[Any]) -> str:
    if not rows:
        return ", ".join(_value(value) for value in values)
    return ", ".join(f"row {row} is {_value(value)}" for row, value in zip(rows, values, strict=False))


def _value(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, list):
        return "(" + ", ".join(_value(item) for item in value[:8]) + (", …)" if len(value) > 8 else ")")
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:59] + "…"
