from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from mlops.errors import ConfigurationError
from mlops.gitops.splice import Yaml, put, quoted


def load(content: bytes) -> object:
    return YAML(typ="safe", pure=True).load(content.decode())


TEXTS = ["3", "1e5", "true", "null", "v1.2", "2026-01-01", "0x1f", "a b", "", "é", 'say "x"', "1.2.3"]
PRINTABLE = st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\x85\ufeff")


@pytest.mark.parametrize("value", TEXTS)
@pytest.mark.parametrize("style", [None, "'", '"'])
def test_a_quoted_text_is_read_as_that_text(value: str, style: str | None) -> None:
    assert load(f"k: {quoted(value, style)}\n".encode()) == {"k": value}


@given(st.text(PRINTABLE))
def test_any_text_survives(value: str) -> None:
    assert load(f"k: {quoted(value)}\n".encode()) == {"k": value}


@pytest.mark.parametrize(("before", "after"), [
    (b"", b"a:\n  b:\n    c: 3\n"),
    (b"# only a comment", b"# only a comment\na:\n  b:\n    c: 3\n"),
    (b"a:\n", b"a: {b: {c: 3}}\n"),
    (b"a:  # why\nz: 1\n", b"a: {b: {c: 3}}  # why\nz: 1\n"),
    (b"a: {}\n", b"a: {b: {c: 3}}\n"),
    (b"a: {x: 1}\n", b"a: {b: {c: 3}, x: 1}\n"),
    (b"a:\n    x: 1  # one\n# end\nz: 2\n", b"a:\n    x: 1  # one\n    b:\n      c: 3\n# end\nz: 2\n"),
    (b"a:\r\n  b:\r\n    d: 1\r\n", b"a:\r\n  b:\r\n    d: 1\r\n    c: 3\r\n"),
    (b"a:\n  b:\n    c: 2 # two", b"a:\n  b:\n    c: 3 # two"),
    (b"a:\n  b:\n    d: |\n      text\n", b"a:\n  b:\n    d: |\n      text\n    c: 3\n"),
    (b"a:\n  b:\n    d: 1", b"a:\n  b:\n    d: 1\n    c: 3\n"),
])
def test_put_changes_one_place(before: bytes, after: bytes) -> None:
    assert put(before, ("a", "b", "c"), 3, "file") == after


def test_put_of_what_is_there_changes_no_byte() -> None:
    content = b"a: {b:   {c:  '3' }} # x"
    assert put(content, ("a", "b", "c"), "3", "file") == content


def test_a_number_becomes_text_where_text_is_wanted() -> None:
    assert put(b"a:\n  version: 3\n", ("a", "version"), "3", "file") == b'a:\n  version: "3"\n'


@pytest.mark.parametrize(("content", "said"), [
    (b"a: &x {b: 1}\nc: *x\n", "alias"),
    (b"c: 1\nc: 2\n", "twice"),
    (b"c: [1]\n", "no mapping"),
    (b"- 1\n", "not a mapping"),
    (b"c: {\n", "not YAML"),
    (b"\xff\xfe", "not UTF-8"),
    (b"c: text\n", "no mapping"),
])
def test_what_cannot_be_spliced_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        put(content, ("c", "b"), 3, "file")


def test_an_entry_is_not_added_behind_an_alias() -> None:
    with pytest.raises(ConfigurationError, match="alias"):
        put(b"x: &x 1\nc:\n  a: *x\n", ("c", "b"), 3, "file")


def test_errors_name_the_line() -> None:
    document = Yaml(b"a: 1\nb: 2\nb: 3\n", "file.yaml")
    with pytest.raises(ConfigurationError) as error:
        document.child(document.top, "b")
    assert error.value.where == "file.yaml:3"


KEYS = st.sampled_from(["api", "predict", "x"])
VALUES = st.integers(0, 9) | st.sampled_from(["t", "3"])
TREES = st.dictionaries(KEYS, st.dictionaries(KEYS, VALUES, max_size=3), max_size=3)


@given(TREES, KEYS, KEYS, st.integers(0, 99), st.sampled_from([False, True, None]))
def test_put_is_the_change_of_the_document(tree: dict, block: str, key: str, value: int, flow: bool | None) -> None:
    import io

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = flow
    stream = io.StringIO()
    yaml.dump(tree, stream)
    expected = {name: dict(inner) for name, inner in tree.items()}
    expected.setdefault(block, {})[key] = value
    assert load(put(stream.getvalue().encode(), (block, key), value, "file")) == expected
