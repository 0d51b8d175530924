"""The true inputs of a pipeline: every file that what it runs depends on, with the shortest chain to it.

The graph over files (`graph`) is walked breadth first from a pipeline's workflow file and its
declared steps.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Mapping
from typing import NamedTuple

from mlops.routing.audit.graph import Graph
from mlops.routing.audit.tree import Tree
from mlops.routing.router.workflows import pipeline_of
from mlops.sources import Sources
from mlops.sources.imports import TEXT, Node


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
    graph = Graph(tree, sources, pipeline.commands, pipeline.dispatchers, pipeline.leaves)
    heap: list[tuple[int, int, Node, tuple[str, ...]]] = []
    order = itertools.count()  # among chains of one length the first one found

    def add(node: Node, chain: tuple[str, ...]) -> None:
        heapq.heappush(heap, (len(chain), next(order), node, chain))

    add(Node(pipeline.workflow), (pipeline.workflow,))
    for seed in pipeline.seeds:
        for path in tree.resolve(seed.path):
            add(Node(path, seed.part if seed.whole else TEXT), _joined((pipeline.workflow, *seed.by), path))
    seen: set[Node] = set()
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
