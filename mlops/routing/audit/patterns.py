"""What is wrong with a list of path patterns by itself, held against the files of a tree. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from mlops.routing.router.glob import Pattern, compile_pattern


class Fault(NamedTuple):
    """What is wrong with a pattern.

    Attributes:
        rule: `unportable-pattern`, `dead-pattern`, `shadowed-pattern`, `undone-pattern`, `negative-only`.
        pattern: As written.
        message: For people.
    """

    rule: str
    pattern: str
    message: str


def faults(texts: Sequence[str], files: Iterable[str], *, ignore: bool = False) -> Iterator[Fault]:
    """The faults of `paths` (with `ignore` of `paths-ignore`), each pattern's first one."""
    patterns = [compile_pattern(text) for text in texts]
    shape = {at: fault for at, each in enumerate(patterns) if (fault := _shape(each, ignore))}
    if not ignore and patterns and all(each.negative for each in patterns):
        yield Fault("negative-only", texts[0], "only `!` patterns include nothing: begin with '**'")
        return
    if not ignore and patterns and patterns[0].negative:
        shape.setdefault(0, Fault(
            "unportable-pattern", texts[0], "a `!` pattern before every positive one takes nothing out"
        ))
    yield from shape.values()
    sound = [(each, frozenset(_matched(each, files))) for at, each in enumerate(patterns) if at not in shape]
    for at, (pattern, matched) in enumerate(sound):
        if not matched:
            yield Fault("dead-pattern", pattern.text, "matches no tracked file")
        else:
            fault = _hidden(sound, at)
            if fault is not None:
                yield fault


def _matched(pattern: Pattern, files: Iterable[str]) -> Iterator[str]:
    prefix, fullmatch = pattern.prefix, pattern.wide.fullmatch
    return (file for file in files if file.startswith(prefix) and fullmatch(file))


def _shape(pattern: Pattern, ignore: bool) -> Fault | None:
    text = pattern.text
    body = text.removeprefix("!")
    problem = None
    if pattern.problems:
        problem = pattern.problems[0]
    elif body.startswith("/"):
        problem = "a leading '/' matches nothing: paths begin at the top without it"
    elif body.endswith("/"):
        problem = f"a trailing '/' matches nothing: write {body}**"
    elif body.startswith(("./", "../")) or "/./" in body or "/../" in body or "//" in body:
        problem = "matches nothing: a path has no '.', '..' or empty part"
    elif body != body.strip():
        problem = "has a space around it, which is part of the pattern"
    elif body.startswith("!"):
        problem = "a second '!' is read as a character"
    elif ignore and pattern.negative:
        problem = "no reader says what `!` means in paths-ignore"
    return None if problem is None else Fault("unportable-pattern", text, problem)


def _hidden(sound: Sequence[tuple[Pattern, frozenset[str]]], at: int) -> Fault | None:
    """Why the pattern at `at` decides nothing; None where it does."""
    pattern, matched = sound[at]
    for other, others in sound[at + 1:]:
        if matched <= others and _covers(other, pattern):
            later = f"the later {other.text!r}"
            if other.negative == pattern.negative:
                return Fault("shadowed-pattern", pattern.text, f"{later} says the same of all its files")
            if not pattern.negative:
                return Fault("undone-pattern", pattern.text, f"{later} takes all of its files out again")
            return Fault("shadowed-pattern", pattern.text, f"{later} takes all of its files in again")
    before = {file: _state(sound[:at], file) for file in matched}
    if pattern.negative and not any(before.values()):
        return Fault("shadowed-pattern", pattern.text, "takes nothing out: no pattern before it takes these files in")
    for back in range(at - 1, -1, -1):
        other, others = sound[back]
        if other.negative != pattern.negative:
            if others & matched or _covers(pattern, other):
                break  # between the two the other kind has its say
        elif matched <= others and _covers(other, pattern):
            return Fault("shadowed-pattern", pattern.text, f"{other.text!r} before it says the same of all its files")
    if not pattern.negative and not any(_state(sound, file) for file in matched):
        return Fault("undone-pattern", pattern.text, "later `!` patterns take all of its files out again")
    return None


def _state(sound: Sequence[tuple[Pattern, frozenset[str]]], file: str) -> bool:
    return next((not pattern.negative for pattern, matched in reversed(sound) if file in matched), False)


def _covers(wide: Pattern, narrow: Pattern) -> bool:
    """Whether `wide` matches whatever `narrow` does, as far as made-up names of its shape show."""
    return all(wide.wide.fullmatch(name) for name in _probes(narrow.text))


@lru_cache(maxsize=4096)
def _probes(text: str) -> tuple[str, ...]:
    """Names that a pattern matches, with parts that no tree has."""
    body = text.removeprefix("!")
    pattern = compile_pattern(body)
    made = []
    for deep, flat in (("\u017e/\u017e\u017e/\u017e.\u017e", "\u017e\u017e"), ("\u017f", "\u017f.\u017f"), ("", "")):
        for repeated in ("once", "twice"):
            name = _made(body, deep, flat, repeated == "twice")
            if pattern.wide.fullmatch(name):
                made.append(name)
    return tuple(dict.fromkeys(made)) or (body,)


def _made(body: str, deep: str, flat: str, twice: bool) -> str:
    name, at = "", 0
    while at < len(body):
        sign = body[at]
        if body.startswith("**", at):
            name += deep
            at += 2
        elif sign == "*":
            name += flat
            at += 1
        elif sign in "?+":
            name += name[-1:] if twice else ""
            at += 1
        elif sign == "[" and "]" in body[at:]:
            name += body[at + 1]
            at = body.index("]", at) + 1
        elif sign == "\\" and at + 1 < len(body):
            name += body[at + 1]
            at += 2
        else:
            name += sign
            at += 1
    return name
