"""GitHub's glob for paths, branches and tags, as a regular expression.

`*` any characters but `/`; `**` any characters; `?` zero or one, `+` one or more of the character
before it; `[]` one of the listed letters and digits; a leading `!` negates; `\\` escapes. A pattern
is held against the whole name, from its root, case-sensitively.

GitHub publishes no grammar, and the programs that read workflow files disagree on some shapes.
Such a pattern gets two expressions: `narrow` matches what every reading matches, `wide` what any
does. Between the two the answer cannot be known. Source: GitHub's "filter pattern cheat sheet"
and the readers of act and actionlint.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

_NEVER = re.compile(r"(?!)")
_FEW = 2  # repetitions, up to which a regular expression cannot take long over a path
_RANGES = ("az", "AZ", "09")


_SPECIAL = frozenset("*?+[]\\")


class _Exactly:
    """Matches one name."""

    def __init__(self, name: str) -> None:
        self._name = name

    def fullmatch(self, name: str) -> bool:
        return name == self._name


class _Below:
    """Matches every name that begins so."""

    def __init__(self, start: str) -> None:
        self._start = start

    def fullmatch(self, name: str) -> bool:
        return name.startswith(self._start)


if TYPE_CHECKING:
    from mlops.routing.router.automaton import Careful

    Matcher = re.Pattern[str] | Careful | _Exactly | _Below


class Pattern(NamedTuple):
    """One compiled line of a filter.

    Attributes:
        text: As written.
        negative: It begins with `!`: what matches it is taken out again.
        narrow, wide: See the module; the same object for a portable pattern.
        prefix: Text that everything that `wide` matches begins with.
        problems: Why the pattern is not portable; empty for one that all readers agree on.
        broken: GitHub refuses the workflow file for it.
    """

    text: str
    negative: bool
    narrow: Matcher
    wide: Matcher
    prefix: str
    problems: tuple[str, ...]
    broken: bool

    def matches(self, name: str) -> bool | None:
        """Whether `name` matches; None where the readers disagree."""
        if self.narrow.fullmatch(name):
            return True
        if self.narrow is self.wide or not self.wide.fullmatch(name):
            return False
        return None


@lru_cache(maxsize=4096)
def compile_pattern(text: str) -> Pattern:
    """The compiled form of one pattern; never raises, a broken one says so."""
    negative = text.startswith("!")
    body = text[1:] if negative else text
    plain = body.removesuffix("**")
    if body and _SPECIAL.isdisjoint(plain):  # most patterns are a name or a folder: no expression to compile
        simple = _Exactly(body) if plain == body else _Below(plain)
        return Pattern(text, negative, simple, simple, plain, (), False)
    source = _Translation(body)
    wide = _matcher(source.wide())
    narrow = wide if source.narrow() == source.wide() else _matcher(source.narrow())
    if source.doubtful:
        narrow = _NEVER
    return Pattern(text, negative, narrow, wide, source.prefix(), tuple(source.problems), source.broken)


def _matcher(units: list[str]) -> Matcher:
    repeats = sum(unit[-1:] in ("*", "+") or unit in ("(?:.*/)?", "[^/]*/") for unit in units)
    if repeats - (units[-1:] == [".*"]) <= _FEW:  # the last one has nothing behind it to come back from
        return re.compile("".join(units), re.DOTALL)
    from mlops.routing.router.automaton import Careful

    return Careful(units, repeats)


class _Translation:
    """One pass over a pattern, unit by unit; a unit is (narrow, wide, the literal that it stands for)."""

    def __init__(self, body: str) -> None:
        self.body = body
        self.problems: list[str] = []
        self.broken = False
        self._units: list[tuple[str, str, str | None]] = []
        self.doubtful = False
        self._single = False  # the last unit is one character that `?` and `+` can repeat
        if not body:
            self._break("is empty")
        at = 0
        while at < len(body):
            at = self._step(at)

    def narrow(self) -> list[str]:
        return [unit[0] for unit in self._units]

    def wide(self) -> list[str]:
        return [unit[1] for unit in self._units]

    def prefix(self) -> str:
        text = ""
        for _, _, literal in self._units:
            if literal is None:
                break
            text += literal
        return text

    def _step(self, at: int) -> int:
        character = self.body[at]
        if character == "*":
            return self._stars(at)
        if character in "?+":
            return self._repeat(at, character)
        if character == "[":
            return self._class(at)
        if character == "\\":
            return self._escape(at)
        self._literal(character)
        return at + 1

    def _literal(self, character: str) -> None:
        self._add(re.escape(character), literal=character)
        self._single = True

    def _add(self, narrow: str, wide: str | None = None, literal: str | None = None) -> None:
        self._units.append((narrow, narrow if wide is None else wide, literal))
        self._single = False

    def _doubt(self, problem: str) -> None:
        """Readers disagree so much that nothing matches for all of them."""
        self.problems.append(problem)
        self.doubtful = True

    def _break(self, problem: str) -> None:
        self._doubt(problem)
        self.broken = True

    def _stars(self, at: int) -> int:
        end = at
        while end < len(self.body) and self.body[end] == "*":
            end += 1
        if end - at == 1:
            self._add("[^/]*")
            return end
        if end - at > 2:
            self._doubt(f"{self.body[at:end]!r}: more than two stars")
        starts_segment = at == 0 or self.body[at - 1] == "/"
        if end == len(self.body) or self.body[end] != "/":
            if not self._units or self._units[-1][1] != ".*":
                self._add(".*")
            return end
        if end + 1 == len(self.body):
            self._doubt("'**/' at the end")
            self._add(".*")
        elif not starts_segment:
            self.problems.append("'**/' behind another character than '/'")
            self._add("[^/]*/", "(?:.*/)?")
        elif not self._units or self._units[-1][1] != "(?:.*/)?":  # `**/**/` says no more than `**/`
            self._add("(?:.*/)?")
        return end + 1

    def _repeat(self, at: int, sign: str) -> int:
        if self._single:
            narrow, wide, _ = self._units.pop()
            self._add(narrow + sign, wide + sign)
            return at + 1
        if not self._units:
            self._doubt(f"{sign!r} at the start")
            self._add(re.escape(sign) + "?")
        elif self._units[-1][1].endswith("*") or self._units[-1][1].endswith("/)?"):
            self._doubt(f"{sign!r} behind a star")
            self._add(re.escape(sign) + "?")
        else:
            self._doubt(f"{sign!r} behind another '?' or '+'")
            self._add("", ".*")
        return at + 1

    def _class(self, at: int) -> int:
        end = self.body.find("]", at + 1)
        if end < 0:
            self._break("'[' without ']'")
            self._add(".*")
            return len(self.body)
        inside = self.body[at + 1:end]
        if _portable_class(inside):
            self._add(f"[{inside}]")
        else:
            self._doubt(f"'[{inside}]': only letters, digits and ranges within a-z, A-Z and 0-9")
            self._add(".")
        self._single = True
        return end + 1

    def _escape(self, at: int) -> int:
        if at + 1 == len(self.body):
            self._break("'\\' at the end")
            return at + 1
        character = self.body[at + 1]
        if character.isalnum():
            self._doubt(f"'\\{character}': an escaped letter or digit")
            self._add(".")
            self._single = True
        else:
            self._literal(character)
        return at + 2


def _portable_class(inside: str) -> bool:
    at = 0
    while at < len(inside):
        if not (inside[at].isascii() and inside[at].isalnum()):
            return False
        if inside[at + 1:at + 2] == "-":
            ends = inside[at] + inside[at + 2:at + 3]
            if len(ends) < 2 or ends[0] > ends[1] or not any(r[0] <= ends[0] and ends[1] <= r[1] for r in _RANGES):
                return False
            at += 3
        else:
            at += 1
    return bool(inside)
