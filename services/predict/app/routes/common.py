"""What the routes behind FastAPI share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import Request, Response

from app.hot import score
from app.models import Slot
from app.settings import Settings
from app.wire import encode, read_body, too_many
from mlops.serving import Scores


def json_answer(content: Any, status: int = 200, request_id: bytes = b"", **headers: str) -> Response:
    """A JSON answer, with the request id where there is one."""
    if request_id:
        headers["x-request-id"] = request_id.decode()
    return Response(encode(content), status, headers, media_type="application/json")


async def scored(
    request: Request, settings: Settings, slot: Slot, read: Callable[[bytes], tuple[list[dict[str, Any]], Any]]
) -> tuple[Any, Scores]:
    """What `read(body)` gives beside the rows, and the scores of its rows.

    Raises:
        Refusal: 413.
        InvalidRowsError: the rows are wrong.
    """
    body = await read_body(request.receive, settings.most_bytes)
    rows, rest = read(body)
    if len(rows) > settings.most_rows:
        raise too_many(len(rows), settings.most_rows)
    return rest, await score(slot, slot.bundle.reader.from_python(rows))


def json_body(schema: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI description of a JSON body that FastAPI is not to read itself."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
