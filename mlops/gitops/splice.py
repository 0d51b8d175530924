"""Change one scalar of a YAML file and nothing around it.

YAML writers move comments, quotes and line ends. Here the file is only read as YAML, to learn at
which character a scalar begins and ends; the change is made in the text.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mlops.errors import ConfigurationError

_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./:@+-]*[A-Za-z0-9_./@+-]|[A-Za-z0-9_./]")
# What YAML 1.1 or 1.2 reads as something else than text.
_OTHER = re.compile(
    r"(?i:true|false|yes|no|on|off|null|y|n|~|[-+.]?[0-9][0-9_.:]*(e[-+]?[0-9]+)?|\.inf|\.nan|0[xob][0-9a-f_]+)"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}.*"
)


class Yaml:
    """The text of a YAML file with the nodes that know their place in it.

    Args:
        content: The file's bytes, UTF-8.
        where: Its name, for errors.

    Raises:
        ConfigurationError: not UTF-8, not YAML, or not one mapping.
    """

    def __init__(self, content: bytes, where: str | Path) -> None:
        from ruamel.yaml import YAML
        from ruamel.yaml.error import MarkedYAMLError, YAMLError

        self.where = where
        self._keys: dict[int, Any] = {}
        try:
            self.text = content.decode()
            self.top = YAML(typ="safe", pure=True).compose(self.text)
        except UnicodeDecodeError as error:
            raise ConfigurationError(f"is not UTF-8: {error}", where=where) from error
        except MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else "?"
            raise ConfigurationError(f"is not YAML: {error.problem}", where=f"{where}:{line}") from error
        except (YAMLError, ValueError) as error:
            raise ConfigurationError(f"is not YAML: {error}", where=where) from error
        if self.top is not None and self.top.id != "mapping":
            raise ConfigurationError("is not a mapping", where=where)

    def child(self, node: Any, key: str) -> Any:
        """The value node of `key` in a mapping node, None where it is not there.

        Raises:
            ConfigurationError: the key stands twice, the node is no mapping, or the value is an alias.
        """
        if node is None or empty(node):
            return None
        if node.id != "mapping":
            raise self.refuse(node, f"holds no mapping where {key!r} is looked for")
        found = [(name, value) for name, value in node.value if name.id == "scalar" and name.value == key]
        if len(found) > 1:
            raise self.refuse(found[1][0], f"{key!r} stands twice")
        if found and found[0][1].start_mark.index < found[0][0].end_mark.index:
            raise self.refuse(found[0][0], f"{key!r} is an alias: changing it would change another place too",
                              mend="write the value out in place of the alias")
        if not found:
            return None
        self._keys[id(found[0][1])] = found[0][0]
        return found[0][1]

    def replaced(self, node: Any, value: str) -> str:
        """The text with the scalar at `node`, a `child`, changed to `value`, in the quotes that it has.

        Raises:
            ConfigurationError: not a scalar, an anchor, or text over several lines.
        """
        return self.written(node, quoted(value, node.style))

    def written(self, node: Any, raw: str) -> str:
        """The text with `raw` in place of the scalar at `node`, see `replaced`."""
        if node.id != "scalar" or node.anchor or node.style in ("|", ">"):
            raise self.refuse(node, "is not a plain or quoted scalar", mend="write the value on one line")
        start, end = node.start_mark.index, node.end_mark.index
        if start == end:  # nothing is written there: it goes right behind the colon
            start = end = self.text.index(":", self._keys[id(node)].end_mark.index) + 1
            raw = f" {raw}"
        return self.text[:start] + raw + self.text[end:]

    def added(self, node: Any, key: str, value: str) -> str:
        """The text with `key: value` as a new, last entry of the mapping at `node` (`value` is written as given)."""
        entry = f"{key}:{value}" if value.startswith(("\r", "\n")) else f"{key}: {value}"
        if node is None:  # an empty file, or one of comments only
            gap = "" if not self.text or self.text.endswith("\n") else self.newline
            return f"{self.text}{gap}{entry}{self.newline}"
        if node.id != "mapping" or node.anchor:
            raise self.refuse(node, f"holds no mapping to add {key!r} to")
        if node.flow_style:
            at = node.start_mark.index + 1
            return f"{self.text[:at]}{entry}{', ' if node.value else ''}{self.text[at:]}"
        column = node.value[0][0].start_mark.column
        last = _last(node)
        end = last.end_mark.index
        if end < node.start_mark.index:
            raise self.refuse(node, f"ends in an alias: {key!r} cannot be added behind it",
                              mend="write the value out in place of the alias")
        line_end = self.text.find("\n", end - 1 if getattr(last, "style", None) in ("|", ">") else end)
        indented = " " * column + entry
        if line_end < 0:
            return f"{self.text}{self.newline}{indented}{self.newline}"
        return f"{self.text[:line_end + 1]}{indented}{self.newline}{self.text[line_end + 1:]}"

    @property
    def newline(self) -> str:
        """The line end that the file has."""
        return "\r\n" if "\r\n" in self.text else "\n"

    def refuse(self, node: Any, message: str, *, mend: str | None = None) -> ConfigurationError:
        """An error at the line of `node`."""
        return ConfigurationError(message, where=f"{self.where}:{node.start_mark.line + 1}", mend=mend)


def put(content: bytes, path: tuple[str, ...], value: str | int, where: str | Path) -> bytes:
    """The file with the scalar at `path` set; mappings on the way are made when absent.

    Raises:
        ConfigurationError: see `Yaml`.
    """
    document = Yaml(content, where)
    node = document.top
    for depth, key in enumerate(path):
        parent, node = node, document.child(node, key)
        rest = path[depth + 1:]
        if node is None:
            return document.added(parent, quoted(key), _nested(rest, value, document, parent)).encode()
        if rest and empty(node):
            return document.written(node, "{" + _flow(rest, value) + "}").encode()
    if node.id == "scalar" and node.value == str(value) and not (isinstance(value, str) and _is_other(node)):
        return content
    if isinstance(value, int):
        return document.written(node, str(value)).encode()
    return document.replaced(node, value).encode()


def empty(node: Any) -> bool:
    """Whether a value is left out, or null."""
    return bool(node.id == "scalar" and node.tag == "tag:yaml.org,2002:null")


def quoted(value: str, style: str | None = None) -> str:
    """`value` as a YAML scalar: in quotes of `style`, or plain where it is read as text that way."""
    if style == "'":
        return "'" + value.replace("'", "''") + "'"
    if style == '"' or not _PLAIN.fullmatch(value) or _OTHER.fullmatch(value):
        import json

        return json.dumps(value, ensure_ascii=False)
    return value


def _is_other(node: Any) -> bool:
    return node.style is None and bool(_OTHER.fullmatch(node.value))


def _nested(path: tuple[str, ...], value: str | int, document: Yaml, parent: Any) -> str:
    if not path:
        return str(value) if isinstance(value, int) else quoted(value)
    if parent is not None and parent.flow_style:
        return "{" + _flow(path, value) + "}"
    column = parent.value[0][0].start_mark.column if parent is not None else 0
    lines = ""
    for depth, key in enumerate(path):
        lines += f"{document.newline}{' ' * (column + 2 * (depth + 1))}{quoted(key)}:"
    return f"{lines} {value if isinstance(value, int) else quoted(value)}"


def _flow(path: tuple[str, ...], value: str | int) -> str:
    inner = str(value) if isinstance(value, int) else quoted(value)
    for key in reversed(path[1:]):
        inner = f"{{{quoted(key)}: {inner}}}"
    return f"{quoted(path[0])}: {inner}"


def _last(node: Any) -> Any:
    """The last node of a block collection whose end is exact."""
    while node.id != "scalar" and not node.flow_style:
        tail = node.value[-1]
        node = tail[1] if node.id == "mapping" else tail
    return node
