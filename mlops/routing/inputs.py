"""The true inputs of a pipeline: every file that what it runs depends on, with the shortest chain to it.

A graph over files, walked breadth first from a pipeline's workflow file and its declared steps.
Most files stand for themselves. Of a file that dispatches (the table of all steps, a Makefile) only
the parts that are reached count, or every pipeline would hang on every room.
"""

from __future__ import annotations

import heapq
import itertools
import posixpath
import re
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mlops.routing import python, references
from mlops.routing.commands import Commands, Makefile, is_python, is_script
from mlops.routing.tree import Tree
from mlops.routing.workflows import FOLDER, pipeline_of
from mlops.sources import Sources

_WHOLE, _TEXT = "", "="  # parts of a file: all of it; only its own text, not what it names
_HASHED = re.compile(r"(?<=['\"])[^'\"]+(?=['\"]\s*[,)])")  # the arguments of hashFiles('…', '…')
_HERE = ("./", "$/")  # of the checked-out tree, or of the running commit
_PATH = re.compile(r"[/.*]")


class Seed(NamedTuple):
    """Where a pipeline begins, beside its workflow file.

    Attributes:
        path: A file of the tree.
        by: The files that lead to it, the nearest last: where the step is declared.
        part: A function of it, where only that counts.
        whole: What the file names is an input too; False for one that is only read.
    """

    path: str
    by: tuple[str, ...] = ()
    part: str = ""
    whole: bool = True


class Pipeline(NamedTuple):
    """A pipeline as the audit is told of it. All of it is data.

    Attributes:
        workflow: Its workflow file.
        seeds: The files that its declared steps begin with.
        commands: The project's own commands, by their words → the files that they start in.
        dispatchers: Modules of which only the functions that are reached count.
        own: Folders that are the pipeline's: a new file in them starts it.
        leaves: Folders whose files it may read, but leaves to the pipelines that own them.
        fallback: It takes every file but those that it leaves.
    """

    workflow: str
    seeds: tuple[Seed, ...] = ()
    commands: Mapping[str, tuple[str, ...]] = {}
    dispatchers: frozenset[str] = frozenset()
    own: tuple[str, ...] = ()
    leaves: tuple[str, ...] = ()
    fallback: bool = False

    @property
    def name(self) -> str:
        """The pipeline's name."""
        return pipeline_of(self.workflow)


class _Node(NamedTuple):
    path: str
    part: str = _WHOLE


class Inputs(NamedTuple):
    """What a pipeline depends on.

    Attributes:
        chains: Each input → the files that tie it to the pipeline, the workflow first, the input last.
        unread: Python files that are none → the line.
    """

    chains: dict[str, tuple[str, ...]]
    unread: dict[str, int]


def inputs(tree: Tree, sources: Sources, pipeline: Pipeline) -> Inputs:
    """The inputs of a pipeline. Files that it leaves to others are in it; what those depend on is not."""
    graph = _Graph(tree, sources, pipeline)
    heap: list[tuple[int, int, _Node, tuple[str, ...]]] = []
    order = itertools.count()  # among chains of one length the first one found

    def add(node: _Node, chain: tuple[str, ...]) -> None:
        heapq.heappush(heap, (len(chain), next(order), node, chain))

    add(_Node(pipeline.workflow), (pipeline.workflow,))
    for seed in pipeline.seeds:
        for path in tree.resolve(seed.path):
            add(_Node(path, seed.part if seed.whole else _TEXT), _joined((pipeline.workflow, *seed.by), path))
    seen: set[_Node] = set()
    chains: dict[str, tuple[str, ...]] = {}
    while heap:
        _, _, node, chain = heapq.heappop(heap)
        if node in seen:
            continue
        seen.add(node)
        chains.setdefault(node.path, chain)
        for reached in graph.reached(node):
            if reached not in seen:
                add(reached, _joined(chain, reached.path))
    return Inputs(chains, graph.unread)


def _joined(chain: tuple[str, ...], path: str) -> tuple[str, ...]:
    return chain if chain[-1] == path else (*chain, path)


