"""The application: JSON under /api, the first page at /, and what operators ask for."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from app import page
from app.metrics import Measured, Metrics
from app.predict import Predict
from app.settings import Settings
from app.state import State
from mlops.errors import MlopsError

Limit = Annotated[int, Query(ge=1, le=1000, description="At most so many, the newest first.")]

DESCRIPTION = """The state of the platform: runs, releases, models, data, services.

Everything here is read; nothing is changed. Times are ISO 8601 in UTC."""

# The page holds its own style and no script; nothing is fetched from anywhere.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; " \
    "frame-ancestors 'none'"


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application; `settings` come from the environment when absent."""
    chosen = settings or Settings.from_environment()
    metrics, predict = Metrics(), Predict(chosen.predict_url)
    app = FastAPI(title="Switchyard API", version="1", description=DESCRIPTION)
    app.state.settings = chosen
    app.add_middleware(Measured, metrics=metrics)
    app.add_exception_handler(MlopsError, _unavailable)
    _add_operations(app, metrics, predict, chosen)
    _add_state(app, predict, chosen)

    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    def first_page() -> HTMLResponse:
        facts = page.facts(State(chosen.database_url), predict.state(), chosen)
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
        return HTMLResponse(page.render(facts), headers=headers)

    return app


def _unavailable(_: Request, error: Exception) -> JSONResponse:
    """What went wrong, and the mend, for a program; the database is the only thing that can."""
    assert isinstance(error, MlopsError)
    return JSONResponse({"detail": error.message, "where": error.where, "mend": error.mend}, status_code=503)


def _add_operations(app: FastAPI, metrics: Metrics, predict: Predict, settings: Settings) -> None:
    @app.get("/health", tags=["operation"])
    def health() -> dict[str, str]:
        """The process lives."""
        return {"status": "ok"}

    @app.get("/ready", tags=["operation"], responses={503: {"description": "The database does not answer."}})
    def ready(response: Response) -> dict[str, Any]:
        """Whether the database answers. What else is wrong is told, and does not make it unready."""
        state = State(settings.database_url)
        problem, served = state.problem(), predict.state()
        metrics.database_up.set(problem is None)
        metrics.predict_ready.set(served["ready"] is True)
        response.status_code = 200 if problem is None else 503
        problems = [f"database: {problem.message}"] if problem else []
        problems += [f"database: {state.note}"] if state.note else []
        problems += [f"predict: {each}" for each in served["problems"]]
        return {"ready": problem is None, "problems": problems}

    @app.get("/metrics", tags=["operation"], response_class=Response)
    def prometheus() -> Response:
        """Figures for Prometheus, in its text format."""
        from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

        return Response(generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


def _add_state(app: FastAPI, predict: Predict, settings: Settings) -> None:
    def read() -> State:
        return State(settings.database_url)

    missing: dict[int | str, dict[str, Any]] = {404: {"description": "There is none of that name."}}

    @app.get("/api/runs", tags=["state"])
    def runs(limit: Limit = 20, outcome: str | None = None) -> dict[str, Any]:
        """The last runs with their steps: outcome, seconds, reason, error, facts."""
        state = read()
        return {"runs": state.runs(limit, outcome), "note": state.note}

    @app.get("/api/runs/{id}", tags=["state"], responses=missing)
    def run(id: str) -> dict[str, Any]:
        """One run's whole record, with every receipt's inputs and outputs."""
        return _one(read().rows("runs", 1, id=id), "run", id)

    @app.get("/api/releases", tags=["state"])
    def releases(limit: Limit = 20) -> dict[str, Any]:
        """Releases, each tying commit, data, models, images and the manifest's commit."""
        state = read()
        return {"releases": state.rows("releases", limit), "note": state.note}

    @app.get("/api/releases/{id}", tags=["state"], responses=missing)
    def release(id: str) -> dict[str, Any]:
        """One release record."""
        return _one(read().rows("releases", 1, id=id), "release", id)

    @app.get("/api/models", tags=["state"])
    def models() -> dict[str, Any]:
        """Models with their versions and with who moved them between stages, when and why."""
        state = read()
        return {"models": state.models(), "note": state.note}

    @app.get("/api/models/{name}", tags=["state"], responses=missing)
    def model(name: str) -> dict[str, Any]:
        """One model's versions and moves."""
        return _one([each for each in read().models() if each["model"] == name], "model", name)

    @app.get("/api/data", tags=["state"])
    def data() -> dict[str, Any]:
        """Data sets with their published versions: source, rows, validation, checks, quality."""
        state = read()
        return {"data": state.data(), "note": state.note}

    @app.get("/api/data/{name}", tags=["state"], responses=missing)
    def dataset(name: str) -> dict[str, Any]:
        """One data set's published versions."""
        return _one([each for each in read().data() if each["dataset"] == name], "data set", name)

    @app.get("/api/services", tags=["state"])
    def services() -> dict[str, Any]:
        """The services: this one, and what `predict` said of itself when it was last asked."""
        problem = read().problem()
        api = {"name": "api", "ready": problem is None, "problems": [problem.message] if problem else []}
        return {"services": [api, predict.state()]}


def _one(found: list[dict[str, Any]], what: str, name: str) -> dict[str, Any]:
    if not found:
        raise HTTPException(404, f"there is no {what} {name!r}")
    return found[0]


def __getattr__(name: str) -> FastAPI:
    """`app.main:app`, made when it is asked for, so that importing this module reads no settings."""
    if name != "app":
        raise AttributeError(name)
    made = globals()["app"] = create_app()
    return made
