"""What each file of a tree leads to, read and never run.

Most files stand for themselves. Of a file that dispatches (the table of all steps, a Makefile) only
the parts that are reached count, or every pipeline would hang on every room.
"""

from __future__ import annotations

import posixpath
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from mlops.routing.audit import references
from mlops.routing.audit.commands import Commands, is_python, is_script
from mlops.routing.audit.makefiles import Makefile
from mlops.routing.audit.makefiles import read as read_makefile
from mlops.routing.audit.tree import Tree
from mlops.routing.router.workflows import FOLDER
from mlops.sources import Sources
from mlops.sources.imports import TEXT, Imports, Node

_HASHED = re.compile(r"(?<=['\"])[^'\"]+(?=['\"]\s*[,)])")  # the arguments of hashFiles('…', '…')
_HERE = ("./", "$/")  # of the checked-out tree, or of the running commit
_PATH = re.compile(r"[/.*]")
_MAKEFILES = ("Makefile", "makefile", "GNUmakefile")


_READERS = (references.__file__, __file__)


class Graph:
    """What each file leads to.

    Args:
        tree: The files.
        sources: Reads files and remembers what was read.
        commands: The project's own commands, by their words → the files that they start in.
        dispatchers: Python modules of which only the functions that are reached count.
        leaves: Folders whose files lead nowhere.
    """

    def __init__(
        self, tree: Tree, sources: Sources, commands: Mapping[str, tuple[str, ...]],
        dispatchers: frozenset[str] = frozenset(), leaves: Iterable[str] = (),
    ) -> None:
        self.tree = tree
        self.sources = sources
        self.commands = Commands(tree, commands)
        self._imports = Imports(tree, self._python, dispatchers=dispatchers, named=True)
        self.left = tuple(f"{folder}/" for folder in leaves)
        self.unread: dict[str, int] = {}
        self._makefiles: dict[str, Makefile] = {}

    def reached(self, node: Node) -> Iterator[Node]:
        """The nodes that `node` leads to."""
        path, part = node
        if part == TEXT or path in self.tree.submodules or self.left and path.startswith(self.left):
            return
        if path in self.tree.links:
            yield from map(Node, self.tree.resolve(path))
            return
        if path not in self.tree.files:
            return
        head = self._derived(path, "head", _head).encode("latin-1")
        if is_python(path, head):
            yield from self._imports.reached(node)
        elif _is_makefile(path):
            yield from self._makefile(path, part)
        elif _is_workflow(path):
            yield from self._workflow(path)
        elif references.is_dockerfile(path):
            found = self._derived(path, "copied", references.copied)
            yield from map(Node, references.copies(self.tree, path, found))
        elif references.is_requirements(path):
            found = self._derived(path, "required", references.required)
            yield from map(Node, references.requirements(self.tree, path, found))
        elif references.is_configuration(path):
            found = self._derived(path, "texts", references.texts)
            yield from map(Node, references.named(self.tree, path, found["texts"]))
            for command in found["commands"]:
                yield from self._ran(command, "")
        elif is_script(path, head):
            yield from self._ran(self._text(path), "", posixpath.dirname(path))

    def scripts(self, node: Node) -> list[str]:
        """The shell that `node` holds: the steps of a workflow or an action, a target's recipe, a script."""
        path, part = node
        if part == TEXT or path not in self.tree.files or path in self.tree.links:
            return []
        if _is_makefile(path):
            made = self._made(path)
            return made.recipes.get(part or made.goal, [])
        if _is_workflow(path):
            return [script for script, _ in self._derived(path, "steps", _steps)["runs"]]
        return [self._text(path)] if is_script(path, self._derived(path, "head", _head).encode("latin-1")) else []

    def _derived(self, path: str, name: str, derive: Any) -> Any:
        return self.sources.derived(path, name, derive, _version())

    def _python(self, path: str) -> dict[str, Any]:
        read = self.sources.python(path)
        if "broken" in read:
            self.unread[path] = read["broken"]
        return read

    def _text(self, path: str) -> str:
        return (self.tree.repository / path).read_text(encoding="utf-8", errors="replace")

    def _ran(self, script: str, folder: str, own: str = "") -> Iterator[Node]:
        for path, part, whole in self.commands.read(script, folder, own):
            yield Node(path, part if whole else TEXT)

    def _made(self, path: str) -> Makefile:
        if path not in self._makefiles:
            self._makefiles[path] = read_makefile(self.tree, path, self._text)
        return self._makefiles[path]

    def _makefile(self, path: str, target: str) -> Iterator[Node]:
        for read in self._made(path).reads(self.commands, path, target):
            yield Node(read.path, read.part if read.whole else TEXT)

    def _workflow(self, path: str) -> Iterator[Node]:
        found = self._derived(path, "steps", _steps)
        folder = posixpath.dirname(path)
        if not path.startswith(f"{FOLDER}/"):
            yield from (Node(each, TEXT) for each in self.tree.below(folder))  # an action is its folder
        for used in found["uses"]:
            target = posixpath.normpath(used.partition("/")[2])
            if self.tree.is_file(target):
                yield from map(Node, self.tree.resolve(target))
            for name in ("action.yml", "action.yaml", "Dockerfile"):
                if self.tree.is_file(f"{target}/{name}"):
                    yield from map(Node, self.tree.resolve(f"{target}/{name}"))
                    break
        for used in found["files"]:  # `main:` and `image:` of an action
            yield from map(Node, self.tree.resolve(posixpath.join(folder, used)))
        for text in found["texts"]:
            for word in _HASHED.findall(text) or [word for word in text.split() if _PATH.search(word)]:
                yield from (Node(each, TEXT) for each in references.expand(self.tree, posixpath.normpath(word)))
        for word in found["matrix"]:  # a script or a configuration that a step takes from it
            yield from map(Node, self.tree.resolve(word) if self.tree.is_file(word) else [])
        for script, where in found["runs"]:
            here = script.replace("${{ github.action_path }}", folder)
            here = here.replace("$GITHUB_ACTION_PATH", folder).replace("${GITHUB_ACTION_PATH}", folder)
            yield from self._ran(here, "" if where in (None, ".") else posixpath.normpath(where))


