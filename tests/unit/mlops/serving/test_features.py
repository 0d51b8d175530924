"""The same bits whole, in batches, row by row and out of a request's text."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops.errors import InvalidRecordError
from mlops.features.fitting import columns_of_table, fit, table_of
from mlops.features.rules import FeatureRule
from mlops.records import ColumnShape, decode
from mlops.records.features import FeatureChain, FeaturePlan
from mlops.serving import Input
from mlops.serving.features import apply, apply_chain, chain_of, column, columns_of, log1p, taken
from mlops.serving.inputs import RowReader

SHAPES = [
    ColumnShape(name=name, type=kind, nullable=True)
    for name, kind in [("a", "float"), ("b", "float"), ("n", "integer"), ("yes", "boolean"), ("place", "string"),
                       ("at", "datetime")]
]
RULES = {
    "a": FeatureRule(), "yes": FeatureRule(), "n": FeatureRule(impute="most_frequent", scale="minmax"),
    "a_standard": FeatureRule(of="a", impute="mean", scale="standard"),
    "b_robust": FeatureRule(of="b", impute="median", scale="robust"),
    "log": FeatureRule(operation="log1p", of="a", scale="standard"),
    "ratio": FeatureRule(operation="ratio", of=["a", "b"], impute="constant", constant=-1.0),
    "difference": FeatureRule(operation="difference", of=["a", "n"]),
    "product": FeatureRule(operation="product", of=["a", "b"], scale="robust"),
    "band": FeatureRule(operation="bucket", of="b", edges=[-1.0, 0.0, 2.5], impute="constant", constant=9.0),
    "place": FeatureRule(impute="constant", constant="nowhere"), "place_raw": FeatureRule(of="place"),
    "is": FeatureRule(operation="one_hot", of="place"),
    "is_known": FeatureRule(operation="one_hot", of="place", impute="most_frequent"),
    "code": FeatureRule(operation="ordinal", of="place", scale="standard"),
    "number": FeatureRule(operation="one_hot", of="n"),
    **{f"at_{part}": FeatureRule(operation="cyclical", of="at", part=part)  # type: ignore[arg-type]
       for part in ("minute", "hour", "weekday", "day", "day_of_year", "month")},
}
PLACES = ["sea", "inland", "", "Übersee", "<1H"]
NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, -0.0, 5e-324, -5e-324, 1.7976931348623157e308, -1.0, 2.5, 0.1, 1e16 + 2]),
    st.floats(-1, 100, allow_nan=False),
)
ROWS = st.lists(
    st.fixed_dictionaries({
        "a": st.none() | NUMBERS | st.integers(-(2**60), 2**60), "b": st.none() | NUMBERS,
        "n": st.none() | st.integers(-(2**63), 2**63 - 1), "yes": st.none() | st.booleans(),
        "place": st.none() | st.sampled_from(PLACES) | st.text(st.characters(exclude_categories=["Cs"]), max_size=3),
        "at": st.none() | st.datetimes(min_value=datetime(1, 1, 2)),
    }),
    min_size=1, max_size=70,
)
TRAIN = {
    "a": [1.0, 2.5, None, 40.0, 3.3, 0.0], "b": [0.1, -7.0, 2.5, None, 1e5, 3.0], "n": [1, 1, 7, None, 3, 2],
    "yes": [True, False, None, True, True, False], "place": ["sea", "sea", "inland", None, "Übersee", "sea"],
    "at": ["2024-02-29T12:30:00", None, "1969-07-20T20:17:00", "2000-01-01", "2024-12-31", "2023-03-01T00:00:00+02:00"],
}


def fitted() -> FeaturePlan:
    return fit(RULES, SHAPES, {shape.name: column(shape.type, TRAIN[shape.name]) for shape in SHAPES})


PLAN = fitted()


def bits(features: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: values.tolist() if values.dtype == object else values.tobytes() for name, values in features.items()
    }


def joined(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return bits({name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def sent(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """As a client may write them: whole floats as integers, empty cells left out, moments with an offset."""
    import json

    texts = []
    for number, row in enumerate(rows):
        cells = {name: value for name, value in row.items() if value is not None or number % 2}
        if cells.get("at") is not None:
            cells["at"] = row["at"].isoformat() + ("Z" if number % 3 else "")
        if isinstance(cells.get("n"), int) and abs(cells["n"]) < 2**53 and number % 2:
            cells["n"] = float(cells["n"])
        texts.append(cells)
    return json.dumps(texts).encode()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=ROWS, cuts=st.lists(st.integers(1, 69), max_size=4))
def test_whole_in_batches_by_row_and_from_a_request(rows: list[dict[str, Any]], cuts: list[int]) -> None:
    kinds = {"float": pl.Float64, "integer": pl.Int64, "boolean": pl.Boolean, "string": pl.String,
             "datetime": pl.Datetime("us")}
    typed = [{**row, "a": None if row["a"] is None else float(row["a"])} for row in rows]
    table = pl.DataFrame(typed, schema={shape.name: kinds[shape.type] for shape in SHAPES})
    made = apply(PLAN, columns_of_table(table, SHAPES))
    whole = bits(made)
    assert all(len(values) == len(rows) for values in made.values())
    ends = [0, *sorted({cut for cut in cuts if cut < len(rows)}), len(rows)]
    tables = [table[start:end] for start, end in zip(ends, ends[1:], strict=False)]
    assert joined([apply(PLAN, columns_of_table(each, SHAPES)) for each in tables]) == whole
    assert joined([apply(PLAN, columns_of(PLAN, [row])) for row in rows]) == whole
    again = decode(FeaturePlan, PLAN.to_json(), where="test")
    inputs = [Input(name=each.name, type=each.type, nullable=True) for each in SHAPES]  # type: ignore[arg-type]
    reader = RowReader(inputs)
    read = reader.from_json(sent(rows))
    served = {
        shape.name: column(shape.type, [row[place] for row in read]) for place, shape in enumerate(again.columns)
    }
    assert bits(apply(again, served)) == whole
    parts = [table_of(apply(PLAN, columns_of_table(each, PLAN.columns))) for each in tables]
    assert pl.concat(parts).equals(table_of(made), null_equal=True)


def test_a_copy_that_starts_elsewhere_in_memory_gives_the_same_bits() -> None:
    """Vector units work in groups of two, four or eight: no place in a group may matter."""
    random = np.random.default_rng(1)
    values = np.concatenate([random.standard_normal(500) * 10.0 ** random.integers(-18, 18, 500), [-0.5, 0.41, 1e300]])
    with np.errstate(all="ignore"):
        whole = log1p(values)
        for start in range(1, 9):
            assert log1p(values[start:]).tobytes() == whole[start:].tobytes()
        assert log1p(values[::3]).tobytes() == whole[::3].tobytes()
        assert b"".join(log1p(values[n:n + 1]).tobytes() for n in range(len(values))) == whole.tobytes()


def test_the_logarithm_is_within_two_units_in_the_last_place() -> None:
    random = np.random.default_rng(2)
    values = np.concatenate([
        random.standard_normal(20_000) * 10.0 ** random.integers(-20, 20, 20_000), random.uniform(-0.5, 0.6, 20_000),
        -1 + 10.0 ** random.uniform(-16, 0, 5_000), 10.0 ** random.uniform(0, 308, 5_000),
    ])
    values = values[values > -1]
    with np.errstate(all="ignore"):
        found = log1p(values)
        assert np.isnan(log1p(np.array([-1.0, -2.0, math.nan]))).all()
    wanted = np.array([math.log1p(value) for value in values])
    assert (np.abs(found - wanted) <= 2 * np.spacing(np.abs(wanted))).all()


def test_what_each_operation_gives() -> None:
    row = {"a": 3.0, "b": -0.0, "n": 7, "yes": True, "place": "Übersee", "at": "2024-02-29T18:15:00+03:00"}
    made = {name: values.tolist()[0] for name, values in apply(PLAN, columns_of(PLAN, [row])).items()}
    assert (made["a"], made["yes"], made["n"]) == (3.0, 1.0, 1.0)  # 7 is the largest that was trained on
    assert made["ratio"] == -1.0  # 3 / 0 is no number: the constant stands for it
    assert (made["difference"], made["band"]) == (-4.0, 2.0)
    assert [made[f"is={place}"] for place in ("inland", "sea", "Übersee")] == [0.0, 0.0, 1.0]
    assert made["number=7.0"] == 1.0 and made["number=1.0"] == 0.0
    circle = 2 * math.pi * 15 / 24
    assert (made["at_hour_sin"], made["at_hour_cos"]) == (math.sin(circle), math.cos(circle))
    assert made["at_weekday_sin"] == math.sin(2 * math.pi * 3 / 7)  # a Thursday
    assert made["at_day_of_year_cos"] == math.cos(2 * math.pi * 59 / 366)
    assert (made["at_month_sin"], made["at_day_cos"]) == (math.sin(2 * math.pi / 12), math.cos(2 * math.pi * 28 / 31))


def test_what_is_missing_or_was_never_seen() -> None:
    never = {"place": "the moon", "n": 10**9, "a": -5.0}
    made = {name: values.tolist()[0] for name, values in apply(PLAN, columns_of(PLAN, [never])).items()}
    assert {made[f"is={place}"] for place in ("inland", "sea", "Übersee")} == {0.0}
    assert {made[f"is_known={place}"] for place in ("inland", "sea", "Übersee")} == {0.0}
    assert made["place"] == "the moon" and made["n"] > 1.0
    assert math.isnan(made["log"]) and math.isnan(made["yes"]) and math.isnan(made["at_hour_sin"])
    nothing = {name: values.tolist()[0] for name, values in apply(PLAN, columns_of(PLAN, [{}])).items()}
    assert nothing["place"] == "nowhere" and nothing["place_raw"] is None
    assert nothing["is_known=sea"] == 1.0 and nothing["is=sea"] == 0.0
    assert nothing["a_standard"] == 0.0 and nothing["b_robust"] == 0.0
    assert nothing["ratio"] == -1.0 and nothing["band"] == 9.0


def test_rows_without_a_column_are_refused() -> None:
    with pytest.raises(InvalidRecordError, match="lack the column 'b'"):
        apply(PLAN, {"a": np.zeros(1)})


def test_a_plan_alone_is_a_chain_of_one_and_later_plans_see_earlier_features() -> None:
    shape = ColumnShape(name="plans", type="float")
    first = fit({"plans": FeatureRule(scale="minmax")}, [shape], {"plans": np.array([0.0, 4.0])})
    alone = chain_of(first.to_json(), where="an older bundle")
    assert alone == FeatureChain(columns=[shape], plans=[first], takes=taken(first))
    second = fit({"twice": FeatureRule(operation="product", of=["plans", "plans"])}, [shape],
                 {"plans": np.array([0.0, 1.0])})
    chain = FeatureChain(columns=[shape], plans=[first, second], takes=[*taken(second), *taken(first)])
    assert chain_of(chain.to_json(), where="a bundle") == chain and chain.made == {"plans", "twice"}
    made = apply_chain(chain, {"plans": np.array([2.0, 3.0])})
    assert list(made) == ["twice", "plans"] and made["twice"].tolist() == [0.25, 0.5625]
    with pytest.raises(InvalidRecordError, match="a bundle: is no valid FeatureFile"):
        chain_of(b"{", where="a bundle")
