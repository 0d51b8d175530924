"""Workflow files as YAML 1.2: `on` is a word, `1_0` is text, anchors are followed.

Two readers with one answer. The quick one knows the plain block style that workflow files are
written in and gives up on anything else; the other composes the file with ruamel.yaml and resolves
scalars by the core schema of YAML 1.2. Reading five workflow files takes a twentieth of the time
that way, and `mlops route` starts without importing a YAML library. A test holds the two readers
against each other.

Mappings come as dict, sequences as list, scalars as the core schema has them.
"""

from __future__ import annotations

import re
from typing import Any

from mlops.errors import ConfigurationError

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE = frozenset(("true", "True", "TRUE"))
_FALSE = frozenset(("false", "False", "FALSE"))
_NO_WORD = frozenset(" -?:,[]{}#&*!|>'\"%@`")  # what a plain scalar does not begin with

# `key:` or `key: value`; a key is a plain word, or quoted without escapes
_KEY = re.compile(r"(?:([A-Za-z_][A-Za-z0-9_.-]*)|\"([^\"\\]*)\"|'([^']*)')[ ]*:(?:[ ]+|$)")
_FLOW_WORD = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./+=@-]*")
_QUOTED = re.compile(r"\"([^\"\\]*)\"|'([^']*)'")


class NotYamlError(ConfigurationError):
    """The text is no YAML that GitHub would read."""


class _Unusual(Exception):
    """The quick reader does not know this; the other one shall read the file."""


def load(text: str, *, where: str) -> Any:
    """The document in `text`.

    Raises:
        NotYamlError: not YAML, a key stands twice, a merge key (GitHub knows none), an alias inside its own anchor.
    """
    try:
        return quick(text)
    except _Unusual:
        return thorough(text, where=where)


def scalar(text: str) -> Any:
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


def quick(text: str) -> Any:
    """The document, where it is written in plain block style; raises `_Unusual` otherwise."""
    return _Lines(text).document()


class _Lines:
    """The lines that hold something, each with its indentation and its place in the text."""

    def __init__(self, text: str) -> None:
        self._raw = text.split("\n")
        self._lines: list[tuple[int, str, int]] = []
        for number, raw in enumerate(self._raw):
            if not raw.isprintable():  # tabs, returns, byte order marks, other line ends
                raise _Unusual
            line = raw.lstrip(" ")
            if line and line[0] != "#":
                self._lines.append((len(raw) - len(line), line.rstrip(" "), number))

    def document(self) -> Any:
        if self._lines and self._lines[0][:2] == (0, "---"):
            del self._lines[0]
        if not self._lines or any(line[:3] in ("---", "...") and not indent for indent, line, _ in self._lines):
            raise _Unusual
        value, after = self._block(0, self._lines[0][0])
        if after != len(self._lines) or self._lines[0][0]:
            raise _Unusual
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
                raise _Unusual
            plain, *quoted = match.groups()
            key = plain if plain is not None else next(each for each in quoted if each is not None)
            if key in found or (plain is not None and scalar(plain) is not plain):
                raise _Unusual
            found[key], at = self._value(at, indent, line[match.end():], in_mapping=True)
        if self._indent(at) > indent:
            raise _Unusual
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
                raise _Unusual
            else:
                value, at = self._value(at, indent, rest, in_mapping=False)
            found.append(value)
        if self._indent(at) > indent:
            raise _Unusual
        return found, at

    def _value(self, at: int, indent: int, rest: str, *, in_mapping: bool) -> tuple[Any, int]:
        following = self._indent(at + 1)
        if not rest or rest[0] == "#":
            same = in_mapping and following == indent and _is_item(self._lines[at + 1][1])
            return self._block(at + 1, following) if following > indent or same else (None, at + 1)
        if rest == "|":
            return self._literal(at, indent)
        if following > indent:
            raise _Unusual  # a scalar over several lines
        return _inline(rest), at + 1

    def _literal(self, at: int, indent: int) -> tuple[str, int]:
        """A block scalar `|`: its lines as they are, without their indentation, one line end at the end."""
        start = end = self._lines[at][2] + 1
        own = len(self._raw[start]) - len(self._raw[start].lstrip(" ")) if start < len(self._raw) else 0
        if own <= indent or not self._raw[start].strip():
            raise _Unusual
        while end < len(self._raw) and (not self._raw[end].strip() or self._raw[end].startswith(" " * own)):
            end += 1
        while not self._raw[end - 1].strip():
            end -= 1
        after = at + 1
        while after < len(self._lines) and self._lines[after][2] < end:
            after += 1
        if self._indent(after) > indent:
            raise _Unusual  # less indented than the text, more than its key
        last = "\n" if end < len(self._raw) else ""  # a text may end without a line end
        return "\n".join(line[own:] for line in self._raw[start:end]) + last, after


