"""All checks of the tree, in one pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from mlops import product
from mlops.errors import MlopsError
from mlops.infra import argocd, generated, kustomize, links, terraform
from mlops.infra.findings import Finding
from mlops.infra.tree import Tree

LONGEST = 400
"""Lines that a module of `mlops` may have."""

Loader = Callable[[Path, str], object]


def check(
    repository: Path, loaders: Mapping[str, Loader] | None = None, *, without: tuple[str, ...] = ()
) -> list[Finding]:
    """What is wrong in the tree, sorted by file and line; empty for nothing.

    Args:
        repository: The top of the tree.
        loaders: Folder of configurations → the function that reads one, given the repository and the stem of
            its file. They belong to rooms above this one, so the caller names them.
        without: Folders (`name/`) whose files are not read; links to them still have to lead somewhere.
    """
    tree = Tree(repository, without)
    checks: list[Iterable[Finding]] = [
        tree.malformed(tree.matching(".yaml", ".yml")), kustomize.check(tree), argocd.check(tree),
        terraform.check(tree), links.check(tree), generated.check(repository), _sizes(tree),
        _configurations(repository, loaders or {}),
    ]
    found = {finding for findings in checks for finding in findings}
    return sorted(found, key=lambda finding: (finding.path, finding.line or 0, finding.message))


def _sizes(tree: Tree) -> Iterator[Finding]:
    for name in tree.matching(".py", under="mlops"):
        lines = tree.text(name).count("\n")
        if lines > LONGEST:
            message = f"has {lines} lines; a module has one reason to exist and at most {LONGEST}"
            yield Finding(rule="size", path=name, line=LONGEST, message=message)


def _configurations(repository: Path, loaders: Mapping[str, Loader]) -> Iterator[Finding]:
    for folder, load in loaders.items():
        for name in product.names(repository, folder):
            try:
                load(repository, name)
            except MlopsError as error:
                path, line = _place(repository, error.where or f"{folder}/{name}.yaml")
                yield Finding(rule="configuration", path=path, line=line, message=error.message)


def _place(repository: Path, where: str) -> tuple[str, int | None]:
    """An error's `where`, `file:line` or a file, as a path from the top and a line."""
    path, colon, line = where.rpartition(":")
    if not colon or not line.isdigit():
        path, line = where, ""
    try:
        path = Path(path).relative_to(repository).as_posix()
    except ValueError:
        pass  # already relative, or no path at all
    return path, int(line) if line else None
