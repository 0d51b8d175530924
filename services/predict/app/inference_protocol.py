"""`/v2`: the Open Inference Protocol, version 2 (https://github.com/kserve/open-inference-protocol).

Each column is an input of its own, of shape [rows] or [rows, 1]; null stands for a missing value
where a column may have one. An error is 400 (404 for no such model or version) with `error`.
"""

from __future__ import annotations

from typing import Any

from mlops.serving import BundleManifest, Scores
from mlops.serving.inputs import parse_json

INTEGERS = {f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)}
FLOATS = {"FP16", "FP32", "FP64"}
TAKEN = {
    "float": FLOATS | INTEGERS, "integer": INTEGERS, "boolean": {"BOOL"}, "string": {"BYTES"}, "datetime": {"BYTES"},
}
DATATYPES = {"float": "FP64", "integer": "INT64", "boolean": "BOOL", "string": "BYTES", "datetime": "BYTES"}


class BadRequest(Exception):
    """The body does not have the protocol's form."""


def metadata(manifest: BundleManifest, sha256: str) -> dict[str, Any]:
    """What a model takes and gives. `parameters` says what the protocol has no words for."""
    return {
        "name": manifest.model,
        "versions": [manifest.version],
        "platform": f"{manifest.engine}_{'runtime' if manifest.engine == 'onnx' else 'pipeline'}",
        "inputs": [
            {
                "name": column.name, "datatype": DATATYPES[column.type], "shape": [-1],
                "parameters": {
                    "type": column.type, "nullable": column.nullable,
                    **({"categories": column.categories} if column.categories else {}),
                },
            }
            for column in manifest.inputs
        ],
        "outputs": [{"name": name, "datatype": kind, "shape": shape} for name, kind, shape in _outputs(manifest, -1)],
        "parameters": {
            "task": manifest.task, "classes": manifest.classes, "sha256": sha256, "run_id": manifest.run_id,
            "data": manifest.data, "data_fingerprint": manifest.data_fingerprint, "simulated": manifest.simulated,
            "metrics": manifest.metrics,
        },
    }


def _outputs(manifest: BundleManifest, rows: int) -> list[tuple[str, str, list[int]]]:
    if not manifest.classes:
        return [("predictions", "FP64", [rows])]
    label = manifest.classes[0]
    kind = "BOOL" if isinstance(label, bool) else "INT64" if isinstance(label, int) else "BYTES"
    return [
        ("predictions", "FP64" if isinstance(label, float) else kind, [rows]),
        ("probabilities", "FP64", [rows, len(manifest.classes)]), ("confidence", "FP64", [rows]),
    ]


def read_request(body: bytes, manifest: BundleManifest) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The rows, and the request's document.

    Raises:
        BadRequest: it does not have the protocol's form.
        InvalidRowsError: it is not JSON.
    """
    document = parse_json(body)
    inputs = document.get("inputs") if isinstance(document, dict) else None
    if not isinstance(inputs, list) or not inputs or not all(isinstance(tensor, dict) for tensor in inputs):
        raise BadRequest("the body must be an object with inputs, a list of tensors")
    identity = document.get("id")
    if identity is not None and not isinstance(identity, str):
        raise BadRequest("id must be a text")
    types = {column.name: column.type for column in manifest.inputs}
    columns: dict[str, list[Any]] = {}
    for tensor in inputs:
        name = tensor.get("name")
        if not isinstance(name, str) or name not in types:
            raise BadRequest(f"inputs: {str(name)[:100]!r} is no input of this model; it takes {', '.join(types)}")
        if name in columns:
            raise BadRequest(f"inputs: {name!r} stands twice")
        datatype = tensor.get("datatype")
        if not isinstance(datatype, str) or datatype not in TAKEN[types[name]]:
            raise BadRequest(f"inputs: the datatype of {name!r} must be {DATATYPES[types[name]]}")
        columns[name] = _values(name, tensor)
    if len({len(values) for values in columns.values()}) != 1:
        raise BadRequest("inputs: the tensors have not the same number of rows")
    _wanted(document, manifest)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)], document


def _values(name: str, tensor: dict[str, Any]) -> list[Any]:
    shape, data = tensor.get("shape"), tensor.get("data")
    whole = isinstance(shape, list) and all(isinstance(size, int) and not isinstance(size, bool) for size in shape)
    if not whole or not isinstance(shape, list) or len(shape) not in (1, 2) or shape[1:] not in ([], [1]):
        raise BadRequest(f"inputs: the shape of {name!r} must be [rows] or [rows, 1]")
    if not isinstance(data, list):
        raise BadRequest(f"inputs: {name!r} has no data, a list")
    values = [item[0] if isinstance(item, list) and len(item) == 1 else item for item in data]
    if len(values) != shape[0]:
        raise BadRequest(f"inputs: {name!r} has {len(values)} values, its shape says {shape[0]}")
    return values


def _wanted(document: dict[str, Any], manifest: BundleManifest) -> list[str]:
    known = [name for name, _, _ in _outputs(manifest, 0)]
    outputs = document.get("outputs") or []
    listed = outputs if isinstance(outputs, list) else [outputs]
    names = [output.get("name") if isinstance(output, dict) else None for output in listed]
    if not all(name in known for name in names):
        raise BadRequest(f"outputs: must be a list of tensors; this model gives {', '.join(known)}")
    return [name for name in known if name in names] if names else known


def response(document: dict[str, Any], manifest: BundleManifest, scores: Scores, request_id: str) -> dict[str, Any]:
    """The protocol's answer; its `id` is the request's, or else the request id."""
    wanted = _wanted(document, manifest)
    data = {
        "predictions": scores.predictions, "confidence": scores.confidence,
        "probabilities": [value for row in scores.probabilities or [] for value in row],
    }
    return {
        "model_name": manifest.model,
        "model_version": manifest.version,
        "id": document.get("id") or request_id,
        "outputs": [
            {"name": name, "datatype": kind, "shape": shape, "data": data[name]}
            for name, kind, shape in _outputs(manifest, len(scores.predictions)) if name in wanted
        ],
    }
