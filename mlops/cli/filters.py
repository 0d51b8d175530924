"""`mlops route audit` and `mlops route sync`: are the path filters complete, and make them so."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.cli import NOUNS

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from mlops.routing.audit.inputs import Pipeline
    from mlops.sources import Sources

COMMANDS = {
    "audit": "Prove that the path filters hold every input of their pipelines. Exits 0 without findings, 1 with any.",
    "sync": "Write the path filters from the computed inputs; comments stay. With --check exits 1 where one is stale.",
}
_CLI = "mlops/cli/__init__.py"


def add_parsers(parser: argparse.ArgumentParser) -> None:
    """Add these commands, and that of `mlops.cli.replay`, to `mlops route`."""
    from mlops.cli.replay import add_parser as add_replay

    # without a metavar argparse would show the choices as an argument that has to be given
    group = parser.add_subparsers(title="commands", metavar="")
    for name, text in COMMANDS.items():
        _options(group.add_parser(name, description=text, help=text, allow_abbrev=False), name)
    add_replay(group)


def _options(parser: argparse.ArgumentParser, name: str) -> None:
    formats = ("table", "json", "sarif") if name == "audit" else ("table", "json")
    parser.add_argument("--format", choices=formats, default="table", help="how to print the answer")
    parser.add_argument("--repository", default=".", metavar="DIR", help="the repository [the current folder]")
    if name == "sync":
        parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a filter is stale")


def run(words: Sequence[str], prog_name: str) -> int:
    """Run `words[0]`, one of COMMANDS; returns the exit code."""
    import argparse

    name = words[0]
    parser = argparse.ArgumentParser(prog=f"{prog_name} {name}", description=COMMANDS[name], allow_abbrev=False)
    _options(parser, name)
    asked = parser.parse_args(words[1:])
    from mlops.git import repository as find_repository

    top = find_repository(Path(asked.repository))
    sources, pipelines = gather(top)
    try:
        return _audit(top, pipelines, sources, asked) if name == "audit" else _sync(top, pipelines, sources, asked)
    finally:
        sources.save()


def gather(repository: Path, sources: Sources | None = None) -> tuple[Sources, list[Pipeline]]:
    """The pipelines' declarations as data, and the reader of the tree: `sources`, or one that remembers its files.

    Raises:
        MlopsError: a configuration that lists steps cannot be read.
    """
    from mlops.config import Workspace
    from mlops.pipelines.declarations import pipelines
    from mlops.sources import Sources

    known = {"mlops": (_CLI,)} | {
        f"mlops {noun}": (_CLI, f"{module.replace('.', '/')}.py") for noun, (module, _) in NOUNS.items()
    }
    sources = sources or Sources(repository, Workspace(repository).cache / "audit.json")
    return sources, pipelines(repository, sources, known)


def _audit(repository: Path, pipelines: list[Pipeline], sources: Sources, asked: Any) -> int:
    from mlops.cli.routing import quoted
    from mlops.routing.audit.findings import audit

    findings = audit(repository, pipelines, sources=sources)
    if os.environ.get("GITHUB_ACTIONS") == "true":
        from mlops.pipelines.reporting import annotations, findings as remarks

        annotations.show(remarks.of_audit(repository, findings))
    if asked.format == "sarif":
        from mlops.pipelines.reporting.sarif import document

        print(json.dumps(document(repository, findings), indent=2))
        return 1 if findings else 0
    if asked.format == "json":
        print(json.dumps({"schema": 1, "findings": [each.to_dict() for each in findings]}, indent=2))
        return 1 if findings else 0
    for each in findings:
        print(f"{quoted(each.workflow or each.path)}: {each.rule}: {quoted(each.path)}\n    {each.message}")
        if len(each.chain) > 1:
            print("    " + "\n      → ".join(map(quoted, each.chain)))
    print(f"{len(findings)} finding(s); `mlops route sync` writes the filters anew" if findings else "nothing found")
    return 1 if findings else 0


def _sync(repository: Path, pipelines: list[Pipeline], sources: Sources, asked: Any) -> int:
    from mlops.routing.audit.sync import sync

    changed = sync(repository, pipelines, write=not asked.check, sources=sources)
    if asked.format == "json":
        shown = [{"workflow": each.workflow, "added": each.added, "removed": each.removed} for each in changed]
        print(json.dumps({"schema": 1, "changed": shown}, indent=2))
    else:
        for each in changed:
            print(f"{'stale' if asked.check else 'wrote'} {each.workflow}")
            print("\n".join([*(f"  + {one}" for one in each.added), *(f"  - {one}" for one in each.removed)]))
        if not changed:
            print("all are as they should be")
    return 1 if changed and asked.check else 0
