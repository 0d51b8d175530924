"""Declared types where every value can be; what cannot be is marked, never guessed."""

from __future__ import annotations

import datetime
import decimal
from typing import Any

import polars as pl
import pytest

from mlops.data_pipeline import types
from mlops.data_pipeline.dataset import Column, ColumnType
from mlops.data_pipeline.reading import Reading
from mlops.errors import ConfigurationError

INF = float("inf")


def of_text(kind: ColumnType, values: list[Any], reading: Reading = Reading(), form: str = "") -> tuple[Any, Any]:
    """The cells, and the numbers (from 0) of the wrong ones."""
    typed, wrong = types.from_text(pl.Series("x", values, dtype=pl.String), Column(type=kind, format=form), reading)
    assert typed.dtype == types.polars_type(Column(type=kind))
    return typed.to_list(), [] if wrong is None else wrong.arg_true().to_list()


@pytest.mark.parametrize(("kind", "values", "cells"), [
    ("float", ["1", " 2.5 ", "", "NA", "nan", "-3e2", "None"], [1, 2.5, None, None, None, -300, None]),
    ("float", ["inf", "+.5", "1."], [INF, 0.5, 1.0]),
    ("integer", ["1", "2.0", "", "1e3", "007", "9223372036854775807"], [1, 2, None, 1000, 7, 2**63 - 1]),
    ("boolean", ["true", "FALSE", "1", "0", "", "NA"], [True, False, True, False, None, None]),
    ("string", ["NA", "", " a", "nan"], ["NA", None, " a", "nan"]),
])
def test_text_becomes_its_type(kind: ColumnType, values: list[str], cells: list[Any]) -> None:
    assert of_text(kind, values) == (cells, [])


@pytest.mark.parametrize(("kind", "bad"), [
    *(("float", bad) for bad in ("x", "1,5", "1.2.3", "0x10", "1 000", "--1", "12abc", "#REF!", "1e400", "-1e999",
                                 "12 kg", "1_000", "$5", "١")),
    *(("integer", bad) for bad in ("2.5", "9223372036854775808", "1e19", "9007199254740993.0", "inf", "nan1", "1,000")),
    *(("boolean", bad) for bad in ("yes", "2", "t")),
    *(("datetime", bad) for bad in ("31/12/2024", "12/31/2024", "2024-13-01", "2024-02-30", "2024-1-1", "20241231",
                                    "2024-01-01T25:00:00", "1735689600")),
])
def test_a_cell_that_cannot_be_is_marked_alone(kind: ColumnType, bad: str) -> None:
    good = {"float": "1.5", "integer": "7", "boolean": "true", "datetime": "2024-01-01"}[kind]
    cells, wrong = of_text(kind, [good, bad, "", good])
    assert wrong == [1] and cells[1] is None and cells[2] is None and cells[0] == cells[3] is not None


@pytest.mark.parametrize(("decimal_", "thousands", "good", "bad"), [
    (",", "", {"1,5": 1.5, "-3": -3, "1,5e3": 1500}, ["1.5", "1,5,0", "1.000,5"]),
    (",", ".", {"1.234,5": 1234.5, "1234,5": 1234.5, "12.345.678": 12345678}, ["12.34", "1.5", "1,234.5", "1.2345"]),
    (".", ",", {"1,234.5": 1234.5, "1234": 1234}, ["1,5", "1,23,456", "1.234,5", ",123"]),
    (".", " ", {"1 234": 1234, "1\u00a0234.5": 1234.5, "1\u202f234": 1234}, ["1 23", "1  234"]),
    (".", "'", {"1'234'567": 1234567}, ["1'23"]),
])
def test_marks_are_where_they_belong(decimal_: Any, thousands: Any, good: dict[str, float], bad: list[str]) -> None:
    reading = Reading(decimal=decimal_, thousands=thousands)
    assert of_text("float", list(good), reading) == (list(good.values()), [])
    for text in bad:
        assert of_text("float", [text], reading) == ([None], [0]), text


def test_declared_words_for_no_value() -> None:
    reading = Reading(missing=("-", "?"))
    assert of_text("float", ["-", "?", "1"], reading) == ([None, None, 1], [])
    assert of_text("string", ["-", "NA"], reading) == ([None, "NA"], [])


