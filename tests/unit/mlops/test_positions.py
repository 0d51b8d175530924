"""Lines of entries in a JSON text, whatever stands in and between them."""

from __future__ import annotations

import json

import pytest

from mlops.positions import entry_lines


@pytest.mark.parametrize("text, lines", [
    ('{"a": [{"type": 1}, {"type": 2}]}', [1, 1]),
    ('{\n"b": {"a": [{"type": 1}]},\n"a": [\n{"x": "\\"type\\": \\n",\n"type":\t1},\n\n{"type": 2}\n]}', [5, 7]),
    ('{"a": [\n{"k": {"type": 0}},\n{},\n3, "type",\n[{"type": 1}]\n]}', [2, 3, 4, 4, 5]),
    ('{"a": [\r\n{"type": 1},\r\n{"type": 2}\r\n]}', [2, 3]),
    ('{"a": []}', []), ('{"a": {}}', []), ("{}", []), ("[1]", []),
])
def test_the_line_of_each_entry(text, lines) -> None:
    json.loads(text)
    assert entry_lines(text, "a", "type") == lines


@pytest.mark.parametrize("text", ["", "{", '{"a": [', '{"a": [{"type": 1}', '{"a" 1}', "nothing"])
def test_what_is_not_json(text) -> None:
    with pytest.raises(ValueError):
        entry_lines(text, "a", "type")


def test_it_is_linear() -> None:
    text = json.dumps({"a": [{"type": number, "kwargs": {"column": "x" * 50}} for number in range(20000)]}, indent=1)
    assert entry_lines(text, "a", "type")[-1] > 100_000
