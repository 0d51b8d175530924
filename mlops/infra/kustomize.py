"""Kustomize: every overlay is there, and everything that a kustomization names exists."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import Any

from mlops.config import Environment
from mlops.infra.findings import Finding
from mlops.infra.tree import Part, Tree

FOLDER = "infrastructure/kubernetes"
OVERLAYS = f"{FOLDER}/overlays"
NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
RELEASE = "release.yaml"  # beside an overlay's kustomization; written by `mlops deploy bump`
_PATHS = ("resources", "components", "bases", "crds", "configurations", "transformers", "generators")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def check(tree: Tree) -> Iterator[Finding]:
    """Findings on the manifests under `infrastructure/kubernetes`."""
    kustomizations = [name for name in tree.matching(*NAMES, under=FOLDER) if posixpath.basename(name) in NAMES]
    yield from _overlays(tree)
    used: set[str] = set(kustomizations)
    for name in kustomizations:
        for part in tree.yaml(name):
            if not isinstance(part.data, dict):
                yield _finding(name, part.line(), "is no kustomization: it must hold a mapping")
                continue
            for path, line in _named(part):
                target = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
                used.add(target)
                yield from _target(tree, name, path, target, line)
            yield from _images(name, part)
    if kustomizations:
        yield from _left_over(tree, used)
        yield from _objects(tree)


def _finding(path: str, line: int | None, message: str) -> Finding:
    return Finding(rule="kustomize", path=path, line=line, message=message)


def _overlays(tree: Tree) -> Iterator[Finding]:
    folders = {name.removeprefix(f"{OVERLAYS}/").partition("/")[0] for name in tree.matching("", under=OVERLAYS)}
    wanted = {environment.value for environment in Environment}
    if not folders:
        if tree.exists(FOLDER):
            yield _finding(FOLDER, None, f"has no overlays; one is needed for each of {', '.join(sorted(wanted))}")
        return
    for missing in sorted(wanted - folders):
        yield _finding(f"{OVERLAYS}/{missing}", None, "is not there: every environment has an overlay")
    for other in sorted(folders - wanted):
        yield _finding(f"{OVERLAYS}/{other}", None, f"is no environment; they are {', '.join(sorted(wanted))}")
    for folder in sorted(folders):
        if not any(f"{OVERLAYS}/{folder}/{name}" in tree.files for name in NAMES):
            yield _finding(f"{OVERLAYS}/{folder}", None, "has no kustomization.yaml")


def _named(part: Part) -> Iterator[tuple[str, int | None]]:
    """Each path that a kustomization names, with its line."""
    document = part.data
    for field in _PATHS:
        for index, item in enumerate(_list(document.get(field))):
            if isinstance(item, str) and "\n" not in item:
                yield item, part.line(field, index)
    for field in ("patches", "replacements", "openapi"):
        items = document.get(field)
        for index, item in enumerate(items if isinstance(items, list) else [items]):
            if isinstance(item, dict) and isinstance(item.get("path"), str):
                yield item["path"], part.line(field, index, "path")
    for field in ("configMapGenerator", "secretGenerator"):
        for index, item in enumerate(_list(document.get(field))):
            if isinstance(item, dict):
                for kind in ("files", "envs"):
                    for number, each in enumerate(_list(item.get(kind))):
                        yield str(each).rpartition("=")[2], part.line(field, index, kind, number)


def _target(tree: Tree, name: str, path: str, target: str, line: int | None) -> Iterator[Finding]:
    if "://" in path or path.startswith("git@") or "?ref=" in path:
        yield _finding(name, line, f"{path!r} lies outside the repository: bring it in, so that its commit says all")
    elif (target == ".." or target.startswith("../")):
        yield _finding(name, line, f"{path!r} leads out of the repository")
    elif not tree.exists(target):
        yield _finding(name, line, f"{path!r} is not there")
    elif target not in tree.files and not any(f"{target}/{each}" in tree.files for each in NAMES):
        yield _finding(name, line, f"{path!r} is a folder without kustomization.yaml")


def _images(name: str, part: Part) -> Iterator[Finding]:
    for index, item in enumerate(_list(part.data.get("images"))):
        if not isinstance(item, dict) or not item.get("name"):
            yield _finding(name, part.line("images", index), "an image needs a name")
            continue
        digest = item.get("digest")  # empty: not released yet
        if digest and not _DIGEST.fullmatch(str(digest)):
            line = part.line("images", index, "digest")
            yield _finding(name, line, f"digest {digest!r} is not sha256: and 64 hexadecimal digits")
        if str(item.get("newTag", "")) == "latest":
            yield _finding(name, part.line("images", index, "newTag"), "`latest` names no version")


def _left_over(tree: Tree, used: set[str]) -> Iterator[Finding]:
    for name in tree.matching(".yaml", ".yml", under=FOLDER):
        if name not in used and posixpath.basename(name) != RELEASE:
            yield _finding(name, None, "no kustomization names it, so nothing applies it")


def _objects(tree: Tree) -> Iterator[Finding]:
    """Objects need apiVersion, kind and a name, and the base must not have one twice."""
    seen: dict[tuple[str, str], str] = {}
    for name in tree.matching(".yaml", ".yml", under=f"{FOLDER}/base"):
        if posixpath.basename(name) in NAMES:
            continue
        for part in tree.yaml(name):
            document: Any = part.data
            if not isinstance(document, dict) or "apiVersion" not in document or "kind" not in document:
                continue  # a patch, a list of values, or an empty document between two ---
            metadata = document.get("metadata")
            called = metadata.get("name") if isinstance(metadata, dict) else None
            if not called:
                yield _finding(name, part.line("metadata"), f"this {document['kind']} has no metadata.name")
                continue
            key = (str(document["kind"]), str(called))
            if key in seen:
                yield _finding(name, part.line(), f"{key[0]} {key[1]!r} stands also in {seen[key]}")
            seen.setdefault(key, name)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
