"""Argo CD: applications point at overlays that exist, in a project that allows them."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Any

from mlops.infra.findings import Finding
from mlops.infra.kustomize import NAMES, OVERLAYS
from mlops.infra.tree import Part, Tree

FOLDER = "argocd"


def check(tree: Tree) -> Iterator[Finding]:
    """Findings on the files under `argocd`."""
    files = tree.matching(".yaml", ".yml", under=FOLDER)
    parts = [(name, part) for name in files for part in tree.yaml(name) if isinstance(part.data, dict)]
    projects = {_name(part): part.data.get("spec") or {} for _, part in parts if part.data.get("kind") == "AppProject"}
    reached = set()
    for name, part in parts:
        if part.data.get("kind") == "Application":
            yield from _application(tree, name, part, projects)
            reached.add(_source_path(part))
    if files:
        found = tree.matching(*NAMES, under=OVERLAYS)
        overlays = {path.rpartition("/")[0] for path in found}
        for missing in sorted(overlays - reached):
            yield _finding(FOLDER, None, f"no Application deploys {missing}")


def _finding(path: str, line: int | None, message: str) -> Finding:
    return Finding(rule="argocd", path=path, line=line, message=message)


def _application(tree: Tree, name: str, part: Part, projects: dict[str, Any]) -> Iterator[Finding]:
    spec = part.data.get("spec")
    if not isinstance(spec, dict) or not isinstance(spec.get("source"), dict):
        yield _finding(name, part.line("spec"), "an Application needs spec.source")
        return
    path = _source_path(part)
    # The manifest repository holds the overlays at the same place as this tree.
    if not any(f"{path}/{each}" in tree.files for each in NAMES):
        yield _finding(name, part.line("spec", "source", "path"), f"{path} has no kustomization.yaml")
    project = projects.get(str(spec.get("project")))
    if project is None:
        yield _finding(name, part.line("spec", "project"), f"there is no AppProject {spec.get('project')!r} here")
        return
    repository = spec["source"].get("repoURL")
    if repository not in (project.get("sourceRepos") or []) and "*" not in (project.get("sourceRepos") or []):
        yield _finding(name, part.line("spec", "source", "repoURL"), f"its project does not allow {repository}")
    wanted = spec.get("destination") or {}
    allowed = [each for each in project.get("destinations") or [] if isinstance(each, dict)]
    if not any(all(each.get(key) in (wanted.get(key), "*") for key in ("namespace", "server")) for each in allowed):
        line = part.line("spec", "destination")
        yield _finding(name, line, f"its project does not allow the namespace {wanted.get('namespace')!r} there")


def _name(part: Part) -> str:
    metadata = part.data.get("metadata")
    return str(metadata.get("name")) if isinstance(metadata, dict) else ""


def _source_path(part: Part) -> str:
    spec = part.data.get("spec")
    source = spec.get("source") if isinstance(spec, dict) else None
    return posixpath.normpath(str(source.get("path", ""))) if isinstance(source, dict) else ""
