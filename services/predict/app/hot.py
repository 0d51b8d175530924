"""`POST /predict`: an ASGI application of its own in front of FastAPI, which answers everything else.

Measured on one row: FastAPI's routing and body handling cost several times what the model does, so
this path does without them. It decodes the envelope, hands the rows to the model's own decoder, and
writes the answer by hand. Counting is inline; there is no middleware and no access log.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from time import perf_counter
from typing import Any

import msgspec

from app.metrics import Metrics
from app.models import Models, Slot
from app.settings import Settings
from app.wire import (
    Refusal,
    answer,
    encode,
    expect_json,
    read_body,
    read_headers,
    refusal,
    refuse_rows,
    too_many,
    unknown_model,
)
from mlops.serving import InvalidRowsError, Scores
from mlops.serving.inputs import Row, parse_json

LOGGER = logging.getLogger("mlops.predict")

INLINE_ROWS = 2000
"""Larger batches are scored in a thread (ONNX Runtime lets go of the interpreter), so that others do not wait."""


class _Request(msgspec.Struct, frozen=True, gc=False):
    model: str
    rows: msgspec.Raw


_decode = msgspec.json.Decoder(_Request).decode


async def score(slot: Slot, rows: list[Row]) -> Scores:
    """The model's answers; slow ones are computed in a thread."""
    if slot.inline and len(rows) <= INLINE_ROWS:
        return slot.score(rows)
    return await asyncio.to_thread(slot.score, rows)


class HotPath:
    """The service's ASGI application.

    Args:
        rest: Answers every other route.

    Attributes:
        models: The table in service, and what loads it.
    """

    def __init__(self, models: Models, metrics: Metrics, settings: Settings, rest: Any) -> None:
        self.models = models
        self._metrics = metrics
        self._rest = rest
        self._most_rows = settings.most_rows
        self._most_bytes = settings.most_bytes

    def reload(self) -> dict[str, Any]:
        """Read the list of models again; called by the private control route, in a thread."""
        return self.models.reload()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] == "/predict":
            await self._predict(scope, receive, send)
        else:
            await self._rest(scope, receive, send)

    async def _predict(self, scope: Any, receive: Any, send: Any) -> None:
        started = perf_counter()
        content_type, request_id = read_headers(scope["headers"])
        slot: Slot | None = None
        try:
            if scope["method"] != "POST":
                raise Refusal(405, {"detail": "use POST"}, [(b"allow", b"POST")])
            if content_type != b"application/json":
                expect_json(content_type)
            body = await read_body(receive, self._most_bytes)
            slot, read, text = self._open(body)
            rows = read(text)
            if len(rows) > self._most_rows:
                raise too_many(len(rows), self._most_rows)
            scores = await score(slot, rows)
        except ConnectionError:
            return
        except Exception as error:
            await self._refuse(send, error, request_id, slot)
            return
        parts = [slot.head, encode(scores.predictions)]
        if scores.probabilities is not None:
            parts += (
                b',"probabilities":', encode(scores.probabilities), b',"confidence":', encode(scores.confidence),
                slot.tail,
            )
        parts += (b',"request_id":"', request_id, b'"}')
        await answer(send, 200, b"".join(parts), request_id)
        slot.counts.answered(len(rows), perf_counter() - started)

    def _open(self, body: bytes) -> tuple[Slot, Callable[[Any], list[Row]], Any]:
        """The model that the body asks for, its rows, and what reads them."""
        try:
            request = _decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            document = _explain(body)
            slot = self._slot(document["model"])
            return slot, slot.bundle.reader.from_python, document["rows"]
        slot = self._slot(request.model)
        return slot, slot.read, request.rows

    def _slot(self, name: str) -> Slot:
        table = self.models.table
        slot = table.slots.get(name)
        if slot is None:
            raise unknown_model(name, table)
        return slot

    async def _refuse(self, send: Any, error: Exception, request_id: bytes, slot: Slot | None) -> None:
        if isinstance(error, InvalidRowsError):
            problem = refuse_rows(error)
        elif isinstance(error, Refusal):
            problem = error
        else:
            LOGGER.error("request %s", request_id.decode(), exc_info=error)
            problem = Refusal(500, {"detail": "the model failed; the service's log has the reason"})
        codes = slot.counts.codes if slot is not None else self._metrics.unassigned
        codes[problem.status] += 1
        body = encode({**problem.body, "request_id": request_id.decode()})
        await answer(send, problem.status, body, request_id, problem.headers)


def _explain(body: bytes) -> dict[str, Any]:
    """The envelope of a body that the fast decoder did not take.

    What is returned holds a model's name and rows, of which at least one is wrong.

    Raises:
        InvalidRowsError: not JSON.
        Refusal: 422, naming what of the envelope is missing or of the wrong type.
    """
    document = parse_json(body)
    if not isinstance(document, dict):
        raise refusal(422, 'must be an object {"model": …, "rows": […]}', "body", kind="type")
    for name in ("model", "rows"):
        if name not in document:
            raise refusal(422, "is missing", "body", name, kind="missing")
    if not isinstance(document["model"], str):
        raise refusal(422, "must be a text", "body", "model", kind="type")
    return document
