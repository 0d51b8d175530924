"""Makefiles: what a target needs and runs, read and never made."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence

from mlops.routing.audit.commands import Commands, Read
from mlops.routing.audit.tree import Tree

_INCLUDE = re.compile(r"^[ ]*-?s?include[ \t]+(.+)$", re.MULTILINE)


def read(tree: Tree, path: str, text_of: Callable[[str], str]) -> Makefile:
    """The Makefile at `path`, with the makefiles that it includes and that are in the tree."""
    included: list[str] = []

    def whole(name: str, depth: int) -> str:
        def put(match: re.Match[str]) -> str:
            found = ""
            for word in match[1].split("#")[0].split():
                targets = (posixpath.normpath(posixpath.join(folder, word)) for folder in (posixpath.dirname(path), ""))
                target = next((each for each in targets if each in tree.files and each not in tree.links), None)
                if target is not None and target not in included:
                    included.append(target)
                    found += whole(target, depth + 1) + "\n"
            return found

        return _INCLUDE.sub(put, text_of(name)) if depth < 10 else ""

    text = whole(path, 0)
    return Makefile(text, included)


class Makefile:
    """The rules of a Makefile: for each target what it needs and what it runs.

    Args:
        text: The Makefile, with what it includes in place.
        includes: The files that were included.
    """

    def __init__(self, text: str, includes: Sequence[str] = ()) -> None:
        self.includes = tuple(includes)
        self.goal = ""
        self.needs: dict[str, list[str]] = {}
        self.recipes: dict[str, list[str]] = {}
        self._values: dict[str, str] = {"MAKE": "make"}
        current: list[str] = []
        for line in re.sub(r"\\\n", " ", text).splitlines():
            if line.startswith("\t"):
                for target in current:
                    self.recipes[target].append(self._filled(line.strip().lstrip("@-+")))
                continue
            current = self._line(line.partition("#")[0].strip()) or ([] if line.strip() else current)

    def _line(self, line: str) -> list[str]:
        value = re.match(r"(?:export\s+|override\s+)?([\w.-]+)\s*(?::=|::=|\?=|\+=|=)\s*(.*)", line)
        if value:
            self._values[value[1]] = value[2]
            if value[1] == ".DEFAULT_GOAL":
                self.goal = value[2]
            return []
        rule = re.match(r"([^:=]+)::?(?!=)\s*(.*)", line)
        if not rule:
            return []
        targets = self._filled(rule[1]).split()
        for target in targets:
            self.needs.setdefault(target, []).extend(self._filled(rule[2]).replace("|", " ").split())
            self.recipes.setdefault(target, [])
            if not self.goal and not target.startswith("."):
                self.goal = target
        return targets

    def _filled(self, text: str) -> str:
        for _ in range(5):  # values may hold values
            text, changed = re.subn(
                r"\$[({]([\w.-]+)[)}]", lambda match: self._values.get(match[1], ""), text
            )
            if not changed:
                break
        return text

    def reads(self, commands: Commands, file: str, target: str) -> Iterator[Read]:
        """The files that making `target` reads, from the folder of the Makefile `file`."""
        target = target or self.goal
        folder = posixpath.dirname(file)
        yield Read(file, whole=False)
        yield from (Read(each, whole=False) for each in self.includes)
        for need in self.needs.get(target, ()):
            if need in self.needs:
                yield Read(file, need)
            path = posixpath.normpath(posixpath.join(folder, need))
            yield from (Read(each) for each in commands.tree.resolve(path) if commands.tree.is_file(path))
        for line in self.recipes.get(target, ()):
            yield from commands.read(line, folder)
