"""Path and branch filters: given the names, does the workflow start?

Pure. The last matching pattern of a list wins for a name; a workflow starts when one changed
file ends included (`paths`), and is skipped only when every one is ignored (`paths-ignore`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mlops.errors import UsageError
from mlops.routing.router.glob import Pattern, compile_pattern


class Match(NamedTuple):
    """A filter's answer: `verdict` is RUN, SKIP, or UNKNOWN where the readers of a pattern disagree."""

    verdict: str
    file: str | None = None
    pattern: str | None = None


class PatternList:
    """The patterns of one filter, in their order."""

    def __init__(self, patterns: Iterable[str], *, what: str = "patterns") -> None:
        given = [patterns] if isinstance(patterns, str) else list(patterns)
        wrong = next((each for each in given if not isinstance(each, str)), None)
        if wrong is not None:
            raise UsageError(f"{wrong!r} is no pattern", where=what, mend="give patterns as text")
        self.patterns: tuple[Pattern, ...] = tuple(map(compile_pattern, given))
        self._backwards = self.patterns[::-1]
        positive = [each.prefix for each in self.patterns if not each.negative]
        self._prefixes = tuple(positive) if all(positive) else None
        # where all readers agree on every pattern, the last one that matches decides, and that is all
        agreed = all(each.narrow is each.wide for each in self.patterns)
        decisive = [(each.wide.fullmatch, not each.negative, each.text) for each in self._backwards]
        self._agreed = decisive if agreed else None

    def candidates(self, names: Iterable[str]) -> list[str]:
        """Those of `names` that a positive pattern may match, sorted; a cheap look at how they begin."""
        prefixes = self._prefixes
        return sorted(names if prefixes is None else [name for name in names if name.startswith(prefixes)])

    def includes(self, name: str) -> tuple[bool | None, str | None]:
        """Whether `name` ends included (None: cannot be known), and the pattern that decided."""
        if self._prefixes is not None and not name.startswith(self._prefixes):
            return False, None
        if self._agreed is not None:
            for fullmatch, included, text in self._agreed:
                if fullmatch(name):
                    return included, text
            return False, None
        doubt: set[bool] = set()
        for pattern in self._backwards:
            matched = pattern.matches(name)
            if matched is False:
                continue
            if not doubt and matched:
                return not pattern.negative, pattern.text
            doubt.add(not pattern.negative)
            if matched or len(doubt) == 2:
                break
        else:
            doubt.add(False)
        if len(doubt) == 2:
            return None, None
        return doubt.pop(), None


class PathFilter:
    """`paths` or `paths-ignore` of one trigger.

    >>> PathFilter(paths=["services/**", "!**.md"]).includes(["services/api/app.py"])
    True

    Args:
        paths: Patterns of `paths`; a single one may be a plain string.
        paths_ignore: Patterns of `paths-ignore`; only one of the two may be given.

    Raises:
        UsageError: both are given, or a pattern is not text.
    """

    def __init__(
        self, paths: Sequence[str] | str | None = None, paths_ignore: Sequence[str] | str | None = None
    ) -> None:
        if paths is not None and paths_ignore is not None:
            raise UsageError(
                "paths and paths-ignore exclude each other",
                mend="keep one of them; `!` patterns in paths take files out",
            )
        self._paths = None if paths is None else PatternList(paths, what="paths")
        self._ignore = None if paths_ignore is None else PatternList(paths_ignore, what="paths-ignore")

    def includes(self, files: Iterable[str]) -> bool:
        """Whether the workflow starts for these changed files; True also where it cannot be known."""
        return self.decide([files] if isinstance(files, str) else files).verdict != "SKIP"

    def decide(self, files: Iterable[str]) -> Match:
        """The verdict, with the first file by name that caused it and the pattern that included it."""
        if self._paths is not None:
            return _first(self._paths, files)
        if self._ignore is not None:
            return _first_beyond(self._ignore, files)
        return Match("RUN")


def _first(patterns: PatternList, files: Iterable[str]) -> Match:
    doubtful: str | None = None
    for file in patterns.candidates(files):
        included, pattern = patterns.includes(file)
        if included:
            return Match("RUN", file, pattern)
        if included is None and doubtful is None:
            doubtful = file
    return Match("SKIP") if doubtful is None else Match("UNKNOWN", doubtful)


def _first_beyond(ignored: PatternList, files: Iterable[str]) -> Match:
    doubtful: str | None = None
    negated = any(each.negative for each in ignored.patterns)  # no reader says what `!` means here
    for file in sorted(files):
        included, _ = ignored.includes(file)
        if included is False and negated and any(each.matches(file) is not False for each in ignored.patterns):
            included = None
        if included is False:
            return Match("RUN", file)
        if included is None and doubtful is None:
            doubtful = file
    return Match("SKIP") if doubtful is None else Match("UNKNOWN", doubtful)
