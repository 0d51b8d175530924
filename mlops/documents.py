"""Configuration files in YAML 1.2, checked against a shape; errors name file, line and field."""

from __future__ import annotations

import re
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin

import msgspec

from mlops.errors import ConfigurationError, MissingInputError
from mlops.plain_yaml import Unusual, core, quick

T = TypeVar("T")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_FIELD = re.compile(r"([^.\[\]]+)|\[(\d+|\.\.\.)\]")


def read(kind: type[T], path: Path) -> T:
    """The YAML file at `path` as a `kind` (a msgspec struct).

    Raises:
        MissingInputError: there is no such file.
        ConfigurationError: not YAML, or not of the shape; `where` is `file:line`, the message names the field.
    """
    document = _plain(path)
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        document, lines = parse(path)
        message, field = _field(str(error))
        field, known = _resolve(kind, document, field)
        if "unknown field" in message:
            message += suggestion(field.rpartition(".")[2], known)
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

    content = _content(path)
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


def _plain(path: Path) -> Any:
    """The same data as `parse` gives, without the YAML library where the file is written in the plain style."""
    try:
        return quick(_content(path), _sure)
    except Unusual:
        return parse(path)[0]


def _sure(text: str) -> Any:
    """A word without quotes, where it is beyond doubt what it means; dates, `1_000` and `=` are for the library."""
    if text[:1] not in "+-.0123456789=" or _NUMBER.fullmatch(text) or re.search(" [A-Za-z]{2}", text):
        return core(text)
    raise Unusual


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise MissingInputError(f"cannot be read: {error.strerror or error}", where=path) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"is not UTF-8: {error}", where=path) from error


def suggestion(word: str, known: Iterable[str]) -> str:
    """`, did you mean 'x'?` for the nearest of the known words, nothing where none is near."""
    import difflib

    near = difflib.get_close_matches(word, list(known), 1)
    return f", did you mean {near[0]!r}?" if near else ""


def place(path: Path, field: str) -> str:
    """`file:line` of a field such as `metric.name`, for an error about a file that has its shape."""
    line = _line_of(parse(path)[1], field)
    return f"{path}:{line}" if line else str(path)


def mapping(path: Path) -> dict[str, Any]:
    """The file's top level as a dictionary, unchecked; empty where it is none (`read` says what is wrong with it)."""
    parsed = _plain(path)
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


def _resolve(kind: Any, document: Any, field: str) -> tuple[str, list[str]]:
    """The exact field for one in which msgspec leaves a dictionary's key out (`columns[...].type`), and the names
    that the last struct on the way knows."""
    exact, known = "", []
    for name, index in _FIELD.findall(field):
        kind = _inner(kind, document)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            fields = {each.encode_name: each.type for each in msgspec.structs.fields(kind)}
            exact, known, kind = f"{exact}.{name}".lstrip("."), list(fields), fields.get(name)
            document = document.get(name) if isinstance(document, dict) else None
        elif index == "..." and isinstance(document, dict):
            kind = get_args(kind)[-1]
            found = next((key for key, value in document.items() if not _fits(value, kind)), "...")
            exact, document = f"{exact}.{found}", document.get(found)
        elif index.isdigit() and isinstance(document, list) and int(index) < len(document):
            kind, exact, document = get_args(kind)[0], f"{exact}[{index}]", document[int(index)]
        else:
            return field, known
    return exact, known


def _inner(kind: Any, document: Any) -> Any:
    """Of a union, the kind that a dictionary or list is meant to be."""
    if not isinstance(kind, types.UnionType) and get_origin(kind) is not Union:
        return kind
    wanted = (dict, msgspec.Struct) if isinstance(document, dict) else (list, tuple)
    kinds = [each for each in get_args(kind) if issubclass(get_origin(each) or each, wanted)]
    return kinds[0] if kinds else None


def _fits(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _line_of(nodes: Any, field: str) -> int | None:
    """The line (from 1) of a field such as `a.b[0].c`, or of its nearest parent that has one."""
    line: int | None = None
    for name, index in _FIELD.findall(field):
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
