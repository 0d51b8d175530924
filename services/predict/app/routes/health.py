"""Whether the service lives, serves what it should, and what it has counted."""

from __future__ import annotations

from fastapi import APIRouter, Response

from app.metrics import Metrics
from app.models import Models
from app.routes.common import json_answer


def build(models: Models, metrics: Metrics) -> APIRouter:
    """The routes /health, /ready and /metrics."""
    router = APIRouter(tags=["health"])
    exposition = metrics.exposition(lambda: models.table)

    @router.get("/health", summary="Whether the process lives, and which models take the slow path")
    async def health() -> Response:
        slots = models.table.slots.values()
        return json_answer({"status": "ok", "slow": sorted(slot.name for slot in slots if not slot.inline)})

    @router.get("/ready", summary="Whether every listed model is served", responses={503: {"description": "not all"}})
    async def ready() -> Response:
        table = models.table
        problems = {} if table.ready else {"problems": table.problems}
        return json_answer({"ready": table.ready, "models": table.listed(), **problems}, 200 if table.ready else 503)

    @router.get("/metrics", summary="Counters in Prometheus's text format")
    async def text() -> Response:
        return Response(exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return router
