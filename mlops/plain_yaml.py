"""YAML in the plain style that configuration is written in, read without a YAML library.

Importing one takes longer than many commands work. This reader knows block style, flows on one line, and block
scalars of even indentation; it gives up (`Unusual`) on anything else, for a library to read. Tests hold it against
ruamel.yaml.

Mappings come as dict, sequences as list, scalars as the caller has them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any

Scalar = Callable[[str], Any]

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE = frozenset(("true", "True", "TRUE"))
_FALSE = frozenset(("false", "False", "FALSE"))
_NO_WORD = frozenset(" -?:,[]{}#&*!|>'\"%@`")  # what a plain scalar does not begin with

# `key:` or `key: value`; a key is a plain word, or quoted without escapes
_KEY = re.compile(r"(?:([A-Za-z_][A-Za-z0-9_.-]*)|\"([^\"\\]*)\"|'([^']*)')[ ]*:(?:[ ]+|$)")
_FLOW_KEY = re.compile(r"(?:([A-Za-z_][A-Za-z0-9_.-]*)|\"([^\"\\]*)\"|'([^']*)')[ ]*:[ ]+")
_FLOW_WORD = re.compile(r"-?[A-Za-z0-9_./][A-Za-z0-9_./+=@()<>%; -]*")
_BLOCK = ("|", "|-", ">", ">-")
_QUOTED = re.compile(r"\"([^\"\\]*)\"|'([^']*)'")


class Unusual(Exception):
    """This reader does not know the text; a library shall read it."""


def quick(text: str, scalar: Scalar | None = None) -> Any:
    """The document, where it is written in the plain style; `scalar` makes the values of words without quotes.

    Raises:
        Unusual: it is not, or it is no YAML.
    """
    try:
        return _Lines(text, scalar or core).document()
    except RecursionError:
        raise Unusual from None


def core(text: str) -> Any:
    """A plain scalar by the core schema of YAML 1.2 (yaml.org/spec/1.2.2, section 10.3.2)."""
    if text in _NULL:
        return None
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    return text if text[0] not in "+-.0123456789" else _number(text)


def _number(text: str) -> Any:
    if re.fullmatch(r"[-+]?[0-9]+", text):
        return int(text)
    if re.fullmatch(r"0o[0-7]+|0x[0-9a-fA-F]+", text):
        return int(text, 0)
    if re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", text):
        return float(text)
    if re.fullmatch(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", text):
        return float(text.replace(".", "").lower())
    return text


class _Lines:
    """The lines that hold something, each with its indentation and its place in the text."""

    def __init__(self, text: str, scalar: Scalar) -> None:
        self._scalar = scalar
        self._raw = text.split("\n")
        self._lines: list[tuple[int, str, int]] = []
        for number, raw in enumerate(self._raw):
            if not raw.isprintable():  # tabs, returns, byte order marks, other line ends
                raise Unusual
            line = raw.lstrip(" ")
            if line and line[0] != "#":
                self._lines.append((len(raw) - len(line), line.rstrip(" "), number))

    def document(self) -> Any:
        if self._lines and self._lines[0][:2] == (0, "---"):
            del self._lines[0]
        if not self._lines or any(line[:3] in ("---", "...") and not indent for indent, line, _ in self._lines):
            raise Unusual
        if len(self._lines) == 1 and self._lines[0][1][0] in "[{":
            return _Flow(self._lines[0][1], self._scalar).document()
        value, after = self._block(0, self._lines[0][0])
        if after != len(self._lines) or self._lines[0][0]:
            raise Unusual
        return value

    def _indent(self, at: int) -> int:
        """The indentation of a line; -1 behind the last one."""
        return self._lines[at][0] if at < len(self._lines) else -1

    def _block(self, at: int, indent: int) -> tuple[Any, int]:
        return self._sequence(at, indent) if _is_item(self._lines[at][1]) else self._mapping(at, indent)

    def _mapping(self, at: int, indent: int) -> tuple[dict[str, Any], int]:
        found: dict[str, Any] = {}
        while self._indent(at) == indent:
            line = self._lines[at][1]
            match = _KEY.match(line)
            if match is None:
                if _is_item(line):
                    break
                raise Unusual
            key = _key(match, found)
            found[key], at = self._value(at, indent, line[match.end():], in_mapping=True)
        if self._indent(at) > indent:
            raise Unusual
        return found, at

    def _sequence(self, at: int, indent: int) -> tuple[list[Any], int]:
        found: list[Any] = []
        while self._indent(at) == indent and _is_item(self._lines[at][1]):
            _, line, number = self._lines[at]
            rest = line[1:].lstrip(" ")
            if _KEY.match(rest):
                inner = indent + len(line) - len(rest)
                self._lines[at] = (inner, rest, number)
                value, at = self._mapping(at, inner)
            elif _is_item(rest):
                raise Unusual
            else:
                value, at = self._value(at, indent, rest, in_mapping=False)
            found.append(value)
        if self._indent(at) > indent:
            raise Unusual
        return found, at

    def _value(self, at: int, indent: int, rest: str, *, in_mapping: bool) -> tuple[Any, int]:
        following = self._indent(at + 1)
        if not rest or rest[0] == "#":
            same = in_mapping and following == indent and _is_item(self._lines[at + 1][1])
            return self._block(at + 1, following) if following > indent or same else (None, at + 1)
        if rest in _BLOCK:
            return self._text(at, indent, rest)
        if following > indent:
            raise Unusual  # a scalar over several lines
        return _inline(rest, self._scalar), at + 1

    def _text(self, at: int, indent: int, style: str) -> tuple[str, int]:
        """A block scalar: its lines without their indentation, as they are (`|`) or folded to one (`>`); one line end
        at the end, none with `-`."""
        start = end = self._lines[at][2] + 1
        own = len(self._raw[start]) - len(self._raw[start].lstrip(" ")) if start < len(self._raw) else 0
        if own <= indent or not self._raw[start].strip():
            raise Unusual
        while end < len(self._raw) and (not self._raw[end].strip() or self._raw[end].startswith(" " * own)):
            end += 1
        while not self._raw[end - 1].strip():
            end -= 1
        after = at + 1
        while after < len(self._lines) and self._lines[after][2] < end:
            after += 1
        if self._indent(after) > indent:
            raise Unusual  # less indented than the text, more than its key
        last = "\n" if end < len(self._raw) and style[-1] != "-" else ""  # a text may end without a line end
        lines = [line[own:] for line in self._raw[start:end]]
        if style[0] == ">" and any(not line or line[0] == " " or line[-1] == " " for line in lines):
            raise Unusual  # paragraphs, and lines that are not folded
        return ("\n" if style[0] == "|" else " ").join(lines) + last, after


def _is_item(line: str) -> bool:
    return line == "-" or line.startswith("- ")


def _inline(rest: str, scalar: Scalar) -> Any:
    first = rest[0]
    if first in "\"'":
        match = _QUOTED.match(rest)
        if match is None or not _tail(rest, match.end()):
            raise Unusual
        return match[1] if match[1] is not None else match[2]
    if first in "[{":
        return _Flow(rest, scalar).document()
    if first in _NO_WORD and not (first in "-?:" and rest[1:2].strip()):
        raise Unusual
    cut = rest.find(" #")
    word = (rest if cut < 0 else rest[:cut]).rstrip(" ")
    if ": " in word or word.endswith(":"):
        raise Unusual
    return scalar(word)


def _tail(rest: str, at: int) -> bool:
    """Whether nothing but a comment (set off by a space) follows."""
    rest = rest[at:]
    return not rest or (rest[0] == " " and rest.lstrip(" ")[:1] in ("", "#"))


class _Flow:
    """A flow on one line: lists and mappings, in each other."""

    def __init__(self, text: str, scalar: Scalar) -> None:
        self._text, self._scalar, self._at = text, scalar, 0

    def document(self) -> Any:
        value = self._value()
        if not _tail(self._text, self._at):
            raise Unusual
        return value

    def _value(self) -> Any:
        if self._text[self._at:self._at + 1] in ("[", "{"):
            return self._collection()
        match = _QUOTED.match(self._text, self._at)
        if match is not None:
            self._at = match.end()
            return match[1] if match[1] is not None else match[2]
        match = _FLOW_WORD.match(self._text, self._at)
        if match is None:
            raise Unusual
        self._at = match.end()
        return self._scalar(match[0].rstrip(" "))

    def _collection(self) -> Any:
        mapping = self._text[self._at] == "{"
        end = "}" if mapping else "]"
        found: list[Any] = []
        while True:
            self._past()
            if not found and self._next() == end:
                break
            found.append(self._pair({key for key, _ in found}) if mapping else self._value())
            self._spaces()
            if self._next() != ",":
                break
        if self._next() != end:
            raise Unusual
        self._at += 1
        return dict(found) if mapping else found

    def _pair(self, known: set[str]) -> tuple[str, Any]:
        match = _FLOW_KEY.match(self._text, self._at)
        if match is None:
            raise Unusual
        key = _key(match, known)
        self._at = match.end()
        return key, self._value()

    def _next(self) -> str:
        return self._text[self._at:self._at + 1]

    def _past(self) -> None:
        """Behind the bracket or comma that comes next, and the spaces after it."""
        self._at += 1
        self._spaces()

    def _spaces(self) -> None:
        while self._next() == " ":
            self._at += 1


def _key(match: re.Match[str], known: Collection[str]) -> str:
    """The key of a mapping that `_KEY` or `_FLOW_KEY` found."""
    plain, *quoted = match.groups()
    key = plain if plain is not None else next(each for each in quoted if each is not None)
    if key in known or (plain is not None and core(plain) is not plain):
        raise Unusual
    return str(key)