@cache
def _version() -> str:
    """What an older reader remembered of a file is not asked for."""
    return f"{zlib.crc32(b''.join(Path(str(each)).read_bytes() for each in _READERS)):x}"


def _is_makefile(path: str) -> bool:
    return posixpath.basename(path) in _MAKEFILES or path.endswith(".mk")


def _is_workflow(path: str) -> bool:
    return path.startswith(f"{FOLDER}/") or posixpath.basename(path) in ("action.yml", "action.yaml")


def _head(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(80).decode("latin-1")


def _steps(path: Path) -> dict[str, list[Any]]:
    """What a workflow or an action uses and runs, as JSON data."""
    from mlops.routing.router import yaml12

    found: dict[str, list[Any]] = {"uses": [], "files": [], "texts": [], "runs": [], "matrix": []}
    try:
        document = yaml12.load(path.read_text(encoding="utf-8", errors="replace"), where=str(path))
    except yaml12.NotYamlError:
        return found
    if not isinstance(document, dict):
        return found
    jobs = document.get("jobs")
    runs = document.get("runs")
    if isinstance(runs, dict):
        found["files"] += [runs[key] for key in ("main", "pre", "post", "image") if isinstance(runs.get(key), str)]
        _listed(runs.get("steps"), None, found)
    _environment(document, found)
    for job in jobs.values() if isinstance(jobs, dict) else ():
        if isinstance(job, dict):
            _environment(job, found)
            found["texts"] += [each for each in references.scalars(job.get("with")) if len(each) < 1000]
            found["matrix"] += [each for each in references.scalars(job.get("strategy")) if "/" in each or "." in each]
            folder = _folder(job) or _folder(document)
            if isinstance(job.get("uses"), str) and job["uses"].startswith(_HERE):
                found["uses"].append(job["uses"])
            _listed(job.get("steps"), folder, found)
    return found


def _folder(holder: dict[str, Any]) -> str | None:
    run = (holder.get("defaults") or {}).get("run") or {}
    folder = run.get("working-directory") if isinstance(run, dict) else None
    return folder if isinstance(folder, str) else None


def _listed(steps: Any, folder: str | None, found: dict[str, list[Any]]) -> None:
    for step in steps if isinstance(steps, list) else ():
        if not isinstance(step, dict):
            continue
        uses, given = step.get("uses"), step.get("with")
        if isinstance(uses, str) and uses.startswith(_HERE):
            found["uses"].append(uses)
        for value in given.values() if isinstance(given, dict) else ():
            if isinstance(value, str) and len(value) < 1000:
                found["texts"].append(value)
        if isinstance(step.get("run"), str):
            found["runs"].append([step["run"], step.get("working-directory") or folder])
        _environment(step, found)


def _environment(holder: dict[str, Any], found: dict[str, list[Any]]) -> None:
    environment = holder.get("env")
    for value in environment.values() if isinstance(environment, dict) else ():
        if isinstance(value, str) and "/" in value and len(value) < 300:
            found["texts"].append(value)
