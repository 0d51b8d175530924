"""The matcher against another one, written from GitHub's cheat sheet alone: no regular expression, no shared code.

`reference` walks pattern and name side by side. It knows the portable patterns only; for all others
`compile_pattern` must say that they are not portable.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from functools import lru_cache

from hypothesis import given, settings
from hypothesis import strategies as st
from wcmatch import glob as wcglob

from mlops.routing import PathFilter
from mlops.routing.router.glob import compile_pattern


def items(pattern: str) -> Iterator[tuple[str, object]]:
    """The parts of a pattern: ("star"|"stars"|"folders", None) or ("one"|"maybe"|"many", set of characters)."""
    at = 0
    while at < len(pattern):
        if pattern.startswith("**/", at) and (at == 0 or pattern[at - 1] == "/"):
            yield "folders", None
            at += 3
            continue
        if pattern.startswith("**", at):
            yield "stars", None
            at += 2
            continue
        sign = pattern[at]
        at += 1
        if sign == "*":
            yield "star", None
            continue
        characters = {sign}
        if sign == "\\":
            characters = {pattern[at]}
            at += 1
        elif sign == "[":
            end = pattern.index("]", at)
            inside, characters = pattern[at:end], set()
            while inside:
                if inside[1:2] == "-":
                    characters |= {chr(code) for code in range(ord(inside[0]), ord(inside[2]) + 1)}
                    inside = inside[3:]
                else:
                    characters.add(inside[0])
                    inside = inside[1:]
            at = end + 1
        follows = pattern[at:at + 1]
        yield {"?": "maybe", "+": "many"}.get(follows, "one"), frozenset(characters)
        at += follows in ("?", "+") and bool(follows)


def reference(pattern: str, name: str) -> bool:
    """Whether `name` matches, by trying every way to lay the parts over it."""
    parts = list(items(pattern))

    @lru_cache(maxsize=None)
    def fits(part: int, at: int) -> bool:
        if part == len(parts):
            return at == len(name)
        kind, characters = parts[part]
        if kind == "folders":  # nothing, or any folders up to and with a `/`
            return fits(part + 1, at) or any(
                name[end - 1] == "/" and fits(part + 1, end) for end in range(at + 1, len(name) + 1))
        if kind == "stars":
            return any(fits(part + 1, end) for end in range(at, len(name) + 1))
        if kind == "star":
            ends = itertools.takewhile(lambda end: end == at or name[end - 1] != "/", range(at, len(name) + 1))
            return any(fits(part + 1, end) for end in ends)
        assert isinstance(characters, frozenset)
        here = at < len(name) and name[at] in characters
        if kind == "maybe":
            return fits(part + 1, at) or here and fits(part + 1, at + 1)
        return here and (fits(part + 1, at + 1) or kind == "many" and fits(part, at + 1))

    return fits(0, 0)


def filtered(patterns: Sequence[str], files: Sequence[str]) -> bool:
    """`paths`: a file is in where the last pattern that matches it is no `!`; one file that is in starts it."""
    for file in files:
        included = False
        for pattern in patterns:
            if reference(pattern.removeprefix("!"), file):
                included = not pattern.startswith("!")
        if included:
            return True
    return False


PIECES = st.sampled_from([
    "a", "b", "src", "docs", ".", "_", "-", "é", "/", "/", "*", "**", "**/", "/**", "/**/", "a?", "b+", "[ab]",
    "[a-c]+", "[0-9]?", "\\*", "\\[", "\\!", "{a}", "(b)", "$", "^", "|", " ", "\n", ".py", "*.py",
])
PATTERN = st.lists(PIECES, min_size=1, max_size=5).map("".join)
SIGNS = ["a", "b", "c", "src", "docs", "/", "/", ".", "_", "1", "*", "!", "[", "é", "\n", ".py"]
NAME = st.lists(st.sampled_from(SIGNS), min_size=1, max_size=7).map("".join)
NEAR = st.builds(  # a name that the pattern nearly matches: its own text with the signs filled in
    lambda pattern, star: "".join({"*": star, "?": "", "+": "", "\\": "", "[": "", "]": ""}.get(each, each)
                                  for each in pattern), PATTERN, st.sampled_from(["", "a", "a/b"]))


@settings(max_examples=1500, deadline=None)
@given(PATTERN, st.one_of(NAME, NEAR))
def test_one_pattern_agrees_with_the_reference(pattern: str, name: str) -> None:
    compiled = compile_pattern(pattern)
    if compiled.problems:
        return
    assert compiled.matches(name) is reference(pattern, name), (pattern, name)
    assert PathFilter(paths=["**", f"!{pattern}"]).includes([name]) is not reference(pattern, name)


@settings(max_examples=600, deadline=None)
@given(st.lists(st.tuples(st.booleans(), PATTERN), min_size=1, max_size=4), st.lists(NAME, max_size=4))
def test_lists_agree_with_the_reference(lines: list[tuple[bool, str]], files: list[str]) -> None:
    patterns = [("!" if negative else "") + pattern for negative, pattern in lines]
    if any(compile_pattern(each).problems for each in patterns):
        return
    assert PathFilter(paths=patterns).includes(files) is filtered(patterns, files)
    positive = [each.removeprefix("!") for each in patterns]
    beyond = [file for file in files if not any(reference(each, file) for each in positive)]
    if not any(each.startswith("!") for each in positive):
        assert PathFilter(paths_ignore=positive).includes(files) is bool(beyond)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "src", "/", "*", "**/", "/**", ".py"]), min_size=1, max_size=5).map("".join),
       st.lists(st.sampled_from(["a", "b", "src", "/", ".py", "x"]), min_size=1, max_size=6).map("".join))
def test_where_the_languages_agree_wcmatch_says_the_same(pattern: str, name: str) -> None:
    """`**` alone between slashes, `*` within a folder: there GitHub's glob is a shell's globstar."""
    parts = pattern.split("/")
    if compile_pattern(pattern).problems or "" in parts or any("**" in part and part != "**" for part in parts):
        return
    if "" in name.split("/") or parts[-1] == "**" and name + "/" == pattern[:-2]:
        return
    expected = wcglob.globmatch(name, pattern, flags=wcglob.GLOBSTAR | wcglob.DOTGLOB)
    assert bool(compile_pattern(pattern).matches(name)) is expected, (pattern, name)


def test_every_short_pattern_over_every_short_name() -> None:
    """Exhaustive where Hypothesis draws: all patterns of up to four signs over all names of up to three."""
    names = ["".join(each) for size in (1, 2, 3) for each in itertools.product("ab/", repeat=size)]
    asked = 0
    for size in (1, 2, 3, 4):
        for signs in itertools.product("a/*?+", repeat=size):
            pattern = "".join(signs)
            compiled = compile_pattern(pattern)
            if compiled.problems:
                continue
            for name in names:
                asked += 1
                assert compiled.matches(name) is reference(pattern, name), (pattern, name)
    assert asked > 5_000
