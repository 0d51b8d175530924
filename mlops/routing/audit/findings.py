"""The audit: are the path filters of the workflows complete, and does every line of them count?

`audit` reads the tree as it lies there and is told of the pipelines as data. It imports nothing of
what it judges.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mlops.routing.audit import tree as trees
from mlops.routing.audit.inputs import Inputs, Pipeline, inputs
from mlops.routing.audit.loops import loops
from mlops.routing.audit.patterns import faults
from mlops.routing.router.filters import PathFilter
from mlops.routing.router.plans import read_tree
from mlops.routing.router.workflows import Trigger, Workflow
from mlops.sources import Sources


class Finding(NamedTuple):
    """What the audit found.

    Attributes:
        rule: `input-outside`, `own-file-outside`, `starts-nothing`, `broken-workflow`, `unreadable-input`, `loop`, or
            one of a pattern, see `patterns.Fault`.
        workflow: The workflow file; empty where it concerns them all.
        path: The file or the pattern.
        chain: The shortest chain of files that ties the workflow to the path.
        message: For people.
    """

    rule: str
    workflow: str
    path: str
    chain: tuple[str, ...]
    message: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON data."""
        return {**self._asdict(), "chain": list(self.chain)}


def audit(repository: Path, pipelines: Sequence[Pipeline] = (), *, sources: Sources | None = None) -> list[Finding]:
    """What is wrong with the filters of the workflows in `repository`, sorted.

    Args:
        repository: The top of the tree.
        pipelines: What is known of the pipelines beyond their workflow files: their declared steps.
        sources: Reads files and remembers what was read.

    Raises:
        MissingInputError: a workflow file cannot be read.
    """
    tree = trees.read(repository)
    sources = sources or Sources(repository)
    workflows = read_tree(repository)
    known = {each.workflow: each for each in pipelines}
    found: list[Finding] = []
    for workflow in workflows:
        if workflow.problem is not None:
            found.append(Finding("broken-workflow", workflow.path, workflow.path, (), workflow.problem))
            continue
        filters = filtered(workflow)
        if not filters:
            continue
        for event, trigger in filters:
            found += _patterns(workflow.path, event, trigger, tree)
        pipeline = known.get(workflow.path) or Pipeline(workflow.path, commands=_shared_commands(pipelines))
        reached = inputs(tree, sources, pipeline)
        found += outside(workflow, pipeline, reached, workflows)
        found += [
            Finding("unreadable-input", workflow.path, path, reached.chains[path], f"line {line} is not Python")
            for path, line in reached.unread.items()
        ]
    found += starts_nothing(workflows, tree.files)
    for loop in loops(tree, sources, workflows):
        found.append(Finding("loop", loop.chain[0], loop.chain[0], loop.chain, loop.message))
    return sorted(set(found), key=lambda each: (each.workflow, each.rule, each.path, each.message))


def _shared_commands(pipelines: Sequence[Pipeline]) -> dict[str, tuple[str, ...]]:
    return {words: files for each in pipelines for words, files in each.commands.items()}


def filtered(workflow: Workflow) -> list[tuple[str, Trigger]]:
    """The events of a workflow that have a path filter."""
    return [(event, trigger) for event, trigger in workflow.on.items() if trigger.path_filter is not None]


def _patterns(workflow: str, event: str, trigger: Trigger, tree: trees.Tree) -> Iterator[Finding]:
    for texts, ignore in ((trigger.paths, False), (trigger.paths_ignore, True)):
        for fault in faults(texts, tree.tracked, ignore=ignore) if texts is not None else ():
            key = "paths-ignore" if ignore else "paths"
            message = f"on.{event}.{key}: {fault.pattern!r} {fault.message}"
            if fault.rule == "dead-pattern" and PathFilter([fault.pattern]).includes(tree.files):
                message += ", only what is not added to git yet"
            yield Finding(fault.rule, workflow, fault.pattern, (), message)


def outside(
    workflow: Workflow, pipeline: Pipeline, reached: Inputs, workflows: Sequence[Workflow]
) -> Iterator[Finding]:
    """The inputs of a pipeline that its filters do not hold. Pure.

    A file in a folder that the pipeline leaves to others counts as held where a push of it starts another workflow.
    """
    left = tuple(f"{folder}/" for folder in pipeline.leaves)
    others = [each for each in workflows if each.path != workflow.path]
    for event, trigger in filtered(workflow):
        filter_ = trigger.path_filter
        for path, chain in reached.chains.items():
            if filter_ is None or filter_.includes([path]):
                continue
            if left and path.startswith(left) and any(_starts(each, path) for each in others):
                continue
            if path == workflow.path:
                message = f"a change to the workflow file itself does not start it: add it to on.{event}.paths"
                yield Finding("own-file-outside", workflow.path, path, chain, message)
            else:
                message = f"{pipeline.name} depends on it, but on.{event}'s path filter does not hold it"
                yield Finding("input-outside", workflow.path, path, chain, message)


def _starts(workflow: Workflow, path: str) -> bool:
    """Whether a push of this one file to a branch starts the workflow."""
    trigger = workflow.on.get("push")
    if trigger is None or workflow.problem is not None:
        return False
    tags_only = (trigger.tags or trigger.tags_ignore) and not (trigger.branches or trigger.branches_ignore)
    if tags_only:
        return False
    filter_ = trigger.path_filter
    return filter_ is None or PathFilter.includes(filter_, [path])


def starts_nothing(workflows: Sequence[Workflow], files: Iterable[str]) -> Iterator[Finding]:
    """The files that start no workflow when they are pushed. Pure; where no workflow starts on pushes, none."""
    if not any("push" in each.on for each in workflows):
        return
    for path in files:
        if not any(_starts(each, path) for each in workflows):
            yield Finding("starts-nothing", "", path, (path,), "a push of this file starts no workflow")
