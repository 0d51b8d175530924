"""Everything but the hot path: health, readiness, metrics, and the two standard protocols."""

from __future__ import annotations

from fastapi import APIRouter

from app.metrics import Metrics
from app.models import Models
from app.routes import health, inference, mlflow
from app.settings import Settings


def build(models: Models, metrics: Metrics, settings: Settings) -> APIRouter:
    """All routes over one table of models."""
    router = APIRouter()
    router.include_router(health.build(models, metrics))
    router.include_router(mlflow.build(models, metrics, settings))
    router.include_router(inference.describe(models, metrics))
    router.include_router(inference.build(models, metrics, settings))
    return router
