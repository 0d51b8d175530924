"""The files of a repository, read and parsed once for all checks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mlops.git import Git
from mlops.infra.findings import Finding


@dataclasses.dataclass(frozen=True)
class Part:
    """One document of a YAML file: the data, and where each key of it stands.

    Attributes:
        lines: Path of keys and indexes → line, from 1.
    """

    data: Any
    lines: dict[tuple[str | int, ...], int]

    def line(self, *path: str | int) -> int | None:
        """The line of a key or item, or of its nearest parent."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.lines:
                return self.lines[path[:length]]
        return None


class Tree:
    """The tracked files and those that git would track; without git all files that are not hidden.

    Args:
        repository: The top of the tree.
        without: Folders (`name/`) whose files exist, and are not read.
    """

    def __init__(self, repository: Path, without: tuple[str, ...] = ()) -> None:
        self.repository = repository
        self._without = without
        self.files = frozenset(_listed(repository))
        self._parsed: dict[str, list[Part] | Finding] = {}

    def matching(self, *suffixes: str, under: str = "") -> list[str]:
        """Files whose names end with one of `suffixes`, in the folder `under`, sorted."""
        folder = f"{under.rstrip('/')}/" if under else ""
        return sorted(
            name for name in self.files
            if name.startswith(folder) and name.endswith(suffixes) and not name.startswith(self._without)
        )

    def exists(self, name: str) -> bool:
        """Whether `name` is a file or a folder of the tree."""
        return name in self.files or name in ("", ".") or any(each.startswith(f"{name}/") for each in self.files)

    def text(self, name: str) -> str:
        """The file's text; bytes that are not UTF-8 become a replacement character."""
        return (self.repository / name).read_text(encoding="utf-8", errors="replace")

    def yaml(self, name: str) -> list[Part]:
        """The documents of a YAML file; none where it is not well-formed, which `malformed` tells."""
        if name not in self._parsed:
            self._parsed[name] = _parse(name, self.text(name))
        found = self._parsed[name]
        return found if isinstance(found, list) else []

    def malformed(self, names: Iterable[str]) -> list[Finding]:
        """A finding for each of the YAML files `names` that is not well-formed."""
        for name in names:
            self.yaml(name)
        return [found for name in names if isinstance(found := self._parsed[name], Finding)]


def _listed(repository: Path) -> list[str]:
    code, output, _ = Git(repository).ask("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if code == 0:
        names = [name.decode(errors="surrogateescape") for name in output.split(b"\0") if name]
        return [name for name in names if (repository / name).is_file()]
    found = (path.relative_to(repository) for path in repository.rglob("*") if path.is_file())
    return [path.as_posix() for path in found if not any(part.startswith(".") for part in path.parts[:-1])
            or path.parts[0] == ".github"]


def _parse(name: str, text: str) -> list[Part] | Finding:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    loader = YAML(typ="safe", pure=True)
    try:
        parts = []
        for node in loader.compose_all(text):
            lines: dict[tuple[str | int, ...], int] = {}
            parts.append(Part(_build(loader.constructor, node, (), lines), lines))
        return parts
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(str(error.problem or error.context).split())
        return Finding(rule="yaml", path=name, line=mark.line + 1 if mark else None, message=f"is not YAML: {said}")
    except (YAMLError, ValueError, RecursionError) as error:
        return Finding(rule="yaml", path=name, line=None, message=f"is not YAML: {error}")


def _build(constructor: Any, node: Any, path: tuple[str | int, ...], lines: dict[tuple[str | int, ...], int]) -> Any:
    """The data of a node, its lines noted; a key that stands twice is an error, as in YAML 1.2."""
    from ruamel.yaml.constructor import DuplicateKeyError
    from ruamel.yaml.nodes import MappingNode, SequenceNode

    if node is None:
        return None
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, SequenceNode):
        return [_build(constructor, item, (*path, index), lines) for index, item in enumerate(node.value)]
    if not isinstance(node, MappingNode):
        return constructor.construct_object(node)
    built: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        if key in built:
            raise DuplicateKeyError(None, None, f"the key {key!r} stands twice", key_node.start_mark)
        lines[(*path, key)] = key_node.start_mark.line + 1
        built[key] = _build(constructor, value_node, (*path, key), lines)
    return built
