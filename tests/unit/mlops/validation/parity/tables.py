"""Small tables with everything in them that engines differ about, made by Hypothesis."""

from __future__ import annotations

import datetime
import math
from typing import Any

import polars as pl
from hypothesis import strategies as st

TEXTS = ["", "a", "b", "B", "ab", "é", "ß", "日本", "a\n", " a ", "1", "1.0", "2020-01-01", '{"a": 1}', "[]", "x y", "½",
         "NaN"]
FLOATS = [0.0, -0.0, 0.5, 1.0, 1.5, 2.0, 3.0, -1.0, 100.25, 1e-7, 1e16]
STRANGE = [math.nan, math.inf, -math.inf]
TIMES = [datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 2), datetime.datetime(2020, 1, 1, 12, 30, 15),
         datetime.datetime(1999, 12, 31), datetime.datetime(2020, 1, 1, 0, 0, 0, 500000)]
DATES = [datetime.date(2020, 1, 1), datetime.date(2020, 1, 2), datetime.date(1999, 12, 31)]
KINDS: dict[str, tuple[Any, list[Any]]] = {
    "integer": (pl.Int64, [-2, -1, 0, 1, 2, 3, 4, 7]),
    "narrow": (pl.Int32, [0, 1, 2, 3]),
    "float": (pl.Float64, FLOATS),
    "strange": (pl.Float64, FLOATS[:6] + STRANGE),
    "boolean": (pl.Boolean, [True, False]),
    "text": (pl.String, TEXTS),
    "time": (pl.Datetime("us"), TIMES),
    "date": (pl.Date, DATES),
}


@st.composite
def columns(draw: Any, height: int) -> pl.Series:
    """A column: of one kind, constant or not, full, holed or empty."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    dtype, values = KINDS[kind]
    shape = draw(st.sampled_from(["any", "any", "any", "constant", "ascending", "empty"]))
    holes = draw(st.sampled_from([0, 0, 1, 3]))
    if shape == "empty":
        cells: list[Any] = [None] * height
    elif shape == "constant":
        cells = [draw(st.sampled_from(values))] * height
    else:
        cells = draw(st.lists(st.sampled_from(values), min_size=height, max_size=height))
        if shape == "ascending":
            cells = sorted(cells, key=lambda value: (value != value, value))
    for _ in range(holes if height else 0):
        cells[draw(st.integers(0, height - 1))] = None
    return pl.Series(values=cells, dtype=dtype)


@st.composite
def tables(draw: Any) -> pl.DataFrame:
    """A table of the columns a to e, with few rows: more would say the same more slowly."""
    height = draw(st.sampled_from([1, 2, 3, 4, 5, 8, 8, 13]))
    return pl.DataFrame({name: draw(columns(height)) for name in "abcde"})
