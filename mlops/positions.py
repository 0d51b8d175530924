"""Where things stand in a JSON text: lines, for errors and annotations."""

from __future__ import annotations

import json

_DECODER = json.JSONDecoder()


def entry_lines(text: str, name: str, key: str) -> list[int]:
    """The line of `key` in each entry of the list `name` of a JSON text, in order; the entry's own where it has none.

    Raises:
        ValueError: the text is not JSON.
    """
    _DECODER.decode(text)  # from here on every place that is looked for is there
    array = _members(text, _begin(text, 0)).get(name)
    if array is None or text[array:array + 1] != "[":
        return []
    found, place, counted, line = [], _begin(text, array + 1), 0, 1
    while text[place] != "]":
        start = _members(text, place).get(key, place)
        line, counted = line + text.count("\n", counted, start), start
        found.append(line)
        place = _after(text, place)
    return found


def _members(text: str, start: int) -> dict[str, int]:
    """Where the values of the object at `start` begin, by their keys."""
    found: dict[str, int] = {}
    place = _begin(text, start + 1)
    while text[start] == "{" and text[place] != "}":
        key, place = _DECODER.raw_decode(text, place)
        found[key] = place = _begin(text, _begin(text, place) + 1)  # past the colon
        place = _after(text, place)
    return found


def _after(text: str, start: int) -> int:
    """Where the next value of the same list or object begins, or where that ends."""
    place = _begin(text, _DECODER.raw_decode(text, start)[1])
    return _begin(text, place + 1) if text[place] == "," else place


def _begin(text: str, start: int) -> int:
    """The first place from `start` that holds no space."""
    while text[start:start + 1] in (" ", "\t", "\r", "\n"):
        start += 1
    return start
