"""Do the workflows start each other for ever? What their commands emit is routed by the router itself.

A workflow that dispatches another, pushes a file, or is waited for by `workflow_run` starts others.
Each such event is routed as GitHub would route it; a chain that comes back to where it began is a
loop. Where the router says UNKNOWN, or a command does not say what it pushes, it counts as started.
A push made with the job's own token starts nothing, but which token a push uses no file can prove.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from mlops.routing.audit.commands import is_python, simple_commands
from mlops.routing.audit.graph import Graph
from mlops.routing.audit.tree import Tree
from mlops.routing.router.decisions import Change, route
from mlops.routing.router.events import Event
from mlops.routing.router.workflows import FOLDER, Workflow
from mlops.sources import Sources
from mlops.sources.imports import Node

DEFAULT = "refs/heads/main"
MANIFESTS = "infrastructure/kubernetes/overlays/"
_WRITTEN = ("kustomization.yaml", "release.yaml")


class Emission(NamedTuple):
    """What a command does that GitHub hears of.

    Attributes:
        dispatches: The workflow file that it dispatches, by name.
        pushes: It pushes to the manifests, which may lie in this very repository.
    """

    dispatches: str = ""
    pushes: bool = False


EMISSIONS: Mapping[str, Emission] = {
    "mlops handover data": Emission(dispatches="model-pipeline.yml"),
    "mlops handover model": Emission(dispatches="service-pipeline.yml"),
    "mlops deploy bump": Emission(pushes=True),
    "mlops release rollback": Emission(pushes=True),
    "mlops run": Emission(pushes=True),
}
"""The project's own commands that start something on GitHub."""


class Loop(NamedTuple):
    """Workflows that start each other for ever.

    Attributes:
        chain: Files, the first one again at the end; a pushed file stands behind the workflow that pushes it.
        message: The same with the commands, for people.
    """

    chain: tuple[str, ...]
    message: str


class Start(NamedTuple):
    """One workflow starts another: by which command, which file of a push, and how that is said."""

    workflow: str
    file: str | None
    said: str


def loops(
    tree: Tree, sources: Sources, workflows: Sequence[Workflow], emissions: Mapping[str, Emission] = EMISSIONS
) -> list[Loop]:
    """The loops among the workflows, each once, the shortest ones first.

    Args:
        tree: The files of the repository.
        sources: Reads them.
        workflows: The workflow files in it.
        emissions: Commands, by their words → what they emit.
    """
    sound = [each for each in workflows if each.problem is None]  # the others are refused as they are
    starts = {each.path: started(tree, sources, sound, each, emissions) for each in sound}
    return cycles(starts)


def started(
    tree: Tree, sources: Sources, workflows: Sequence[Workflow], workflow: Workflow, emissions: Mapping[str, Emission]
) -> list[Start]:
    """What a run of `workflow` starts: by the commands that it reaches, and by `workflow_run`."""
    found: dict[str, Start] = {}
    events: list[tuple[str, Event, list[str] | None]] = [
        (f"`{' '.join(words)}`", *event) for words in commands(tree, sources, workflow.path)
        for event in _events(words, emissions, tree, workflows)
    ]
    events += [("its end", Event("workflow_run", None, only=name), None) for name in {workflow.name, workflow.path}]
    for cause, event, files in events:
        change = Change(files, "what it pushes is not known", filtered=event.name == "push")
        for each in route(event, workflows, change):
            if each.verdict != "SKIP" and each.called_by is None and each.workflow not in found:
                found[each.workflow] = Start(each.workflow, each.file, cause)
    return list(found.values())


def commands(tree: Tree, sources: Sources, workflow: str) -> list[list[str]]:
    """The shell commands that a run of a workflow file reaches: its steps, actions, called files, scripts, targets."""
    graph = Graph(tree, sources, {})
    seen: set[Node] = set()
    queue = deque([Node(workflow)])
    found: list[list[str]] = []
    while queue:
        node = queue.popleft()
        if node in seen or is_python(node.path, b""):
            continue
        seen.add(node)
        for script in graph.scripts(node):
            found += [words for words in simple_commands(script) if words not in found]
        queue += graph.reached(node)
    return found


