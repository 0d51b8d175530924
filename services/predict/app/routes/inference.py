"""The Open Inference Protocol, version 2; what its bodies mean is in `app.inference_protocol`."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from app import inference_protocol, mlflow_protocol
from app.metrics import Metrics
from app.models import Models, Slot
from app.routes.common import json_answer, json_body, scored
from app.settings import Settings
from app.wire import Refusal, read_headers
from mlops.serving import InvalidRowsError

TAG = "Open Inference Protocol"


def _find(models: Models, name: str, version: str | None) -> Slot | None:
    slot = models.table.slots.get(name)
    return slot if slot is not None and version in (None, slot.version) else None


def _absent(models: Models, metrics: Metrics, name: str, version: str | None, request_id: bytes = b"") -> Response:
    metrics.unassigned[404] += 1
    wanted = f"model {name[:100]!r}" + (f" version {version[:100]!r}" if version else "")
    served = ", ".join(f"{slot.name} version {slot.version}" for slot in models.table.slots.values())
    return json_answer({"error": f"no {wanted}; served are: {served or 'none'}"}, 404, request_id)


def describe(models: Models, metrics: Metrics) -> APIRouter:
    """The routes that say what is served."""
    router = APIRouter(prefix="/v2", tags=[TAG])

    @router.get("", summary="The server")
    async def server() -> Response:
        return json_answer({"name": "switchyard-predict", "version": "2", "extensions": []})

    @router.get("/health/live", summary="Whether the process lives")
    async def live() -> Response:
        return json_answer({"live": True})

    @router.get("/health/ready", summary="Whether every listed model is served")
    async def ready() -> Response:
        return json_answer({"ready": models.table.ready}, 200 if models.table.ready else 503)

    @router.get("/models/{name}", summary="What a model takes and gives")
    @router.get("/models/{name}/versions/{version}", include_in_schema=False)
    async def model(name: str, version: str | None = None) -> Response:
        slot = _find(models, name, version)
        if slot is None:
            return _absent(models, metrics, name, version)
        return json_answer(inference_protocol.metadata(slot.bundle.manifest, slot.sha256))

    @router.get("/models/{name}/ready", summary="Whether a model is served")
    @router.get("/models/{name}/versions/{version}/ready", include_in_schema=False)
    async def model_ready(name: str, version: str | None = None) -> Response:
        slot = _find(models, name, version)
        if slot is None:
            return _absent(models, metrics, name, version)
        return json_answer({"name": slot.name, "ready": True})

    return router


def build(models: Models, metrics: Metrics, settings: Settings) -> APIRouter:
    """The routes that score."""
    router = APIRouter(prefix="/v2", tags=[TAG])

    @router.post(
        "/models/{name}/infer", summary="Score rows, a tensor a column",
        openapi_extra=json_body({"type": "object", "example": {
            "inputs": [{"name": "column", "shape": [1], "datatype": "FP64", "data": [1.0]}],
        }}),
    )
    @router.post("/models/{name}/versions/{version}/infer", include_in_schema=False)
    async def infer(request: Request, name: str, version: str | None = None) -> Response:
        _, request_id = read_headers(request.scope["headers"])
        slot = _find(models, name, version)
        if slot is None:
            return _absent(models, metrics, name, version, request_id)
        manifest, codes = slot.bundle.manifest, slot.counts.codes
        try:
            document, scores = await scored(
                request, settings, slot, lambda body: inference_protocol.read_request(body, manifest)
            )
        except (inference_protocol.BadRequest, InvalidRowsError) as error:
            told = mlflow_protocol.explain(error) if isinstance(error, InvalidRowsError) else str(error)
            codes[400] += 1
            return json_answer({"error": told}, 400, request_id)
        except Refusal as error:
            codes[error.status] += 1
            return json_answer({"error": error.body["detail"][0]["msg"]}, error.status, request_id)
        codes[200] += 1
        slot.counts.rows += len(scores.predictions)
        return json_answer(
            inference_protocol.response(document, manifest, scores, request_id.decode()), request_id=request_id
        )

    return router