def _is_item(line: str) -> bool:
    return line == "-" or line.startswith("- ")


def _inline(rest: str) -> Any:
    first = rest[0]
    if first in "\"'":
        match = _QUOTED.match(rest)
        if match is None or not _tail(rest, match.end()):
            raise _Unusual
        return match[1] if match[1] is not None else match[2]
    if first in "[{":
        return _flow(rest)
    if first in _NO_WORD and not (first in "-?:" and rest[1:2].strip()):
        raise _Unusual
    cut = rest.find(" #")
    word = (rest if cut < 0 else rest[:cut]).rstrip(" ")
    if ": " in word or word.endswith(":"):
        raise _Unusual
    return scalar(word)


def _tail(rest: str, at: int) -> bool:
    """Whether nothing but a comment (set off by a space) follows."""
    rest = rest[at:]
    return not rest or (rest[0] == " " and rest.lstrip(" ")[:1] in ("", "#"))


def _flow(rest: str) -> Any:
    if rest.startswith("{}") and _tail(rest, 2):
        return {}
    if rest[0] == "{":
        raise _Unusual
    found: list[Any] = []
    at = 1
    while True:
        while rest[at:at + 1] == " ":
            at += 1
        if rest[at:at + 1] == "]" and not found:
            break
        match = _QUOTED.match(rest, at)
        if match is not None:
            found.append(match[1] if match[1] is not None else match[2])
        else:
            match = _FLOW_WORD.match(rest, at)
            if match is None:
                raise _Unusual
            found.append(scalar(match[0]))
        at = match.end()
        while rest[at:at + 1] == " ":
            at += 1
        if rest[at:at + 1] != ",":
            break
        at += 1
    if rest[at:at + 1] != "]" or not _tail(rest, at + 1):
        raise _Unusual
    return found


def thorough(text: str, *, where: str) -> Any:
    """The document, read by ruamel.yaml's parser and resolved by the core schema."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise NotYamlError(f"is not YAML: {error.problem}", where=f"{where}{line}", mend="correct the file") from error
    except (YAMLError, ValueError) as error:
        raise NotYamlError(f"is not YAML: {error}", where=where, mend="correct the file") from error
    except RecursionError as error:
        raise NotYamlError("is nested too deeply", where=where, mend="correct the file") from error
    return _Builder(where).build(node) if node is not None else None


class _Builder:
    """Nodes to data; what an anchor names is built once, so that aliases cost nothing."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._done: dict[int, Any] = {}
        self._open: set[int] = set()

    def build(self, node: Any) -> Any:
        name = id(node)
        if name in self._done:
            return self._done[name]
        if name in self._open:
            raise self._error(node, "an alias stands inside its own anchor")
        self._open.add(name)
        if node.id == "scalar":
            value = scalar(node.value) if not node.style and "str" not in str(node.ctag) else node.value
        elif node.id == "sequence":
            value = [self.build(item) for item in node.value]
        else:
            value = self._mapping(node)
        self._open.discard(name)
        self._done[name] = value
        return value

    def _mapping(self, node: Any) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            key = self.build(key_node)
            if isinstance(key, dict | list):
                raise self._error(key_node, "a key is no scalar")
            if key == "<<" and not key_node.style:
                raise self._error(key_node, "GitHub knows no merge keys")
            if key in found:
                raise self._error(key_node, f"the key {key!r} stands twice")
            found[key] = self.build(value_node)
        return found

    def _error(self, node: Any, message: str) -> NotYamlError:
        return NotYamlError(message, where=f"{self._where}:{node.start_mark.line + 1}", mend="correct the file")
