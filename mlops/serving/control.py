"""The two control routes of a service, on its private socket only: begin to accept, and reload."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from mlops.errors import MlopsError

LOGGER = logging.getLogger("mlops.serving")

PREFIX = "/-/"


class Control:
    """An ASGI application: the control routes, and the service's own application behind everything else.

    `POST /-/accept` begins to accept on the public socket: 200 `{"accepting": true}`, 409 where there is none.
    `POST /-/reload` has the application read its lists again: 200 with what it says, 409 `{"error"}` when it
    could not, the old ones being served on. Reloads wait for each other.

    Args:
        accept: Begins to accept on the public socket.
        reload: Does the work, in a thread of its own; raises when it could not. None for an application
            that has nothing to reload.
    """

    def __init__(
        self, app: Any, accept: Callable[[], Awaitable[None]], reload: Callable[[], dict[str, Any]] | None
    ) -> None:
        self._app = app
        self._accept = accept
        self._reload = reload
        self._reloading = asyncio.Lock()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        action = {"accept": self._answer_accept, "reload": self._answer_reload}.get(scope["path"][len(PREFIX):])
        if action is None:
            status, answer = 404, {"error": "the control routes are /-/accept and /-/reload"}
        elif scope["method"] != "POST":
            status, answer = 405, {"error": "use POST"}
        else:
            status, answer = await action()
        body = msgspec.json.encode(answer)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer_accept(self) -> tuple[int, dict[str, Any]]:
        try:
            await self._accept()
        except (MlopsError, OSError) as error:
            return 409, {"error": str(error)}
        return 200, {"accepting": True}

    async def _answer_reload(self) -> tuple[int, dict[str, Any]]:
        if self._reload is None:
            return 200, {"reloaded": False, "reason": "this service reads no list"}
        async with self._reloading:
            try:
                return 200, {"reloaded": True, **await asyncio.to_thread(self._reload)}
            except MlopsError as error:
                return 409, {"error": str(error)}
            except Exception as error:  # whatever it is: the old list is served on, and the caller is told
                LOGGER.exception("the reload failed")
                return 409, {"error": f"{type(error).__name__}: {error}"}
