"""The service: the hot path in front, FastAPI behind it, one table of models under both.

    python -m mlops.serving.server --app app.main:app --port 8001
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from fastapi import FastAPI

from app import openapi, routes
from app.hot import HotPath
from app.metrics import Metrics
from app.models import Models
from app.settings import Settings, read_settings

START_SECONDS = 10.0
"""How long the start waits for the models. A slow store makes the service unready, not dead."""


def create(settings: Settings) -> HotPath:
    """The whole ASGI application. Models are loaded when its lifespan starts."""
    metrics = Metrics()
    models = Models(settings, metrics)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        first = asyncio.create_task(asyncio.to_thread(models.load))
        await asyncio.wait({first}, timeout=START_SECONDS)
        trying = asyncio.create_task(models.keep_trying())
        yield
        for task in (trying, first):
            task.cancel()

    rest = FastAPI(
        title="Switchyard predict", version="1", lifespan=lifespan,
        description="Scores rows with the models that the release lists.",
    )
    rest.include_router(routes.build(models, metrics, settings))
    described = rest.openapi

    def describe() -> dict[str, Any]:
        document = dict(described())
        document["paths"] = {"/predict": openapi.predict(models.table), **document["paths"]}
        return document

    rest.openapi = describe  # type: ignore[method-assign]
    return HotPath(models, metrics, settings, rest)


app = create(read_settings())
