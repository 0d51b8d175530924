"""Workflow files as YAML 1.2: `on` is a word, `1_0` is text, anchors are followed.

Two readers with one answer. The quick one (`mlops.plain_yaml`) knows the plain style that workflow files are
written in and gives up on anything else; the other composes the file with ruamel.yaml and resolves
scalars by the core schema of YAML 1.2. Reading five workflow files takes a twentieth of the time
that way, and `mlops route` starts without importing a YAML library. A test holds the two readers
against each other.

Mappings come as dict, sequences as list, scalars as the core schema has them.
"""

from __future__ import annotations

from typing import Any

from mlops.errors import ConfigurationError
from mlops.plain_yaml import Unusual, core, quick


class NotYamlError(ConfigurationError):
    """The text is no YAML that GitHub would read."""


def load(text: str, *, where: str) -> Any:
    """The document in `text`.

    Raises:
        NotYamlError: not YAML, a key stands twice, a merge key (GitHub knows none), an alias inside its own anchor.
    """
    try:
        return quick(text)
    except Unusual:
        return thorough(text, where=where)


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
            value = core(node.value) if not node.style and "str" not in str(node.ctag) else node.value
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
