"""GitHub's glob against the vectors of its documentation and of the programs that read workflow files."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.errors import UsageError
from mlops.routing import PathFilter
from mlops.routing.router.automaton import Automaton
from mlops.routing.router.glob import _Translation, compile_pattern

# (patterns, files, does it run); from GitHub's cheat sheet and the readers' own tests
PATHS = [
    (["services/**"], ["services/api/app.py"], True),
    (["services/**"], ["services/.env"], True),
    (["services/**"], ["services2/a"], False),
    (["services/**"], ["libs/services/a"], False),
    (["services/"], ["services/a"], False),
    (["services"], ["services/a"], False),
    (["/services/**"], ["services/a"], False),
    (["services/*"], ["services/a/b"], False),
    (["services/**/*.py"], ["services/a.py"], True),
    (["services/*.py"], ["services/a/b.py"], False),
    (["*"], ["a/b"], False),
    (["**"], ["a/b/.c"], True),
    (["**/*"], ["f"], True),
    (["**/docs/**"], ["docs/a"], True),
    (["**/docs/**"], ["my-docs/a"], False),
    (["**/*src/**"], ["a/src/x"], True),
    (["a/**/b"], ["a/b"], True),
    (["a/**/b"], ["a/x/y/b"], True),
    (["a/**/b"], ["ab"], False),
    (["**.js"], ["src/js/a.js"], True),
    (["*.js"], ["src/a.js"], False),
    (["*.jsx?"], ["p.js"], True),
    (["*.jsx?"], ["p.jsx"], True),
    (["*.jsx?"], ["p.jsxx"], False),
    (["file?.txt"], ["fil.txt"], True),
    (["file+.txt"], ["fileee.txt"], True),
    (["file+.txt"], ["fil.txt"], False),
    (["v[12].[0-9]+.[0-9]+"], ["v1.10.1"], True),
    (["[CB]at"], ["Dat"], False),
    (["README.md"], ["readme.md"], False),
    (["{a,b}/**"], ["a/x"], False),
    (["(a|b)"], ["a"], False),
    (["a/**"], [], False),
    (["*.md", "!README.md"], ["README.md"], False),
    (["*.md", "!README.md"], ["h.md"], True),
    (["s/**", "!s/d/**"], ["s/d/a"], False),
    (["s/**", "!s/d/**"], ["s/d/a", "s/x"], True),
    (["s/**", "!s/d/**", "s/d/keep"], ["s/d/keep"], True),
    (["**", "!docs/**"], ["src/a"], True),
    (["**", "!**.md"], ["docs/a.md"], False),
    (["p/a", "p/b"], ["meta", "p/b"], True),
    (["!a"], ["b"], False),
    (["!a", "**"], ["a"], True),
    ([r"\!a"], ["!a"], True),
    ([r"a\*"], ["a*"], True),
    ([r"a\*"], ["ab"], False),
    (["a.b"], ["axb"], False),
    (["ä/*"], ["ä/ö"], True),
    # what trips a careless translation: a name with a line end, `$` before it, `.` and newlines
    (["a"], ["a\n"], False),
    (["*.py"], ["a\n.py"], True),
    (["**"], ["a\nb/c"], True),
    (["x^$|y"], ["x^$|y"], True),
    (["**/**/a"], ["a"], True),
    (["**/**/**"], ["a/b"], True),
    (["a**"], ["a/b/c"], True),
]
IGNORED = [
    (["docs/**"], ["docs/a"], False),
    (["docs/**"], ["docs/a", "src/b"], True),
    (["docs/**", "*.md"], ["docs/a", "R.md"], False),
    (["**"], ["a"], False),
    (["docs/**"], [], False),
    (["docs/**"], ["docs2/a"], True),
]


@pytest.mark.parametrize(("patterns", "files", "runs"), PATHS)
def test_paths(patterns: list[str], files: list[str], runs: bool) -> None:
    assert PathFilter(paths=patterns).includes(files) is runs


@pytest.mark.parametrize(("patterns", "files", "runs"), IGNORED)
def test_paths_ignore(patterns: list[str], files: list[str], runs: bool) -> None:
    assert PathFilter(paths_ignore=patterns).includes(files) is runs


def test_a_scalar_is_a_list_of_one() -> None:
    assert PathFilter(paths="a/**").includes(["a/b"])
    assert not PathFilter(paths_ignore="a/**").includes(["a/b"])


def test_without_a_filter_everything_starts() -> None:
    assert PathFilter().includes([])


def test_both_at_once_are_refused() -> None:
    with pytest.raises(UsageError, match="exclude each other"):
        PathFilter(paths=["a"], paths_ignore=["b"])


def test_a_pattern_is_text() -> None:
    with pytest.raises(UsageError, match="no pattern"):
        PathFilter(paths=[1])  # type: ignore[list-item]


@pytest.mark.parametrize(
    "pattern",
    [
        "foo**/bar",
        "a/**/",
        "+a",
        "?a",
        "*?",
        "a??",
        "a++",
        "[A-z]",
        "[^a]",
        "[a_b]",
        r"\d",
        "[",
        "a\\",
        "",
        "!",
        "[]",
        "***",
        "[z-a]",
        "[a-]",
        "a+?",
        "**?",
    ],
)
def test_what_readers_disagree_on_is_no_portable_pattern(pattern: str) -> None:
    assert compile_pattern(pattern).problems


@pytest.mark.parametrize("pattern", ["[", "a\\", "", "!"])
def test_what_github_refuses_is_broken(pattern: str) -> None:
    assert compile_pattern(pattern).broken


@pytest.mark.parametrize("pattern", [each for patterns, _, _ in PATHS for each in patterns])
def test_the_vectors_patterns_are_portable(pattern: str) -> None:
    assert not compile_pattern(pattern).problems


@pytest.mark.parametrize(
    ("patterns", "file", "verdict"),
    [
        (["foo**/bar"], "foo/bar", "RUN"),  # every reading agrees
        (["foo**/bar"], "foobar", "UNKNOWN"),  # one matches no folder at all
        (["foo**/bar"], "foo/x/bar", "UNKNOWN"),  # one reads ** as *
        (["foo**/bar"], "other", "SKIP"),
        (["a[^b]"], "ac", "UNKNOWN"),
        (["a[^b]"], "b", "SKIP"),
        (["**", "!a[^b]"], "ac", "UNKNOWN"),  # in or out, depending on the reader
        (["a[^b]", "ac"], "ac", "RUN"),  # a later pattern decides for all
        (["ac", "a[^b]"], "ac", "RUN"),  # both outcomes are the same
        ([r"v\d"], "v1", "UNKNOWN"),
        ([r"v\d"], "vd", "UNKNOWN"),
        ([r"v\d"], "x", "SKIP"),
    ],
)
def test_where_readers_disagree_the_answer_is_unknown(patterns: list[str], file: str, verdict: str) -> None:
    assert PathFilter(paths=patterns).decide([file]).verdict == verdict
    assert PathFilter(paths=patterns).includes([file]) is (verdict != "SKIP")


def test_a_negated_ignore_is_unknown() -> None:
    filter_ = PathFilter(paths_ignore=["docs/**", "!docs/keep"])
    assert filter_.decide(["docs/keep"]).verdict == "UNKNOWN"
    assert filter_.decide(["docs/x"]).verdict == "SKIP"
    assert filter_.decide(["src"]).verdict == "RUN"


def test_the_deciding_file_and_pattern_are_told() -> None:
    match = PathFilter(paths=["a/**", "!a/x", "b"]).decide(["z", "b", "a/x", "a/y"])
    assert match == ("RUN", "a/y", "a/**")


names = st.text(st.sampled_from("ab/.é\n-_ *?[]!"), min_size=1, max_size=8)
patterns = st.lists(st.text(st.sampled_from("ab/.*?+[]!\\-é"), min_size=1, max_size=8), min_size=1, max_size=4)
wild = st.lists(st.text(min_size=0, max_size=12), min_size=1, max_size=4)


@given(wild, st.lists(st.text(max_size=12), max_size=4))
def test_total(lines: list[str], files: list[str]) -> None:
    for filter_ in (PathFilter(paths=lines), PathFilter(paths_ignore=lines)):
        assert filter_.decide(files).verdict in ("RUN", "SKIP", "UNKNOWN")


@given(patterns, st.lists(names, max_size=5), names)
def test_adding_a_file_never_turns_run_into_skip(lines: list[str], files: list[str], more: str) -> None:
    order = ("SKIP", "UNKNOWN", "RUN")
    for filter_ in (PathFilter(paths=lines), PathFilter(paths_ignore=lines)):
        assert order.index(filter_.decide([*files, more]).verdict) >= order.index(filter_.decide(files).verdict)


@given(patterns, st.lists(names, max_size=5), st.randoms())
def test_the_order_of_files_does_not_matter(lines: list[str], files: list[str], random: object) -> None:
    shuffled = list(files)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert PathFilter(paths=lines).decide(files) == PathFilter(paths=lines).decide(shuffled)


@given(st.text(st.sampled_from("ab/.é"), min_size=1, max_size=10))
def test_a_plain_name_matches_itself_alone(name: str) -> None:
    assert PathFilter(paths=[name]).includes([name])
    assert not PathFilter(paths=[name]).includes([f"{name}x", f"x{name}"])


@given(patterns, names)
def test_narrow_lies_within_wide(lines: list[str], name: str) -> None:
    for pattern in map(compile_pattern, lines):
        if pattern.narrow.fullmatch(name):
            assert pattern.wide.fullmatch(name)
        if pattern.wide.fullmatch(name):
            assert name.startswith(pattern.prefix)


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("*a" * 8 + "b", "a" * 60),
        ("**a" * 9 + "b", "a" * 300),
        ("a+" * 12 + "b", "a" * 200),
        ("**/*/" * 6 + "x", "a/" * 500 + "y"),
    ],
)
def test_a_hostile_pattern_costs_no_time(pattern: str, name: str) -> None:
    begun = time.perf_counter()
    assert not PathFilter(paths=[pattern]).includes([name])
    assert PathFilter(paths=[pattern.replace("b", "a").replace("x", "y")]).includes([name])
    assert time.perf_counter() - begun < 2


@given(st.text(st.sampled_from("ab/*?+[]\\!"), min_size=1, max_size=14), names)
def test_the_automaton_agrees_with_the_regular_expression(text: str, name: str) -> None:
    source = _Translation(text)
    for units in (source.narrow(), source.wide()):
        assert Automaton(units).fullmatch(name) is (re.fullmatch("".join(units), name, re.DOTALL) is not None)
