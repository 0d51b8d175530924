"""Holds a name against a pattern in time that grows with their lengths alone, whatever the pattern.

A regular expression with many stars can take years over a name that almost matches, and patterns
come from the change that is being judged. This follows all ways to match at once instead (Thompson,
"Regular expression search algorithm", 1968); it is slower on what is harmless.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_STEPS = 2_000_000
"""Estimated steps of a regular expression, beyond which the automaton takes over."""


class Automaton:
    """A pattern as states: the character that one waits for, whether it repeats, and which may be skipped.

    Args:
        units: Regular expressions of the forms that `mlops.routing.router.glob` writes.
    """

    def __init__(self, units: Sequence[str]) -> None:
        self._waits: list[tuple[str, bool]] = []
        self._skips: dict[int, int] = {}
        for unit in units:
            self._add(unit)
        self._test = lru_cache(maxsize=4096)(_is)

    def _add(self, unit: str) -> None:
        here = len(self._waits)
        if unit == "(?:.*/)?":
            self._waits += [(".", True), ("/", False)]
            self._skips[here] = here + 2
            # passing over the repeated character still leaves the `/` to be met
            self._skips[-here - 1] = here + 1
        elif unit == "[^/]*/":
            self._add("[^/]*")
            self._waits.append(("/", False))
        elif unit in ("[^/]*", ".*"):
            self._waits.append((unit[:-1], True))
            self._skips[here] = here + 1
        elif unit[-1:] == "+" and unit != r"\+":
            self._waits += [(unit[:-1], False), (unit[:-1], True)]
            self._skips[here + 1] = here + 2
        elif unit[-1:] == "?" and unit != r"\?":
            self._waits.append((unit[:-1], False))
            self._skips[here] = here + 1
        elif unit:
            self._waits.append((unit, False))

    def fullmatch(self, name: str) -> bool:
        """Whether the whole of `name` matches."""
        now = self._reached({0})
        for character in name:
            following = set()
            for state in now:
                if state < len(self._waits):
                    source, repeats = self._waits[state]
                    if self._test(source, character):
                        following.add(state if repeats else state + 1)
            if not following:
                return False
            now = self._reached(following)
        return len(self._waits) in now

    def _reached(self, states: set[int]) -> set[int]:
        found, left = set(states), list(states)
        while left:
            state = left.pop()
            for following in (self._skips.get(state), self._skips.get(-state - 1)):
                if following is not None and following not in found:
                    found.add(following)
                    left.append(following)
        return found


def _is(source: str, character: str) -> bool:
    return re.fullmatch(source, character, re.DOTALL) is not None


class Careful:
    """A regular expression for short names, the automaton where the former could take long."""

    def __init__(self, units: Sequence[str], repeats: int) -> None:
        self._units, self._repeats = tuple(units), repeats
        self._quick = re.compile("".join(units), re.DOTALL)
        self._sure: Automaton | None = None

    def fullmatch(self, name: str) -> bool:
        """Whether the whole of `name` matches."""
        if len(name) ** self._repeats <= _STEPS:
            return self._quick.fullmatch(name) is not None
        if self._sure is None:
            self._sure = Automaton(self._units)
        return self._sure.fullmatch(name)
