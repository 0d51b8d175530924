"""Workflow files as YAML 1.2, the quick reader held against the thorough one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.plain_yaml import Unusual
from mlops.routing.router import yaml12

ROOT = Path(__file__).parents[5]


def quick_or_none(text: str) -> Any:
    try:
        return yaml12.quick(text), True
    except Unusual:
        return None, False


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on: push", {"on": "push"}),
        ("yes: no", {"yes": "no"}),
        ("a: 1_0", {"a": "1_0"}),
        ("a: 010", {"a": 10}),
        ("a: 0o10", {"a": 8}),
        ("a: 1.10", {"a": 1.1}),
        ("a: 12:30", {"a": "12:30"}),
        ("a: 2024-01-01", {"a": "2024-01-01"}),
        ("a: ~", {"a": None}),
        ("a:", {"a": None}),
        ("a: true", {"a": True}),
        ("a: 'true'", {"a": "true"}),
        ("a: [x, 'y', 1]", {"a": ["x", "y", 1]}),
        ("a: {}", {"a": {}}),
        ("a: []", {"a": []}),
        ("a: b # c", {"a": "b"}),
        ("a: b#c", {"a": "b#c"}),
        ("a:\n- b\n- c", {"a": ["b", "c"]}),
        ("a:\n  - b: 1\n    c: 2\n  - d", {"a": [{"b": 1, "c": 2}, "d"]}),
        ("a: &x [p]\nb: *x", {"a": ["p"], "b": ["p"]}),
        ("a: |\n  x: y\n  z\nb: 1", {"a": "x: y\nz\n", "b": 1}),
        ("a: {b: [c, d]}", {"a": {"b": ["c", "d"]}}),
        ('a: "x\\ty"', {"a": "x\ty"}),
        ("a: !b.c", None),
        ("a: x\n  y", {"a": "x y"}),
        ("---\na: 1", {"a": 1}),
        ("a: !!str 10", {"a": "10"}),
        ('"on":\n  push:\n', {"on": {"push": None}}),
        ("a: ${{ x.y }}", {"a": "${{ x.y }}"}),
        ("a: 'it''s'", {"a": "it's"}),
        ("a: .inf", {"a": float("inf")}),
    ],
)
def test_values(text: str, value: Any) -> None:
    if value is not None:
        assert yaml12.load(text, where="f") == value
    found, known = quick_or_none(text)
    if known:
        assert found == yaml12.thorough(text, where="f")


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\na: 2",
        "a: [",
        "<<: {a: 1}",
        "x: &a {<<: *a}",
        "a: b: c",
        "\tx: 1",
        "a: &x\n  b: *x",
        "a: 'x",
        "? [a]\n: b",
        "- a\nb: c",
        "a: *nowhere",
        "%YAML 1.2\n%YAML 1.2\n---\na: 1",
        "[" * 1500,
        "a: \x01",
    ],
)
def test_what_github_would_refuse(text: str) -> None:
    with pytest.raises(yaml12.NotYamlError) as error:
        yaml12.load(text, where="f.yml")
    assert str(error.value.where).startswith("f.yml") and error.value.mend


def test_an_alias_costs_nothing() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    assert len(yaml12.load("\n".join(lines), where="f")) == 30


@pytest.mark.parametrize("path", sorted((ROOT / ".github").rglob("*.yml")), ids=lambda path: path.name)
def test_our_own_files_read_the_same_in_both_ways(path: Path) -> None:
    text = path.read_text()
    found, known = quick_or_none(text)
    assert yaml12.load(text, where="f") == yaml12.thorough(text, where="f")
    # `mlops route` reads workflow files alone; actions are read by the audit
    assert known or path.parent.name != "workflows", "the quick reader should know the style of our own files"


SCALARS = st.one_of(
    st.sampled_from(
        [
            "push",
            "main",
            "on",
            "1_0",
            "10",
            "1.10",
            "true",
            "null",
            "~",
            "",
            "a b",
            "a#b",
            "a #b",
            "'q'",
            '"q"',
            "'a''b'",
            '"a\\n"',
            "**",
            "!x",
            "&a x",
            "*a",
            "- x",
            "a: b",
            "a:",
            "[a, b]",
            "[]",
            "{}",
            "{a: b}",
            "[a,",
            "|",
            ">-",
            "?",
            "-",
            "--",
            "-x",
            ":x",
            "x:y",
            "%x",
            "@x",
            "`x",
            "0x1F",
            "0o7",
            "1e3",
            ".5",
            "é",
            "[a, 'b,c', \"d\"]",
            "[ a , b ]  # c",
            "'a' # c",
            "a  ",
            "[*x]",
            "[a: b]",
            "# only",
            "[a, b,]",
            "{a: b, c: [d, {e: 1}]}",
            "{a: b c, 'd': \"e, f\"}",
            "{a: (b; c)}",
            "{a: - b, c: -1}",
            "{a: b - c}",
            "[a b , - , -]",
            "{\"a\": 1.0, \"b\": []}",
            "{a: 1, a: 2}",
            "{a: b}}",
            "|-",
            ">",
            "[,a]",
            "...",
            "---",
            "'x' y",
        ]
    ),
    st.text(st.sampled_from("ab :#-'\"[]{},&*!|>%@`?01._\\"), max_size=6),
)
LINES = st.tuples(
    st.sampled_from([0, 0, 1, 2, 2, 4]),
    st.sampled_from(["", "- ", "-  ", "a: ", "b: ", "on: ", "a:", "- a: ", "'k': ", "1: "]),
    SCALARS,
)


@settings(max_examples=700, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=5))
def test_the_quick_reader_never_differs_from_the_thorough_one(lines: list[tuple[int, str, str]]) -> None:
    text = "\n".join(" " * indent + start + scalar for indent, start, scalar in lines)
    found, known = quick_or_none(text)
    if known:
        assert repr(found) == repr(yaml12.thorough(text, where="f"))
