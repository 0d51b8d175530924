"""What all routes share on the wire: request ids, bodies with a limit, JSON answers, problems told by field."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from mlops.serving import InvalidRowsError, Problem

if TYPE_CHECKING:
    from app.models import Table

_SAFE_ID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}").fullmatch
_PREFIX = os.urandom(8).hex()
_NEXT = itertools.count()

encode = msgspec.json.Encoder().encode


class Refusal(Exception):
    """An answer that is no score.

    Attributes:
        status: The HTTP status.
        body: What goes into the answer beside the request id.
    """

    def __init__(self, status: int, body: dict[str, Any], headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = tuple(headers)


def refusal(status: int, message: str, *location: str, kind: str = "request", **more: Any) -> Refusal:
    """A refusal with one problem, in the shape that FastAPI gives its own."""
    problem = {"loc": list(location), "msg": message, "type": kind, "field": location[-1]}
    return Refusal(status, {"detail": [problem], **more})


def unknown_model(name: str, table: Table) -> Refusal:
    """404 with the names of the models in service."""
    return refusal(
        404, f"no model {name[:100]!r} is served", "body", "model", kind="unknown", models=sorted(table.slots)
    )


def too_many(rows: int, most: int) -> Refusal:
    """413 for a request with more than `most` rows."""
    return refusal(
        413, f"are {rows}; one request may hold {most}", "body", "rows", kind="too_many"
    )


def refuse_rows(error: InvalidRowsError) -> Refusal:
    """422 with row and field of the first problems, and their count."""
    return Refusal(422, {"detail": [_detail(problem) for problem in error.problems], "count": error.count})


def _detail(problem: Problem) -> dict[str, Any]:
    location: list[str | int] = ["body"] if problem.type == "json" else ["body", "rows"]
    location += [part for part in (problem.row, problem.field) if part is not None]
    detail: dict[str, Any] = {"loc": location, "msg": problem.message, "type": problem.type}
    if problem.row is not None:
        detail["row"] = problem.row
    if problem.field is not None:
        detail["field"] = problem.field
    return detail


def new_request_id() -> bytes:
    """An id that no other request of any process has: 16 random hexadecimal digits and a running number."""
    return b"%b-%x" % (_PREFIX.encode(), next(_NEXT))


def read_headers(headers: Iterable[tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
    """Content type (without parameters; empty when absent) and request id.

    A client's `X-Request-ID` is taken over when it is 1 to 128 characters of A-Z a-z 0-9 . _ : / + = @ -,
    otherwise one is made.
    """
    content_type, request_id = b"", None
    for name, value in headers:
        if name == b"content-type":
            content_type = value
        elif name == b"x-request-id" and _SAFE_ID(value):
            request_id = value
    return content_type, request_id or new_request_id()


def expect_json(content_type: bytes) -> None:
    """Raise 415 unless the body says that it is JSON, or says nothing."""
    plain = content_type.partition(b";")[0].strip().lower()
    if plain and plain != b"application/json" and not plain.endswith(b"+json"):
        raise refusal(
            415, f"is {plain.decode('latin-1')!r}; send application/json", "header", "content-type", kind="content_type"
        )


async def read_body(receive: Any, limit: int) -> bytes:
    """The whole body.

    Raises:
        Refusal: 413, when it is larger than `limit` bytes.
        ConnectionError: the client went away.
    """
    message = await receive()
    body = message.get("body", b"")
    if message.get("more_body"):
        parts = [body]
        size = len(body)
        while message.get("more_body"):
            if size > limit:
                break
            message = await receive()
            parts.append(message.get("body", b""))
            size += len(parts[-1])
        body = b"".join(parts)
    if message["type"] == "http.disconnect":
        raise ConnectionError("the client went away")
    if len(body) > limit:
        raise Refusal(
            413, {"detail": [{"loc": ["body"], "msg": f"is larger than {limit} bytes", "type": "too_large"}]},
            [(b"connection", b"close")],  # the rest of it is on its way, and is not wanted
        )
    return bytes(body)


async def answer(
    send: Any, status: int, body: bytes, request_id: bytes, headers: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    """Send one JSON answer."""
    await send({
        "type": "http.response.start",
        "status": status,
        "headers": [
            (b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)),
            (b"x-request-id", request_id), *headers,
        ],
    })
    await send({"type": "http.response.body", "body": body})
