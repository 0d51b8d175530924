"""The life of a model's versions: where each stands, and who moved it when and why."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from mlops import database
from mlops.config import Settings
from mlops.model_registry.registered import VERDICT, Registered, versions
from mlops.records import Move

# The stages of `ModelStatus` in the library's guide; quarantine is a tag, no stage.
DEVELOPMENT, PRODUCTION, ARCHIVED = "development", "production", "archived"


def record_move(
    settings: Settings, model: str, version: str, *, source: str, target: str, who: str, why: str, verdict: str
) -> None:
    """Write a move into the platform's table, unless it is the version's last one already (a rerun after a kill)."""
    url = settings.database.url
    database.migrate(url)
    last = database.rows(url, "model_moves", limit=1, model=model, version=version)
    if last and last[0]["target"] == target:
        return
    database.add(url, "model_moves", {
        "model": model, "version": version, "source": source, "target": target, "who": who,
        "at": datetime.now(timezone.utc).isoformat(), "why": why, "verdict": verdict,
    })


def moves(settings: Settings, model: str) -> dict[str, list[Move]]:
    """Version → its moves, the oldest first."""
    database.migrate(settings.database.url)
    listed: dict[str, list[Move]] = {}
    for row in database.rows(settings.database.url, "model_moves", limit=None, newest_first=False, model=model):
        listed.setdefault(row["version"], []).append(Move(
            source=row["source"], target=row["target"], who=row["who"], when=row["at"], why=row["why"]
        ))
    return listed


def history(settings: Settings, model: str) -> dict[str, Any]:
    """The document of `mlops model history MODEL --format json`, the oldest version first."""
    moved = moves(settings, model)
    return {
        "model": model,
        "versions": [_version(each, moved.get(each.version, [])) for each in versions(settings, model)],
    }


def _version(found: Registered, moved: list[Move]) -> dict[str, Any]:
    record = found.record()
    return {
        "version": found.version,
        "semantic": record.semantic if record else "",
        "stage": stage(found, moved),
        "verdict": found.tags.get(VERDICT, ""),
        "metrics": record.metrics if record else {},
        "data": record.data if record else "",
        "run_id": found.run_id,
        "simulated": record.simulated if record else False,
        "quarantine": found.quarantine,
        "moved": [
            {"from": each.source, "to": each.target, "who": each.who, "when": each.when, "why": each.why}
            for each in moved
        ],
    }


def stage(found: Registered, moved: list[Move]) -> str:
    """The alias says what is in production; the moves say whether another version was there once."""
    if found.champion:
        return PRODUCTION
    return ARCHIVED if any(PRODUCTION in (each.source, each.target) for each in moved) else DEVELOPMENT
