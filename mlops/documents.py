"""Configuration files in YAML 1.2, checked against a shape; errors name file, line and field."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from mlops.errors import ConfigurationError, MissingInputError

T = TypeVar("T")


def read(kind: type[T], path: Path) -> T:
    """The YAML file at `path` as a `kind` (a msgspec struct).

    Raises:
        MissingInputError: there is no such file.
        ConfigurationError: not YAML, or not of the shape; `where` is `file:line`, the message names the field.
    """
    document, lines = parse(path)
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        message, field = _field(str(error))
        line = _line_of(lines, field)
        raise ConfigurationError(
            f"field {field!r}: {message}" if field else message, where=f"{path}:{line}" if line else path,
            mend="correct the field; its neighbours in the same folder show the shape",
        ) from error


def parse(path: Path) -> tuple[Any, Any]:
    """The file as plain Python data, and ruamel's nodes that know their lines.

    Raises:
        MissingInputError: there is no such file.
        ConfigurationError: not UTF-8, not YAML, or a key stands twice.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        content = path.read_text(encoding="utf-8")
    except OSError as error:
        raise MissingInputError(f"cannot be read: {error.strerror or error}", where=path) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"is not UTF-8: {error}", where=path) from error
    try:
        nodes = YAML(typ="rt").load(content)
    except MarkedYAMLError as error:
        mark = error.problem_mark
        raise ConfigurationError(
            f"is not YAML: {error.problem}", where=f"{path}:{mark.line + 1}" if mark else path
        ) from error
    except YAMLError as error:
        raise ConfigurationError(f"is not YAML: {error}", where=path) from error
    return plain(nodes), nodes


def place(path: Path, field: str) -> str:
    """`file:line` of a field such as `metric.name`, for an error about a file that has its shape."""
    line = _line_of(parse(path)[1], field)
    return f"{path}:{line}" if line else str(path)


def mapping(path: Path) -> dict[str, Any]:
    """The file's top level as a dictionary, unchecked; empty where it is none (`read` says what is wrong with it)."""
    parsed = parse(path)[0]
    return parsed if isinstance(parsed, dict) else {}


def plain(node: Any) -> Any:
    """ruamel's round-trip data as plain dictionaries, lists and scalars."""
    if isinstance(node, dict):
        return {plain(key): plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [plain(item) for item in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return node if type(node) is kind else kind(node)
    return node


def _field(message: str) -> tuple[str, str]:
    """msgspec's "… - at `$.a.b[0]`" as (message, "a.b[0]"); for a missing or unknown field, that field."""
    found = re.fullmatch(r"(.*?) - at `\$\.?(.*?)`", message, re.DOTALL)
    text, place = (found[1], found[2]) if found else (message, "")
    named = re.search(r"(?:unknown|required) field `(.+?)`", text)
    if named and "unknown" in text:
        place = f"{place}.{named[1]}".lstrip(".")
    elif named:
        return text, place or named[1]
    return text, place


def _line_of(nodes: Any, field: str) -> int | None:
    """The line (from 1) of a field such as `a.b[0].c`, or of its nearest parent that has one."""
    line: int | None = None
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+|\.\.\.)\]", field):
        try:
            if name:
                line = nodes.lc.key(name)[0] + 1
                nodes = nodes[name]
            else:
                line = nodes.lc.item(int(index))[0] + 1
                nodes = nodes[int(index)]
        except (KeyError, IndexError, AttributeError, TypeError, ValueError):
            break
    return line
