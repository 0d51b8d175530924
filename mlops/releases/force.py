"""Which release is in force: noted when it is published, so that every `mlops run` can ask without git."""

from __future__ import annotations

import json
from pathlib import Path

from mlops import files
from mlops.config import Settings, Workspace
from mlops.records.release import Release


def note(places: Workspace, head: str, id: str) -> None:
    """Remember that at the manifest's `head` the release `id` is in force."""
    files.write_atomic(_noted(places), json.dumps({"head": head, "release": id}) + "\n")


def in_force(places: Workspace, settings: Settings, release: Release) -> str | None:
    """Why `release` is not what the manifest's head says (any more), None where it is. Two small files are read."""
    from mlops.gitops.local import head, is_local

    try:
        noted = json.loads(_noted(places).read_bytes())
        there, id = noted["head"], noted["release"]
    except (OSError, ValueError, KeyError, TypeError):
        return "it is not known which release is in force"
    if id != release.id:
        return f"{id} is in force, not {release.id}"
    if is_local(places, settings) and head(places, settings) != there:
        return "the manifest has a newer head"
    return None


def _noted(places: Workspace) -> Path:
    return places.runtime / "in_force.json"
