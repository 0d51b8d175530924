"""Which files of a history's changes the filters of their own day did not hold, though pipelines depend on them.

The inputs of a pipeline are computed anew for each commit, from its own tree and by the audit's own
rules, so that nobody is blamed for what only later became an input. The trees are laid out one
after the other in a temporary folder that borrows the repository's objects: git writes only what
differs, and only what differs is read again.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from mlops.errors import MlopsError
from mlops.git import Git
from mlops.routing.audit import tree as trees
from mlops.routing.audit.findings import outside
from mlops.routing.audit.inputs import Inputs, Pipeline, inputs
from mlops.routing.replay.outcome import Missed
from mlops.routing.router.decisions import Decision
from mlops.routing.router.workflows import Workflow
from mlops.sources import Sources

Gather = Callable[[Path, Sources], list[Pipeline]]
"""Reads the declarations of the pipelines in a tree; `mlops.pipelines.declarations` is above this room."""

_QUIET = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "core.autocrlf=false")


class Day(NamedTuple):
    """What the pipelines depended on at one commit.

    Attributes:
        files: The files of its tree.
        pipelines: By workflow file, with what they depend on.
        problem: Why it cannot be told; None where it can.
    """

    files: frozenset[str]
    pipelines: dict[str, tuple[Pipeline, Inputs]]
    problem: str | None = None


class Days:
    """The inputs of the pipelines at any commit of a repository; ask inside `with`.

    Args:
        git: The repository.
        gather: Reads the declared pipelines of a tree. Where it cannot, the workflow files alone are followed.
    """

    def __init__(self, git: Git, gather: Gather) -> None:
        self._gather = gather
        self._folder = Path(tempfile.mkdtemp(prefix="mlops-replay-")).resolve()
        self._git = Git(self._folder)
        form = git.text("rev-parse", "--show-object-format")
        self._git("init", "-q", "--template=", f"--object-format={form}")
        objects = Path(git.folder, git.text("rev-parse", "--git-path", "objects")).resolve()
        (self._folder / ".git/objects/info").mkdir(parents=True, exist_ok=True)
        (self._folder / ".git/objects/info/alternates").write_text(f"{objects}\n")
        self._sources = Sources(self._folder)
        self._known: tuple[str, Day] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)

    def at(self, commit: str, workflows: Iterable[Workflow]) -> Day:
        """The day of a commit; the last one asked for is remembered."""
        if self._known is None or self._known[0] != commit:
            self._known = (commit, self._look(commit, workflows))
        return self._known[1]

    def _look(self, commit: str, workflows: Iterable[Workflow]) -> Day:
        self._sources.forget()
        try:
            self._git(*_QUIET, "read-tree", "--reset", "-u", f"{commit}^{{tree}}")
            tree = trees.read(self._folder)
            known = {each.workflow: each for each in self._declared()}
            shared = {words: files for each in known.values() for words, files in each.commands.items()}
            found = {}
            for path in (each.path for each in workflows if each.path in tree.files):
                pipeline = known.get(path) or Pipeline(path, commands=shared)
                found[path] = (pipeline, inputs(tree, self._sources, pipeline))
        except (MlopsError, OSError, ValueError, RecursionError) as error:
            return Day(frozenset(), {}, f"the tree cannot be read: {error}")
        return Day(tree.tracked, found)

    def _declared(self) -> list[Pipeline]:
        try:
            return self._gather(self._folder, self._sources)
        except (MlopsError, OSError, ValueError, KeyError, TypeError):
            return []  # an old tree's declarations may have another shape; what its workflows run still counts


def missed(
    files: Sequence[str], workflows: Sequence[Workflow], decisions: Sequence[Decision], day: Day, before: Day | None
) -> tuple[Missed, ...]:
    """The changed files that lie outside the push filter of a pipeline that depends on them. Pure.

    Args:
        files: What the commit changed.
        workflows: The workflow files of its day.
        decisions: What became of them.
        day: The commit's own inputs.
        before: Its parent's, for the files that are gone; None where none is.
    """
    ran = {each.workflow for each in decisions if each.verdict != "SKIP"}
    found = []
    for workflow in workflows:
        push = workflow.on.get("push")
        if push is None or workflow.path not in day.pipelines:
            continue
        pipeline, now = day.pipelines[workflow.path]
        then = before.pipelines.get(workflow.path, (pipeline, now))[1] if before else now
        chains = {}
        for file in files:
            chain = now.chains.get(file) if file in day.files else then.chains.get(file)
            if chain is not None:
                chains[file] = chain
        pushed = workflow._replace(on={"push": push})
        for each in outside(pushed, pipeline, Inputs(chains, {}), workflows):
            found.append(Missed(workflow.path, each.path, each.chain, workflow.path in ran))
    return tuple(sorted(found))


def wanted(files: Sequence[str], workflows: Sequence[Workflow]) -> bool:
    """Whether a filter of the day leaves out any of the changed files; if none does, nothing can be missed."""
    for workflow in workflows:
        push = workflow.on.get("push")
        filter_ = push.path_filter if push is not None else None
        if filter_ is not None and not all(filter_.includes([file]) for file in files):
            return True
    return False
