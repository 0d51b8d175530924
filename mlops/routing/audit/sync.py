"""The `paths` of the workflows, written from the inputs that the audit computes; comments stay.

The file is read as YAML only to learn where the list stands; the change is made in the lines. A
line whose own comment begins with `# keep` stays whatever is computed.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mlops import files
from mlops.errors import ConfigurationError
from mlops.plain_yaml import core
from mlops.routing.audit import tree as trees
from mlops.routing.audit.findings import filtered
from mlops.routing.audit.inputs import Pipeline, inputs
from mlops.routing.router.plans import read_tree
from mlops.routing.router.workflows import parse
from mlops.sources import Sources

_PLAIN = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_./*+@-]*")
_KEEP = re.compile(r"\s#\s*keep\b")


class Rewrite(NamedTuple):
    """What becomes of one workflow file.

    Attributes:
        workflow: The file.
        text: Its new text.
        added, removed: Patterns.
    """

    workflow: str
    text: str
    added: tuple[str, ...]
    removed: tuple[str, ...]


def sync(
    repository: Path, pipelines: Sequence[Pipeline], *, write: bool = True, sources: Sources | None = None
) -> list[Rewrite]:
    """Rewrite the filters that are not what their pipelines' inputs say; returns what was (or would be) changed.

    Only pipelines that are given are rewritten, and only `paths`, not `paths-ignore`.

    Raises:
        ConfigurationError: a list is written so that it cannot be changed in place (an alias, text over lines), or the
            file cannot be written.
        MissingInputError: a workflow file cannot be read.
    """
    tree = trees.read(repository)
    sources = sources or Sources(repository)
    known = {each.workflow: each for each in pipelines}
    changed = []
    for workflow in read_tree(repository):
        pipeline = known.get(workflow.path)
        events = [event for event, trigger in filtered(workflow) if trigger.paths is not None]
        if pipeline is None or workflow.problem is not None or not events:
            continue
        wanted = computed(pipeline, inputs(tree, sources, pipeline).chains, tree.folders)
        before = (repository / workflow.path).read_bytes().decode("utf-8")
        after = before
        for event in events:
            after = rewritten(after, event, wanted, where=workflow.path)
        if after != before:
            old, new = _patterns(workflow.path, before, events), _patterns(workflow.path, after, events)
            changed.append(Rewrite(workflow.path, after, tuple(sorted(new - old)), tuple(sorted(old - new))))
    for each in changed if write else ():
        files.write_atomic(repository / each.workflow, each.text)
    return changed


def _patterns(path: str, text: str, events: Iterable[str]) -> set[str]:
    parsed = parse(path, text)
    return {pattern for event in events for pattern in parsed.on[event].paths or ()}


def computed(pipeline: Pipeline, found: Iterable[str], folders: dict[str, list[str]]) -> list[str]:
    """The shortest list of patterns that holds the pipeline's own folders and its inputs, and no other file. Pure."""
    if pipeline.fallback:
        return ["**", *(f"!{_literal(folder)}/**" for folder in pipeline.leaves)]
    own = tuple(f"{folder}/" for folder in pipeline.own)
    rest = {path for path in found if not (own and path.startswith(own))}
    whole: set[str] = set()
    for path in rest:
        folder, highest = posixpath.dirname(path), ""
        while folder and rest.issuperset(folders.get(folder, [path + "/"])):
            if not highest or len({each[len(folder):].split("/")[1] for each in folders[folder]}) > 1:
                highest = folder  # a folder of nothing but one folder says no more than that one
            folder = posixpath.dirname(folder)
        whole.add(f"{_literal(highest)}/**" if highest else _literal(path))
    return [*(f"{_literal(folder)}/**" for folder in pipeline.own), *sorted(whole)]


def _literal(path: str) -> str:
    return re.sub(r"([*?+\[\]\\!])", r"\\\1", path)


def rewritten(text: str, event: str, wanted: Sequence[str], *, where: str) -> str:
    """The workflow's text with `on.EVENT.paths` holding `wanted`. Pure.

    Raises:
        ConfigurationError: see `sync`.
    """
    node = _list_of(text, event, where)
    items = node.value if node.id == "sequence" else [node]
    if any(each.id != "scalar" or each.start_mark.line != each.end_mark.line for each in items):
        raise _refused(node, where)
    if node.id == "scalar" or node.flow_style:
        old = [str(each.value) for each in items]
        new = [each for each in old if each in wanted] + [each for each in wanted if each not in old]
        if new == old:
            return text
        shown = f"[{', '.join(_scalar(each, flow=True) for each in new)}]"
        return text[:node.start_mark.index] + shown + text[node.end_mark.index:]
    return _block(text, node, items, wanted)


def _block(text: str, node: Any, items: list[Any], wanted: Sequence[str]) -> str:
    lines = text.splitlines(keepends=True)
    end = "\r\n" if lines[0].endswith("\r\n") else "\n"
    at = {each.start_mark.line: str(each.value) for each in items}
    first, last = min(at), max(at)
    if not lines[last].endswith("\n"):
        lines[last] += end
    indent = lines[first][:node.start_mark.column]
    made: list[tuple[str | None, str]] = []  # pattern, line; None for comments and blank lines
    for number in range(first, last + 1):
        pattern = at.get(number)
        if pattern is None or pattern in wanted or _KEEP.search(lines[number][items[0].start_mark.column:]):
            made.append((pattern, lines[number]))
    there = {pattern for pattern, _ in made}
    for pattern in wanted:
        if pattern not in there:
            made.insert(_place(made, pattern), (pattern, f"{indent}- {_scalar(pattern)}{end}"))
    return "".join([*lines[:first], *(line for _, line in made), *lines[last + 1:]])


def _place(made: list[tuple[str | None, str]], pattern: str) -> int:
    """Where a new pattern goes: behind the last one of the same folder, or of a folder around it; else at the end."""
    negative = pattern.startswith("!")
    folder = posixpath.dirname(pattern.removesuffix("/**"))
    while folder:
        for index in range(len(made) - 1, -1, -1):
            other = made[index][0]
            if other is not None and other.startswith(f"{folder}/") and other.startswith("!") == negative:
                return index + 1
        folder = posixpath.dirname(folder)
    return len(made)


def _list_of(text: str, event: str, where: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        node = YAML(typ="safe", pure=True).compose(text)
    except YAMLError as error:
        raise ConfigurationError(f"is not YAML: {error}", where=where) from error
    for key in ("on", event, "paths"):
        parent = node
        found = [pair for pair in parent.value if pair[0].value == key]
        node = found[0][1]
        if node.anchor or node.start_mark.index < found[0][0].end_mark.index:
            raise _refused(found[0][0], where)
    return node


def _refused(node: Any, where: str) -> ConfigurationError:
    return ConfigurationError(
        "this list cannot be rewritten in place: it is an alias, has an anchor, or a pattern over several lines",
        where=f"{where}:{node.start_mark.line + 1}", mend="write the list out, a pattern a line",
    )


def _scalar(pattern: str, *, flow: bool = False) -> str:
    plain = _PLAIN.fullmatch(pattern) and core(pattern) == pattern and not (flow and "," in pattern)
    return pattern if plain else json.dumps(pattern, ensure_ascii=False)
