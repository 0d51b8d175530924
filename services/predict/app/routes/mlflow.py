"""MLflow's scoring protocol; what its bodies mean is in `app.mlflow_protocol`."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from app import mlflow_protocol
from app.metrics import Metrics
from app.models import Models
from app.routes.common import json_answer, json_body, scored
from app.settings import Settings
from app.wire import Refusal, read_headers
from mlops.serving import InvalidRowsError


def build(models: Models, metrics: Metrics, settings: Settings) -> APIRouter:
    """The routes /ping and /invocations."""
    router = APIRouter(tags=["MLflow scoring protocol"])

    @router.get("/ping", summary="MLflow's name for health")
    async def ping() -> Response:
        return Response("\n", 200 if models.table.ready else 503, media_type="application/json")

    @router.post(
        "/invocations", summary="Score rows as `mlflow models serve` does",
        description="The model is named by `?model=` or the header `X-Model`; not needed where only one is served.",
        openapi_extra=json_body({"type": "object", "example": {"dataframe_records": [{"column": 1.0}]}}),
    )
    async def invocations(request: Request, model: str | None = None) -> Response:
        content_type, request_id = read_headers(request.scope["headers"])
        slots = models.table.slots
        name = model or request.headers.get("x-model") or (next(iter(slots)) if len(slots) == 1 else "")
        slot = slots.get(name)
        codes = slot.counts.codes if slot else metrics.unassigned
        if slot is None:
            served = f"served are {', '.join(sorted(slots)) or 'none'}"
            message = f"no model {name[:100]!r}" if name else "name the model with ?model= or the header X-Model"
            codes[404] += 1
            return _failed(404, "RESOURCE_DOES_NOT_EXIST", f"{message}; {served}", request_id)
        manifest = slot.bundle.manifest
        try:
            _, scores = await scored(
                request, settings, slot, lambda body: (mlflow_protocol.rows_of(body, content_type, manifest), None)
            )
        except (mlflow_protocol.BadRequest, InvalidRowsError) as error:
            told = mlflow_protocol.explain(error) if isinstance(error, InvalidRowsError) else str(error)
            codes[400] += 1
            return _failed(400, "BAD_REQUEST", told, request_id)
        except Refusal as error:
            codes[error.status] += 1
            return _failed(error.status, "BAD_REQUEST", error.body["detail"][0]["msg"], request_id)
        codes[200] += 1
        slot.counts.rows += len(scores.predictions)
        answer = json_answer({"predictions": scores.predictions}, request_id=request_id)
        answer.headers["x-model"], answer.headers["x-model-version"] = slot.name, slot.version
        return answer

    return router


def _failed(status: int, code: str, message: str, request_id: bytes) -> Response:
    return json_answer({"error_code": code, "message": message}, status, request_id)
