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
    scalars = _scalars(table, [ask for ask in asks if isinstance(ask, Scalar)])
    counted = _histograms(table, [ask for ask in asks if isinstance(ask, Histogram)], histograms)
    wholes = _wholes(table, [ask for ask in asks if isinstance(ask, Whole)])
    rows = _rows(table, [ask for ask in asks if isinstance(ask, Rows)])
    queues = {Scalar: iter(scalars), Histogram: iter(counted), Whole: iter(wholes), Rows: iter(rows)}
    return (next(queues[type(ask)]) for ask in asks)


def _scalars(table: Table, asks: list[Scalar]) -> list[Any]:
    import polars as pl

    places: dict[Hashable, str] = {}
    expressions = []
    for ask in asks:
        if ask.key not in places:
            places[ask.key] = f"s{len(places)}"
            expressions.append(ask.expression.alias(places[ask.key]))
    doubtful = sorted(table.assumed)
    expressions += [pl.col(name).is_nan().sum().alias(f"nan{number}") for number, name in enumerate(doubtful)]
    if not expressions:
        return []
    answer = table.collect(table.frame.select(expressions))
    if doubtful:
        wrong = table.correct({name: answer[f"nan{number}"][0] for number, name in enumerate(doubtful)})
        if wrong:
            raise Mistaken
    return [answer[places[ask.key]][0] for ask in asks]


class Mistaken(Exception):
    """A column was taken to hold no not-a-number, and does: everything is asked anew with that knowledge."""


def _histograms(
    table: Table, asks: list[Histogram], known: dict[Hashable, polars.DataFrame]
) -> list[polars.DataFrame]:
    import polars as pl

    new = {ask.key: ask for ask in asks if ask.key not in known}
    queries = []
    for ask in new.values():
        frame = table.frame if ask.where is None else table.frame.filter(ask.where)
        counted = frame.select(ask.values.alias(ask.column)).group_by(ask.column).agg(pl.len().alias("count"))
        queries.append(counted.filter(pl.col(ask.column).is_not_null()))
    if queries:
        engine: Any = "auto" if table.eager is not None else "streaming"
        known.update(zip(new, pl.collect_all(queries, engine=engine), strict=True))
    return [known[ask.key] for ask in asks]


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
    import polars as pl

    if not asks:
        return []
    queries = []
    for ask in asks:
        found = table.frame.with_row_index("__row").filter(ask.condition)
        found = found.select("__row", *ask.columns)
        queries.append(found if ask.limit is None else found.head(ask.limit))
    engine: Any = "auto" if table.eager is not None else "streaming"
    return pl.collect_all(queries, engine=engine)
