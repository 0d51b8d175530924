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

_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE = frozenset(("true", "True", "TRUE"))
_FALSE = frozenset(("false", "False", "FALSE"))

_ODD = r"\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff"
_PLAIN = rf"[^\s\-?:,\[\]{{}}#&*!|>'\"%@`{_ODD}]"
# `key:` or `key: value`; a key is a plain word, or quoted without escapes
_KEY = re.compile(r"(?:([A-Za-z_][A-Za-z0-9_.-]*)|\"([^\"\\]*)\"|'([^'\\]*)')[ ]*:(?:[ ]+|$)")
_ITEM = re.compile(r"-(?:([ ]+)|$)")
_WORD = re.compile(rf"{_PLAIN}[^{_ODD}]*|[-?:](?=\S)[^{_ODD}]*")
_FLOW_WORD = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./+=@-]*")
_QUOTED = re.compile(r"\"([^\"\\\x00-\x1f]*)\"|'([^'\x00-\x1f]*)'")
_COMMENT = re.compile(r"[ ]*(?:#.*)?")


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
    if _INT.fullmatch(text):
        return int(text, 0) if text[:2] in ("0o", "0x") else int(text)
    if _FLOAT.fullmatch(text):
        return float(text.replace(".inf", "inf").replace(".Inf", "inf").replace(".INF", "inf").replace(".nan", "nan")
                     .replace(".NaN", "nan").replace(".NAN", "nan"))
    return text


def quick(text: str) -> Any:
    """The document, where it is written in plain block style; raises `_Unusual` otherwise."""
    if "\t" in text or "\r" in text or text.startswith("\ufeff"):
        raise _Unusual
    lines: list[tuple[int, str]] = []
    for raw in text.split("\n"):
        line = raw.lstrip(" ")
        if line and line[0] != "#":
            lines.append((len(raw) - len(line), line.rstrip(" ")))
    if lines and lines[0] == (0, "---"):
        del lines[0]
    if not lines or any(line[:3] in ("---", "...") and not indent for indent, line in lines):
        raise _Unusual
    value, after = _block(lines, 0, lines[0][0])
    if after != len(lines) or lines[0][0]:
        raise _Unusual
    return value


def _block(lines: list[tuple[int, str]], at: int, indent: int) -> tuple[Any, int]:
    return _sequence(lines, at, indent) if _ITEM.match(lines[at][1]) else _mapping(lines, at, indent)


def _mapping(lines: list[tuple[int, str]], at: int, indent: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    while at < len(lines) and lines[at][0] == indent:
        line = lines[at][1]
        match = _KEY.match(line)
        if match is None:
            if _ITEM.match(line):
                break
            raise _Unusual
        plain, *quoted = match.groups()
        key = plain if plain is not None else next(each for each in quoted if each is not None)
        if key in found or (plain is not None and scalar(plain) is not plain):
            raise _Unusual
        found[key], at = _value(lines, at, indent, line[match.end():], in_mapping=True)
    if at < len(lines) and lines[at][0] > indent:
        raise _Unusual
    return found, at


def _sequence(lines: list[tuple[int, str]], at: int, indent: int) -> tuple[list[Any], int]:
    found: list[Any] = []
    while at < len(lines) and lines[at][0] == indent:
        line = lines[at][1]
        match = _ITEM.match(line)
        if match is None:
            break
        rest = line[match.end():]
        if _KEY.match(rest) and not rest.startswith("#"):
            inner = indent + match.end()
            lines[at] = (inner, rest)
            value, at = _mapping(lines, at, inner)
        elif _ITEM.match(rest):
            raise _Unusual
        else:
            value, at = _value(lines, at, indent, rest, in_mapping=False)
        found.append(value)
    if at < len(lines) and lines[at][0] > indent:
        raise _Unusual
    return found, at


def _value(lines: list[tuple[int, str]], at: int, indent: int, rest: str, *, in_mapping: bool) -> tuple[Any, int]:
    following = lines[at + 1] if at + 1 < len(lines) else (-1, "")
    if not rest or rest[0] == "#":
        deeper = following[0] > indent or (in_mapping and following[0] == indent and _ITEM.match(following[1]))
        return _block(lines, at + 1, following[0]) if deeper else (None, at + 1)
    if following[0] > indent:
        raise _Unusual  # a scalar over several lines
    return _inline(rest), at + 1


def _inline(rest: str) -> Any:
    first = rest[0]
    if first in "\"'":
        match = _QUOTED.match(rest)
        if match is None or not _tail(rest, match.end()):
            raise _Unusual
        return match[1] if match[1] is not None else match[2]
    if first in "[{":
        return _flow(rest)
    match = _WORD.match(rest)
    if match is None or match.end() != len(rest):
        raise _Unusual
    cut = rest.find(" #")
    word = (rest if cut < 0 else rest[:cut]).rstrip(" ")
    if ": " in word or word.endswith(":"):
        raise _Unusual
    return scalar(word)


def _tail(rest: str, at: int) -> bool:
    """Whether nothing but a comment (set off by a space) follows."""
    return at == len(rest) or (rest[at] == " " and _COMMENT.fullmatch(rest, at) is not None)


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
