"""Steps of many expectations run side by side: what they ask in one round is answered together."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

from mlops.validation.compiled.asks import Ask, Histogram, Result, Rows, Scalar, Steps, Whole
from mlops.validation.compiled.columns import Declined, Raised
from mlops.validation.compiled.table import Table

if TYPE_CHECKING:
    import polars

Ended = Result | Declined | Raised


def run(table: Table, steps: Sequence[Steps]) -> list[Ended]:
    """The end of each generator: its result, or why it has none."""
    ended: dict[int, Ended] = {}
    waiting: dict[int, list[Ask]] = {}
    for number, each in enumerate(steps):
        _advance(number, each, None, waiting, ended)
    histograms: dict[Hashable, polars.DataFrame] = {}
    while waiting:
        asked, waiting = waiting, {}
        answers = _answer(table, [ask for asks in asked.values() for ask in asks], histograms)
        for number, asks in asked.items():
            _advance(number, steps[number], [next(answers) for _ in asks], waiting, ended)
    return [ended[number] for number in range(len(steps))]


def _advance(
    number: int, steps: Steps, answers: list[Any] | None, waiting: dict[int, list[Ask]], ended: dict[int, Ended]
) -> None:
    try:
        waiting[number] = next(steps) if answers is None else steps.send(answers)
    except StopIteration as stop:
        ended[number] = stop.value
    except (Declined, Raised) as reason:
        ended[number] = reason


def _answer(table: Table, asks: list[Ask], histograms: dict[Hashable, polars.DataFrame]) -> Any:
    """The answers in the order of the questions."""
    scalars, counted = _scanned(
        table, [ask for ask in asks if isinstance(ask, Scalar)], [ask for ask in asks if isinstance(ask, Histogram)],
        histograms,
    )
    wholes = _wholes(table, [ask for ask in asks if isinstance(ask, Whole)])
    rows = _rows(table, [ask for ask in asks if isinstance(ask, Rows)])
    queues = {Scalar: iter(scalars), Histogram: iter(counted), Whole: iter(wholes), Rows: iter(rows)}
    return (next(queues[type(ask)]) for ask in asks)


def _scanned(
    table: Table, scalars: list[Scalar], histograms: list[Histogram], known: dict[Hashable, polars.DataFrame]
) -> tuple[list[Any], list[polars.DataFrame]]:
    """All scalars by one scan, and beside it a grouping for each column whose values are counted."""
    import polars as pl

    places: dict[Hashable, str] = {}
    expressions = []
    for ask in scalars:
        if ask.key not in places:
            places[ask.key] = f"s{len(places)}"
            expressions.append(ask.expression.alias(places[ask.key]))
    doubtful = sorted(table.assumed)
    expressions += [pl.col(name).is_nan().sum().alias(f"nan{number}") for number, name in enumerate(doubtful)]
    queries = [table.frame.select(expressions)] if expressions else []
    new = {ask.key: ask for ask in histograms if ask.key not in known}
    queries += [_grouped(table, ask) for ask in new.values()]
    answers = table.collect_all(queries)
    scanned = answers.pop(0) if expressions else pl.DataFrame()
    if doubtful and table.correct({name: scanned[f"nan{number}"][0] for number, name in enumerate(doubtful)}):
        raise Mistaken
    known.update(zip(new, answers, strict=True))
    return [scanned[places[ask.key]][0] for ask in scalars], [known[ask.key] for ask in histograms]


class Mistaken(Exception):
    """A column was taken to hold no not-a-number, and does: everything is asked anew with that knowledge."""


def _grouped(table: Table, ask: Histogram) -> polars.LazyFrame:
    import polars as pl

    frame = table.frame if ask.where is None else table.frame.filter(ask.where)
    counted = frame.select(ask.values.alias(ask.column)).group_by(ask.column).agg(pl.len().alias("count"))
    return counted.filter(pl.col(ask.column).is_not_null())


def _wholes(table: Table, asks: list[Whole]) -> list[Any]:
    """One column, or group of columns, after the other, so that only one is in memory."""
    answers: dict[int, Any] = {}
    by_key: dict[Hashable, list[int]] = {}
    for number, ask in enumerate(asks):
        by_key.setdefault(ask.key, []).append(number)
    for numbers in by_key.values():
        first = asks[numbers[0]]
        frame = table.frame if first.where is None else table.frame.filter(first.where)
        series = table.collect(frame.select(first.columns)).get_columns()
        for number in numbers:
            answers[number] = asks[number].answer(series)
    return [answers[number] for number in range(len(asks))]


def _rows(table: Table, asks: list[Rows]) -> list[polars.DataFrame]:
    """The rows asked for; questions about the same columns share one reading of them, where few rows answer."""
    import polars as pl

    groups: dict[tuple[bytes, ...], list[int]] = {}
    for number, ask in enumerate(asks):
        groups.setdefault(tuple(column.meta.serialize() for column in ask.columns), []).append(number)
    found: dict[int, polars.DataFrame] = {}
    numbered = table.frame.with_row_index("__row")
    shared = []
    for numbers in groups.values():
        marks = [asks[number].condition.alias(f"__mark{number}") for number in numbers]
        chosen = numbered.filter(pl.any_horizontal(marks)) if len(marks) > 1 else numbered.filter(marks[0])
        limits = [asks[number].limit for number in numbers]
        rows = chosen.select("__row", *asks[numbers[0]].columns, *(marks if len(marks) > 1 else ()))
        shared.append(rows if None in limits else rows.head(sum(limit or 0 for limit in limits)))
    again = []
    for numbers, frame in zip(groups.values(), table.collect_all(shared), strict=True):
        limits = [asks[number].limit for number in numbers]
        if len(numbers) > 1 and None not in limits and frame.height == sum(limit or 0 for limit in limits):
            again += numbers  # one question's rows may have crowded out another's
            continue
        for number in numbers:
            own = frame.filter(pl.col(f"__mark{number}")) if len(numbers) > 1 else frame
            own = own.select("__row", *(column.meta.output_name() for column in asks[number].columns))
            limit = asks[number].limit
            found[number] = own if limit is None else own.head(limit)
    alone = [
        numbered.filter(asks[number].condition).select("__row", *asks[number].columns).head(asks[number].limit or 0)
        for number in again
    ]
    found.update(zip(again, table.collect_all(alone), strict=True))
    return [found[number] for number in range(len(asks))]
