"""The first page: what is served now and how it came there, as HTML without script or outside host."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.predict import ServiceState
from app.settings import Settings
from app.state import Row, State
from mlops.errors import MlopsError

if TYPE_CHECKING:
    from jinja2 import Template

RUNS, RELEASES = 8, 8


def facts(state: State, predict: ServiceState, settings: Settings) -> dict[str, Any]:
    """All that the page shows; where the database does not answer, that and what `predict` says."""
    problem: dict[str, Any] | None = None
    runs: list[Row] = []
    releases: list[Row] = []
    models: list[Row] = []
    data: list[Row] = []
    try:
        runs, releases = state.runs(RUNS), state.rows("releases", RELEASES)
        models, data = state.models(), state.data()
    except MlopsError as error:
        problem = {"message": error.message, "where": error.where, "mend": error.mend}
    release = releases[0] if releases else None
    served = _served(predict, release, models, data)
    return {
        "problem": problem, "note": state.note, "predict": predict, "runs": runs, "releases": releases,
        "data": data, "served": served, "proof": _proof(release, runs), "state": _headline(predict, served, problem),
        "try": _try(release, served, settings) if served else None,
        "docs": f"{settings.predict_public_url}/docs", "now": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def render(values: dict[str, Any]) -> str:
    """The page."""
    return _template().render(values)


@cache
def _template() -> Template:
    from jinja2 import ChainableUndefined, Environment, FileSystemLoader

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True,
        undefined=ChainableUndefined,  # an old record may lack what a new one has; its place stays empty
        trim_blocks=True, lstrip_blocks=True,
    )
    environment.filters |= {"figure": _figure, "moment": _moment, "short": _short, "seconds": _seconds, "told": _told}
    return environment.get_template("page.html")


def _served(predict: ServiceState, release: Row | None, models: list[Row], data: list[Row]) -> list[Row]:
    """A row for each model that is released or served: version, figures, data, and whether the two agree."""
    released: dict[str, Any] = (release or {}).get("models") or {}
    versions = {(row["model"], row["version"]): row for each in models for row in each["versions"]}
    known_data = {(row["dataset"], row["version"]): row for each in data for row in each["versions"]}
    served = []
    for name in sorted({*released, *predict["models"]}):
        promised = released.get(name) or {}
        answered = predict["models"].get(name) or {}
        version = str(answered.get("version") or promised.get("version") or "")
        row = versions.get((name, version), {})
        dataset = promised.get("dataset") or ""
        shipped = ((release or {}).get("data") or {}).get(dataset) or {}
        used = known_data.get((dataset, row.get("data", "")), shipped)
        served.append({
            "model": name, "version": version, "promised": promised.get("version"),
            "running": bool(answered), "engine": answered.get("engine") or row.get("engine"),
            "metrics": row.get("metrics") or promised.get("metrics") or {}, "task": row.get("task"),
            "verdict": row.get("verdict"), "holdout": (row.get("holdout") or {}).get("rows"),
            "run_id": row.get("run_id") or promised.get("run_id"),
            "sha256": answered.get("sha256") or promised.get("sha256"),
            "dataset": dataset, "data": row.get("data") or shipped.get("version"),
            "simulated": bool(row.get("simulated") or used.get("simulated")),
        })
    return served


def _proof(release: Row | None, runs: list[Row]) -> Row | None:
    """The newest proof: with the release, else as the step of a run, with its facts."""
    if release and release.get("proof"):
        return {"outcome": release.get("outcome"), "facts": release["proof"], "error": None}
    for run in runs:
        for step in run["steps"]:
            if (step["pipeline"], step["step"]) == ("release", "proof"):
                return dict(step)
    return None


def _headline(predict: ServiceState, served: list[Row], problem: Any) -> tuple[str, str]:
    """(good, warn or bad; the sentence)."""
    if problem:
        return "bad", "The database does not answer"
    if not served:
        return "warn", "Nothing is released yet"
    if predict["ready"] is None:
        return "warn", "Predict has not answered yet"
    if not predict["ready"]:
        return "bad", "Predict is not ready"
    if any(row["promised"] not in (None, row["version"]) or not row["running"] for row in served):
        return "warn", "Predict serves other versions than the last release names"
    return "good", f"Serving {len(served)} model{'s' if len(served) > 1 else ''}"


def _try(release: Row | None, served: list[Row], settings: Settings) -> str | None:
    body = (release or {}).get("example")
    if not body or body.get("model") not in {row["model"] for row in served}:
        return None
    text = json.dumps(body).replace("'", "'\\''")  # as a shell reads it between single quotes
    return f"curl -s {settings.predict_public_url}/predict -H 'content-type: application/json' -d '{text}'"


def _figure(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return f"{value:,.0f}" if abs(value) >= 1000 or value == int(value) else f"{value:.4g}"


def _moment(value: Any) -> str:
    """2026-01-31T12:00:00.000000+00:00 as 2026-01-31 12:00:00."""
    return str(value or "")[:19].replace("T", " ")


def _short(value: Any, length: int = 12) -> str:
    return str(value or "").removeprefix("sha256:")[:length]


def _told(facts: Any) -> str:
    """A step's facts that fit into a line: rows 5,000, version 3f2a…, simulated."""
    known = facts.items() if isinstance(facts, dict) else ()
    return ", ".join(_fact(name, value) for name, value in known if isinstance(value, str | int | float) and value)


def _fact(name: str, value: Any) -> str:
    if value is True:
        return str(name)
    hashed = isinstance(value, str) and value.startswith("sha256:")
    return f"{name} {_short(value) if hashed else _figure(value)}"


def _seconds(value: Any) -> str:
    if not isinstance(value, int | float):
        return ""
    return f"{value:.2f} s" if value < 60 else f"{int(value // 60)} min {value % 60:.0f} s"