class _Graph:
    """What each file leads to."""

    def __init__(self, tree: Tree, sources: Sources, pipeline: Pipeline) -> None:
        self.tree = tree
        self.sources = sources
        self.commands = Commands(tree, pipeline.commands)
        self.dispatchers = pipeline.dispatchers
        self.left = tuple(f"{folder}/" for folder in pipeline.leaves)
        self.unread: dict[str, int] = {}
        # what an older reader remembers of a file is not asked for
        readers = b"".join(Path(str(each)).read_bytes() for each in (python.__file__, references.__file__, __file__))
        self._version = f"{sys.version_info[1]} {zlib.crc32(readers):x}"
        self._makefiles: dict[str, Makefile] = {}

    def reached(self, node: _Node) -> Iterator[_Node]:
        """The nodes that `node` leads to."""
        path, part = node
        if part == _TEXT or path in self.tree.submodules or self.left and path.startswith(self.left):
            return
        if path in self.tree.links:
            yield from map(_Node, self.tree.resolve(path))
            return
        if path not in self.tree.files:
            return
        head = self._derived(path, "head", _head).encode("latin-1")
        if is_python(path, head):
            yield from self._python(path, part)
        elif posixpath.basename(path) in ("Makefile", "makefile", "GNUmakefile") or path.endswith(".mk"):
            yield from self._makefile(path, part)
        elif path.startswith(f"{FOLDER}/") or posixpath.basename(path) in ("action.yml", "action.yaml"):
            yield from self._workflow(path)
        elif references.is_dockerfile(path):
            found = self._derived(path, "copied", references.copied)
            yield from map(_Node, references.copies(self.tree, path, found))
        elif references.is_requirements(path):
            found = self._derived(path, "required", references.required)
            yield from map(_Node, references.requirements(self.tree, path, found))
        elif references.is_configuration(path):
            yield from map(_Node, references.named(self.tree, path, self._derived(path, "texts", references.texts)))
        elif is_script(path, head):
            yield from self._ran(self._text(path), "")

    def _derived(self, path: str, name: str, derive: Any) -> Any:
        return self.sources.derived(path, f"audit {name} {self._version}", derive)

    def _text(self, path: str) -> str:
        return (self.tree.repository / path).read_text(encoding="utf-8", errors="replace")

    def _ran(self, script: str, folder: str) -> Iterator[_Node]:
        for path, part, whole in self.commands.read(script, folder):
            yield _Node(path, part if whole else _TEXT)

    def _makefile(self, path: str, target: str) -> Iterator[_Node]:
        if path not in self._makefiles:
            self._makefiles[path] = Makefile(self._text(path))
        for read in self._makefiles[path].reads(self.commands, path, target):
            yield _Node(read.path, read.part if read.whole else _TEXT)

    def _workflow(self, path: str) -> Iterator[_Node]:
        found = self._derived(path, "steps", _steps)
        folder = posixpath.dirname(path)
        if not path.startswith(f"{FOLDER}/"):
            yield from (_Node(each, _TEXT) for each in self.tree.below(folder))  # an action is its folder
        for used in found["uses"]:
            target = posixpath.normpath(used.partition("/")[2])
            if self.tree.is_file(target):
                yield from map(_Node, self.tree.resolve(target))
            for name in ("action.yml", "action.yaml", "Dockerfile"):
                if self.tree.is_file(f"{target}/{name}"):
                    yield from map(_Node, self.tree.resolve(f"{target}/{name}"))
                    break
        for used in found["files"]:  # `main:` and `image:` of an action
            yield from map(_Node, self.tree.resolve(posixpath.join(folder, used)))
        for text in found["texts"]:
            for word in _HASHED.findall(text) or [word for word in text.split() if _PATH.search(word)]:
                yield from (_Node(each, _TEXT) for each in references.expand(self.tree, posixpath.normpath(word)))
        for script, where in found["runs"]:
            here = script.replace("${{ github.action_path }}", folder)
            here = here.replace("$GITHUB_ACTION_PATH", folder).replace("${GITHUB_ACTION_PATH}", folder)
            yield from self._ran(here, "" if where in (None, ".") else posixpath.normpath(where))

    def _python(self, path: str, part: str) -> Iterator[_Node]:
        read = self._derived(path, "python", python.read)
        if "broken" in read:
            self.unread[path] = read["broken"]
            return
        yield from map(_Node, python.package_data(self.tree, path))
        if path not in self.dispatchers and not part:
            for scope in (read["top"], *read["parts"].values()):
                yield from self._scope(path, scope, read, follow=False)
        elif not part:
            yield from self._scope(path, read["top"], read, follow=True)
        elif part in read["parts"]:
            yield _Node(path, _TEXT)
            yield from self._scope(path, read["top"], read, follow=path in self.dispatchers)
            yield from self._scope(path, read["parts"][part], read, follow=True)
        elif part in read["lazy"]:
            yield from self._import(path, python.Import(*read["lazy"][part]), ())

    def _scope(self, path: str, scope: dict[str, Any], read: dict[str, Any], *, follow: bool) -> Iterator[_Node]:
        """What a part of a module leads to; with `follow` the functions of the same module that it uses."""
        uses = scope["uses"] if path in self.dispatchers else scope["uses"] + scope["deferred"]
        for each in scope["imports"]:
            yield from self._import(path, python.Import(*each), uses)
        for place in scope["beside"]:
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), place))
            if not path.startswith(f"{target}/"):  # a folder around it is where it lies, not what it reads
                yield from map(_Node, self.tree.resolve(target))
        if not follow:
            return
        for used in uses:
            name = used.partition(".")[0]
            if name in read["parts"]:
                yield _Node(path, name)
        for each in read["top"]["imports"]:  # names from the module's top
            yield from self._dispatched(path, python.Import(*each), uses)

    def _import(self, path: str, found: python.Import, uses: Iterable[str]) -> Iterator[_Node]:
        for target in python.targets(self.tree, path, found):
            for file in self.tree.resolve(target.path):
                yield _Node(file)
                if target.parent:
                    continue
                yield from self._lazy(file, target, found, uses)
        yield from self._dispatched(path, found, uses)

    def _lazy(self, file: str, target: python.Target, found: python.Import, uses: Iterable[str]) -> Iterator[_Node]:
        """What a package loads when these names are asked of it."""
        if not file.endswith("__init__.py") or file in self.tree.links:
            return
        lazy = self._derived(file, "python", python.read).get("lazy", {})
        if not lazy:
            return
        asked = set(target.names)
        if "*" in asked or not target.names and not target.bound:
            asked = set(lazy)
        if target.bound:
            asked |= {used.partition(".")[2] for used in uses if used.startswith(f"{target.bound}.")} or set(lazy)
        for name in sorted(asked & set(lazy)):
            yield _Node(file, name)

    def _dispatched(self, path: str, found: python.Import, uses: Iterable[str]) -> Iterator[_Node]:
        """The functions of dispatching modules that `uses` calls through this import."""
        taken = {name: bound for name, bound in found.names or []}
        for target in python.targets(self.tree, path, found) if self.dispatchers else []:
            if target.path not in self.dispatchers or target.parent:
                continue
            for name in target.names:
                if any(used.partition(".")[0] == taken.get(name) for used in uses):
                    yield _Node(target.path, name)
            if target.bound:
                for used in uses:
                    if used.startswith(f"{target.bound}."):
                        yield _Node(target.path, used.partition(".")[2])


def _head(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(80).decode("latin-1")


def _steps(path: Path) -> dict[str, list[Any]]:
    """What a workflow or an action uses and runs, as JSON data."""
    from mlops.routing import yaml12

    found: dict[str, list[Any]] = {"uses": [], "files": [], "texts": [], "runs": []}
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
    for job in jobs.values() if isinstance(jobs, dict) else ():
        if isinstance(job, dict):
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
        environment = step.get("env")
        for value in environment.values() if isinstance(environment, dict) else ():
            if isinstance(value, str) and "/" in value and len(value) < 300:
                found["texts"].append(value)
