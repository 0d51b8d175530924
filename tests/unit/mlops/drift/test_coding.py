"""Bin numbers: exactly those of a binary search, for whatever stands in a cell."""

from __future__ import annotations

import datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.drift.coding import DEPTH, Coded, Grid, encode
from mlops.drift.layout import ColumnLayout, lay_out

FLOATS = st.floats(width=64)
FINITE = st.floats(allow_nan=False, allow_infinity=False, width=64)


def code(series: pl.Series, column: ColumnLayout) -> Coded:
    return encode(series, column, Grid(column.edges))


@settings(max_examples=150, deadline=None)
@given(st.lists(FINITE, max_size=40, unique=True), st.lists(FLOATS, max_size=60))
def test_the_table_of_cells_equals_the_search(edges: list[float], values: list[float]) -> None:
    edges = sorted(edges)
    found = Grid(edges).codes(np.array([*values, *edges, np.inf, -np.inf], np.float64))
    wanted = np.searchsorted(edges, [*values, *edges, np.inf, -np.inf], side="right")
    wanted[: len(values)][np.isnan(values)] = len(edges) + 1
    assert found.tolist() == wanted.tolist()


@pytest.mark.parametrize("seed", range(3))
def test_neighbours_of_an_edge_fall_on_their_sides(seed: int) -> None:
    random = np.random.default_rng(seed)
    edges = np.unique(random.normal(size=128) * 10.0 ** random.integers(-3, 3))
    near = np.concatenate([edges, np.nextafter(edges, np.inf), np.nextafter(edges, -np.inf)])
    grid = Grid(edges.tolist())
    assert grid.depth <= DEPTH  # the quick way, not the search
    assert (grid.codes(near) == np.searchsorted(edges, near, side="right")).all()


def test_more_values_than_a_block() -> None:
    values = np.random.default_rng(1).normal(size=200_001)
    edges = np.quantile(values, np.linspace(0, 1, 129))
    assert (Grid(edges.tolist()).codes(values) == np.searchsorted(edges, values, side="right")).all()


def test_what_is_not_of_the_type_is_counted_apart() -> None:
    column = lay_out(pl.DataFrame({"x": [1.0, 2.0, 3.0, None]})).columns[0]
    coded = code(pl.Series("x", ["1", "two", None, "3.5", "-7"]), column)
    assert coded.unreadable == 1
    assert coded.codes.tolist() == [1, column.bins, column.bins, 4, 0]
    assert code(pl.Series("x", [datetime.date(2020, 1, 1), None]), column).unreadable == 1
    assert code(pl.Series("x", [[1.0], None]), column).unreadable == 1


def test_times_are_read_from_dates_times_and_text() -> None:
    day = datetime.datetime(2024, 5, 1)
    column = lay_out(pl.DataFrame({"t": [day, day + datetime.timedelta(days=1)]})).columns[0]
    assert column.type == "datetime"
    zone = pl.Series("t", [day], dtype=pl.Datetime("us")).dt.replace_time_zone("UTC")
    for each in (zone, pl.Series("t", [day.date()]), pl.Series("t", ["2024-05-01 00:00:00"]),
                 pl.Series("t", [day], dtype=pl.Datetime("ns"))):
        coded = code(each, column)
        assert (coded.codes.tolist(), coded.unreadable) == ([1], 0)
    assert code(pl.Series("t", ["yesterday"]), column).unreadable == 1


def test_categories_by_name_whatever_their_type() -> None:
    table = pl.DataFrame({"c": ["b", "a", "b", "c"], "f": [True, False, True, None]})
    names, truth = lay_out(table).columns
    assert (names.names, truth.names) == (["b", "a", "c"], ["false", "true"])
    for kind in (pl.String, pl.Categorical, pl.Enum(["a", "b", "x"])):
        coded = code(pl.Series("c", ["a", "x", None, "b"]).cast(kind), names)
        assert coded.codes.tolist() == [1, 3, 4, 0]
        assert coded.others is not None and coded.others.to_list() == ["x"]
    assert code(pl.Series("f", [None, True, False]), truth).codes.tolist() == [3, 1, 0]
    assert code(pl.Series("f", ["true", "maybe"]), truth).codes.tolist() == [1, 2]
