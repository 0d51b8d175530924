"""The description of `POST /predict`, which FastAPI does not see; made of the models in service."""

from __future__ import annotations

from typing import Any

from app.models import Slot, Table

_TYPES: dict[str, dict[str, Any]] = {
    "float": {"type": "number"}, "integer": {"type": "integer"}, "boolean": {"type": "boolean"},
    "string": {"type": "string"}, "datetime": {"type": "string", "format": "date-time"},
}
_PROBLEM = {
    "type": "object",
    "properties": {
        "detail": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
                    "msg": {"type": "string"}, "type": {"type": "string"},
                    "row": {"type": "integer"}, "field": {"type": "string"},
                },
                "required": ["loc", "msg", "type"],
            },
        },
        "request_id": {"type": "string"},
    },
}
_ANSWER = {
    "type": "object",
    "properties": {
        "model": {"type": "string"},
        "version": {"type": "string", "description": "Of the bundle that scored the rows"},
        "predictions": {"type": "array", "items": {}, "description": "One a row: a number, or a class label"},
        "probabilities": {
            "type": "array", "items": {"type": "array", "items": {"type": "number"}},
            "description": "Classifiers: a list a row, in the order of `classes`",
        },
        "confidence": {
            "type": "array", "items": {"type": "number"}, "description": "Classifiers: the largest probability",
        },
        "classes": {"type": "array", "items": {}, "description": "Classifiers: the labels"},
        "request_id": {"type": "string"},
    },
    "required": ["model", "version", "predictions", "request_id"],
}
_REFUSALS = {
    "404": "No such model is served; `models` lists those that are",
    "413": "Too many rows, or a body that is too large",
    "415": "The body does not say that it is JSON",
    "422": "Rows that the model cannot take; each problem names its row and field",
}


def predict(table: Table) -> dict[str, Any]:
    """The path item of /predict: the columns of each model in service, and all answers."""
    requests = [_request(slot) for slot in table.slots.values()]
    schema = {"oneOf": requests} if requests else {"type": "object"}
    answers: dict[str, Any] = {"200": {"description": "Scores", "content": _json(_ANSWER)}}
    for status, description in _REFUSALS.items():
        answers[status] = {"description": description, "content": _json(_PROBLEM)}
    return {
        "post": {
            "tags": ["prediction"],
            "summary": "Score rows with one of the models in service",
            "description": "A nullable column may be left out. A category that the model was not fitted on is "
            "accepted: what it means is decided by the model's own pipeline. `X-Request-ID` is taken over.",
            "operationId": "predict",
            "requestBody": {"required": True, "content": _json(schema)},
            "responses": answers,
        }
    }


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _request(slot: Slot) -> dict[str, Any]:
    manifest = slot.bundle.manifest
    properties: dict[str, Any] = {}
    for column in manifest.inputs:
        kind = dict(_TYPES[column.type])
        if column.nullable:
            kind["type"] = [kind["type"], "null"]
        if column.categories:
            kind["examples"] = column.categories
        properties[column.name] = kind
    row = {
        "type": "object", "properties": properties, "additionalProperties": False,
        "required": [column.name for column in manifest.inputs if not column.nullable],
    }
    example = slot.bundle.proof.rows[:1]
    return {
        "title": slot.name,
        "type": "object",
        "properties": {"model": {"const": slot.name}, "rows": {"type": "array", "minItems": 1, "items": row}},
        "required": ["model", "rows"],
        **({"example": {"model": slot.name, "rows": example}} if example else {}),
    }
