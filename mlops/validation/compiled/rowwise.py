"""How an expectation about rows is judged: count those that break it, and look at them only where there are any."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mlops.validation.compiled.asks import Ask, Steps
from mlops.validation.compiled.case import Case
from mlops.validation.compiled.columns import Column, Raised
from mlops.validation.compiled.results import EXAMPLES, of_rows

if TYPE_CHECKING:
    import polars

Sound = Callable[[Any, Any], bool]
"""Whether a column with this least and greatest value cannot hold one that breaks the rule."""


def domain(case: Case, column: Column) -> list[Ask]:
    """The questions for rows and missing values of a column, none where both are known."""
    if case.where is None:
        return []
    missing = column.values().is_null()
    return [case.count(case.where, "rows"), case.count(missing, "missing", column.name)]


def counted(case: Case, column: Column, answers: list[Any]) -> tuple[int, int]:
    """Rows of the case, and those with a value, from the answers to `domain`."""
    if not answers:
        return case.table.height, case.table.height - column.missing
    rows, missing = (answer or 0 for answer in answers)
    return rows, rows - missing


def judge(case: Case, column: Column, bad: polars.Expr, *, sound: Sound | None = None) -> Steps:
    """Steps of a rule about each value of a column.

    Args:
        bad: Whether a value breaks the rule; null where there is none.
        sound: Answers from the bounds alone where they suffice; the values are not looked at then.
    """
    import polars as pl

    facts = domain(case, column)
    if sound is not None:
        low, high, answers = yield from bounds(case, column, facts)
        rows, considered = counted(case, column, answers)
        if considered == 0 or sound(low, high):
            return of_rows(elements=rows, considered=considered, unexpected=0, mostly=case.mostly, values=[], rows=[])
        return (yield from told(case, [column], bad, rows, considered, None))
    elif column.family in ("text", "boolean") and case.table.few(column.name):
        histogram, *answers = yield [case.histogram(column), *facts]
        rows, considered = counted(case, column, answers)
        unexpected = histogram.select(pl.col("count").filter(bad).sum()).item()
    else:
        unexpected, *answers = yield [case.count(bad), *facts]
        rows, considered = counted(case, column, answers)
    return (yield from told(case, [column], bad, rows, considered, unexpected or 0))


def unsuited(case: Case, column: Column, message: str) -> Steps:
    """Steps of a rule that does not fit the column's values: Great Expectations raises, unless there are none.

    Raises:
        Raised: with the message.
    """
    import polars as pl

    asks = domain(case, column)
    rows, considered = counted(case, column, (yield asks) if asks else [])
    if considered:
        raise Raised(message)
    return (yield from told(case, [column], pl.lit(False), rows, considered, 0))


def bounds(case: Case, column: Column, facts: list[Ask]) -> Any:
    """Least and greatest value of the case, from the footer where it knows them, and the answers to `facts`."""
    known = case.table.bounds(column) if case.where is None else None
    if known is not None:
        answers = (yield facts) if facts else []
        return *known, answers
    values = column.values()
    low, high, *answers = yield [
        case.scalar("min", column.name, of=case.within(values).min()),
        case.scalar("max", column.name, of=case.within(values).max()), *facts,
    ]
    return low, high, answers


def told(
    case: Case, columns: list[Column], bad: polars.Expr, rows: int, considered: int, unexpected: int | None, *,
    nullness: bool = False, shape: Callable[[list[Any]], Any] | None = None,
) -> Steps:
    """The result, with the first failing rows where there are any.

    Args:
        unexpected: How many rows break the rule; None where it is not known but that there are some: the rows
            themselves are counted then, and only where they are too many to bring a scan counts them.
        shape: Makes a value out of a row's values, which is the value itself for one column.
    """
    values: list[Any] = []
    places: list[int] = []
    if unexpected != 0:
        (frame,) = yield [case.rows(bad, [column.values() for column in columns])]
        if unexpected is None and frame.height == case.limit:
            (unexpected,) = yield [case.count(bad)]
        elif unexpected is None:
            unexpected = frame.height
        places = frame["__row"].to_list()
        first = frame.head(EXAMPLES)
        shown = [
            [column.shown(value) for value in first[column.name].to_list()] for column in columns
        ]
        values = [row[0] if shape is None else shape(list(row)) for row in zip(*shown, strict=True)]
    return of_rows(
        elements=rows, considered=considered, unexpected=unexpected or 0, mostly=case.mostly, values=values,
        rows=places, nullness=nullness,
    )