def _events(
    words: Sequence[str], emissions: Mapping[str, Emission], tree: Tree, workflows: Sequence[Workflow]
) -> Iterator[tuple[Event, list[str] | None]]:
    """The events of one command, each with the files that a push changes (None: not known)."""
    names = [word.rpartition("/")[2].removesuffix(".cli") for word in words]
    if names[:1] in (["echo"], ["printf"]):
        return
    for own, emission in emissions.items():
        if not _says(names, own.split()):
            continue
        if emission.dispatches:
            yield _dispatch(emission.dispatches), None
        if emission.pushes:
            yield Event("push", _branch(words)), _manifests(words, tree)
    if _says(names, ["gh", "workflow", "run"]) or any("/dispatches" in word for word in words):
        listed = [each for each in workflows if _named(each, words)]
        for each in listed or workflows:
            yield _dispatch(each.path), None
    if _says(names, ["git", "push"]) and "--dry-run" not in words:
        yield Event("push", None), None


def _says(names: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether these words stand in a command, behind whatever runs it; a variable may be any of them but the first."""
    return any(
        names[at] == wanted[0] and all(
            at + number < len(names) and (names[at + number] == word or names[at + number].startswith("$"))
            for number, word in enumerate(wanted)
        ) for at in range(len(names))
    )


def _named(workflow: Workflow, words: Sequence[str]) -> bool:
    file = workflow.path.rpartition("/")[2]
    return any(word in (file, workflow.path, workflow.name) or f"/workflows/{file}/" in word for word in words)


def _dispatch(file: str) -> Event:
    return Event("workflow_dispatch", DEFAULT, only=file if "/" in file else f"{FOLDER}/{file}")


def _option(words: Sequence[str], name: str) -> str | None:
    for at, word in enumerate(words):
        if word == name:
            return words[at + 1] if at + 1 < len(words) else "$"
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
    return None


def _branch(words: Sequence[str]) -> str | None:
    """The branch that a command pushes to; None where a variable holds it."""
    branch = _option(words, "--branch")
    return DEFAULT if branch is None else None if "$" in branch else f"refs/heads/{branch}"


def _manifests(words: Sequence[str], tree: Tree) -> list[str]:
    """The files that a command that writes the manifest may push."""
    folder = _option(words, "--path")
    if folder is not None and "$" not in folder:
        return [f"{folder.strip('/')}/{name}" for name in _WRITTEN]
    folders = {path[:path.index("/", len(MANIFESTS)) + 1] for path in tree.files
               if path.startswith(MANIFESTS) and "/" in path[len(MANIFESTS):]}
    return [f"{each}{name}" for each in sorted(folders) or [f"{MANIFESTS}production/"] for name in _WRITTEN]


def cycles(starts: Mapping[str, Sequence[Start]]) -> list[Loop]:
    """The shortest loop through each workflow, each set of workflows once. Pure."""
    found: dict[frozenset[str], Loop] = {}
    for first in sorted(starts):
        loop = _shortest(first, starts)
        if loop is not None:
            found.setdefault(frozenset(each for each, _ in loop), _told(loop))
    return sorted(found.values(), key=lambda each: (len(each.chain), each.chain))


def _shortest(first: str, starts: Mapping[str, Sequence[Start]]) -> list[tuple[str, Start]] | None:
    queue: deque[tuple[str, list[tuple[str, Start]]]] = deque([(first, [])])
    seen = set()
    while queue:
        at, way = queue.popleft()
        for start in starts.get(at, ()):
            if start.workflow == first:
                return [*way, (at, start)]
            if start.workflow not in seen:
                seen.add(start.workflow)
                queue.append((start.workflow, [*way, (at, start)]))
    return None


def _told(loop: Sequence[tuple[str, Start]]) -> Loop:
    chain: list[str] = []
    said = []
    for workflow, start in loop:
        chain += [workflow, *([start.file] if start.file else [])]
        pushed = f", which pushes {start.file}," if start.file else ""
        said.append(f"{workflow.rpartition('/')[2]} by {start.said}{pushed} starts {start.workflow.rpartition('/')[2]}")
    return Loop((*chain, loop[0][0]), f"the workflows start each other for ever: {'; '.join(said)}")