@pytest.mark.parametrize(("text", "form", "moment"), [
    ("2024-12-31", "", (2024, 12, 31)), ("2024-12-31 23:59", "", (2024, 12, 31, 23, 59)),
    ("2024-12-31T23:59:58.5", "", (2024, 12, 31, 23, 59, 58, 500000)),
    ("2024-12-31T23:00:00Z", "", (2024, 12, 31, 23)), ("2024-12-31T23:00:00+0200", "", (2024, 12, 31, 21)),
    ("2024-12-31T23:00:00-05:30", "", (2025, 1, 1, 4, 30)), ("31/12/2024", "%d/%m/%Y", (2024, 12, 31)),
    ("31/12/2024 23:30 +0100", "%d/%m/%Y %H:%M %z", (2024, 12, 31, 22, 30)), ("31/12/24", "%d/%m/%Y", None),
    ("12/31/2024", "%d/%m/%Y", None), ("31.12.2024 23:59", "%d.%m.%Y %H:%M", (2024, 12, 31, 23, 59)),
])
def test_times(text: str, form: str, moment: tuple[int, ...] | None) -> None:
    cells, wrong = of_text("datetime", [text], form=form)
    assert (cells, wrong) == (([None], [0]) if moment is None else ([datetime.datetime(*moment)], []))


def test_a_form_that_is_none_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="'x'"):
        of_text("datetime", ["12/31/24 5 PM"], form="%m/%d/%y %I %p")


def test_dates_in_two_orders_are_found_with_their_rows() -> None:
    assert of_text("datetime", ["01/02/2024", "31/12/2024", "12/31/2024"], form="%d/%m/%Y")[1] == [2]


@pytest.mark.parametrize(("kind", "values", "cells", "wrong"), [
    ("float", pl.Series([1, 2, None]), [1.0, 2.0, None], []),
    ("float", pl.Series([1.5, float("nan")]), [1.5, None], []),
    ("float", pl.Series([decimal.Decimal("1.5")]), [1.5], []),
    ("float", pl.Series(["1", None]), [None, None], [0]),
    ("float", pl.Series([True]), [None], [0]),
    ("float", pl.Series([None, None]), [None, None], []),
    ("integer", pl.Series([1.0, 2.5, None]), [1, None, None], [1]),
    ("integer", pl.Series([2**63, 1], dtype=pl.UInt64), [None, 1], [0]),
    ("string", pl.Series([1]), [None], [0]),
    ("string", pl.Series(["a"], dtype=pl.Categorical), ["a"], []),
    ("boolean", pl.Series([0, 1, 2]), [False, True, None], [2]),
    ("datetime", pl.Series([datetime.date(2024, 1, 2)]), [datetime.datetime(2024, 1, 2)], []),
    ("datetime", pl.Series([datetime.datetime(2024, 1, 2)]).dt.replace_time_zone("Europe/Berlin"),
     [datetime.datetime(2024, 1, 1, 23)], []),
    ("datetime", pl.Series([1735689600]), [None], [0]),
])
def test_values_that_have_a_type(kind: ColumnType, values: pl.Series, cells: list[Any], wrong: list[int]) -> None:
    typed, mask = types.from_values(values.alias("x"), Column(type=kind))
    assert typed.to_list() == cells and typed.dtype == types.polars_type(Column(type=kind))
    assert ([] if mask is None else mask.arg_true().to_list()) == wrong


@pytest.mark.parametrize(("kind", "values", "cells", "wrong"), [
    ("float", [1, 2.5, None, decimal.Decimal("3.5")], [1.0, 2.5, None, 3.5], []),
    ("float", [1.0, "many", True, INF, 10**400, float("nan")], [1.0, None, None, None, None, None], [1, 2, 3, 4]),
    ("integer", [1, 2.0, 2.5, 2**63, "3"], [1, 2, None, None, None], [2, 3, 4]),
    ("string", ["a", 1, None], ["a", None, None], [1]),
    ("boolean", [True, 1, 0, "true", 2], [True, True, False, None, None], [3, 4]),
    ("datetime", ["2024-01-02", datetime.date(2024, 1, 2), 5, "x"],
     [datetime.datetime(2024, 1, 2)] * 2 + [None] * 2, [2, 3]),
    ("datetime", ["2024-01-02", None], [datetime.datetime(2024, 1, 2), None], []),
    ("float", [], [], []), ("float", [None], [None], []),
])
def test_values_of_mixed_types(kind: ColumnType, values: list[Any], cells: list[Any], wrong: list[int]) -> None:
    typed, mask = types.from_objects("x", values, Column(type=kind))
    assert typed.to_list() == cells and typed.dtype == types.polars_type(Column(type=kind))
    assert ([] if mask is None else mask.arg_true().to_list()) == wrong
