from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.serving import Input, InvalidRowsError
from mlops.serving.inputs import MOST_PROBLEMS, RowReader

COLUMNS = [
    Input(name="a float", type="float"), Input(name="count", type="integer", nullable=True),
    Input(name="flag", type="boolean"), Input(name="text", type="string", nullable=True),
]
GOOD: dict[str, Any] = {"a float": 1.5, "count": 2, "flag": True, "text": "x"}
READER = RowReader(COLUMNS)


def problems(reader: RowReader, content: str) -> list[tuple[int | None, str | None, str]]:
    with pytest.raises(InvalidRowsError) as caught:
        reader.from_json(content.encode("utf-8", "surrogatepass"))
    return [(each.row, each.field, each.type) for each in caught.value.problems]


def test_values_come_in_the_asked_order() -> None:
    reader = RowReader(COLUMNS, order=["text", "flag", "count", "a float"])
    assert reader.from_json(json.dumps([GOOD]).encode()) == [("x", True, 2, 1.5)]
    assert reader.from_python([GOOD]) == [("x", True, 2, 1.5)]


def test_a_nullable_column_may_be_null_or_absent() -> None:
    assert READER.from_json(b'[{"a float": 1, "flag": false, "count": null}]') == [(1.0, None, False, None)]


def test_a_whole_number_is_an_integer_however_it_is_written() -> None:
    assert READER.from_json(json.dumps([GOOD | {"count": 880.0}]).encode()) == [(1.5, 880, True, "x")]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"a float": "1.5"}, ("a float", "type")), ({"a float": True}, ("a float", "type")),
        ({"a float": None}, ("a float", "null")), ({"a float": [1]}, ("a float", "type")),
        ({"count": 2.5}, ("count", "type")),
        ({"count": True}, ("count", "type")),
        ({"count": 2**70}, ("count", "range")), ({"count": 1e300}, ("count", "range")),
        ({"flag": 1}, ("flag", "type")), ({"flag": None}, ("flag", "null")),
        ({"text": 5}, ("text", "type")), ({"other": 1}, ("other", "unknown")), ({"text": {}}, ("text", "type")),
    ],
)
def test_a_wrong_value_names_its_field(change: dict[str, Any], expected: tuple[str, str]) -> None:
    assert problems(READER, json.dumps([GOOD, GOOD | change])) == [(1, *expected)]


def test_a_missing_column_is_named() -> None:
    assert problems(READER, '[{"flag": true}]') == [(0, "a float", "missing")]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" * 400])
def test_what_is_no_finite_number_is_named(number: str) -> None:
    text = json.dumps([GOOD]).replace("1.5", number)
    assert problems(READER, text) == [(0, "a float", "finite")]
    with pytest.raises(InvalidRowsError):
        READER.from_python([GOOD | {"a float": float(number)}])


def test_half_a_surrogate_pair_is_no_text() -> None:
    assert problems(READER, '[{"a float": 1, "flag": true, "text": "\\ud800"}]') == [(0, "text", "type")]
    assert problems(READER, '[{"a float": 1, "flag": true, "\\ud800": 1}]') == [(0, "?", "unknown")]
    for row in ({"text": "\ud800"}, {"\ud800": 1}):
        with pytest.raises(InvalidRowsError):
            READER.from_python([GOOD | row])


def test_a_value_beyond_single_precision_is_refused_where_it_would_become_infinite() -> None:
    reader = RowReader(COLUMNS[:1], float32=["a float"])
    assert reader.from_json(b'[{"a float": 3e38}]') == [(3e38,)]
    assert problems(reader, '[{"a float": 1e39}]') == [(0, "a float", "range")]
    assert RowReader(COLUMNS[:1]).from_json(b'[{"a float": 1e39}]') == [(1e39,)]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("[]", "empty"), ("{}", "row"), ("3", "row"), ("null", "row"), ("", "json"), ("[{", "json"), ("[1] 2", "json"),
        ("\ufeff[]", "json"), ("[" * 100_000, "json"), ("[" + "1" * 5000 + "]", "json"), ("\ud800", "json"),
    ],
)
def test_what_are_no_rows_is_told(content: str, kind: str) -> None:
    assert problems(READER, content) == [(None, None, kind)]


def test_a_row_that_is_no_object_is_named() -> None:
    assert problems(READER, json.dumps([GOOD, 5, [], None])) == [(1, None, "row"), (2, None, "row"), (3, None, "row")]


def test_problems_are_bounded_and_counted() -> None:
    with pytest.raises(InvalidRowsError) as caught:
        READER.from_python([{}] * 1000)
    assert len(caught.value.problems) == MOST_PROBLEMS
    assert caught.value.count == 2000


def test_a_datetime_is_checked() -> None:
    reader = RowReader([Input(name="when", type="datetime", nullable=True)])
    assert reader.from_json(b'[{"when": "2020-01-31T10:00:00Z"}, {}]') == [("2020-01-31T10:00:00Z",), (None,)]
    assert problems(reader, '[{"when": "yesterday"}]') == [(0, "when", "type")]


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.sampled_from(["", "é", "1", "\ud800"]),
    st.just([]), st.just({}),
)
ROWS = st.lists(
    st.dictionaries(st.sampled_from([*GOOD, "other", "\ud800"]), VALUES)
    | st.builds(lambda more: GOOD | more, st.dictionaries(
        st.sampled_from(list(GOOD)), VALUES, max_size=1
    )), max_size=4,
)


@given(ROWS)
def test_the_fast_way_and_the_slow_way_agree(rows: list[dict[str, Any]]) -> None:
    """Whatever comes in: all ways take it with the same values, or none does."""
    content = json.dumps(rows).encode()
    outcomes = []
    for read in (
        lambda: READER.from_json(content), lambda: READER.from_python(rows), lambda: READER._checked(rows)
    ):
        try:
            outcomes.append([[(type(value), value) for value in row] for row in read()])
        except InvalidRowsError as error:
            outcomes.append([(each.row, each.field, each.type) for each in error.problems])
    assert outcomes[0] == outcomes[1] == outcomes[2]
