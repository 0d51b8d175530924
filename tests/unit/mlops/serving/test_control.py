from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from mlops.errors import ReleaseError, UsageError
from mlops.serving.control import Control


async def ask(control: Control, path: str, method: str = "POST") -> tuple[int, Any]:
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    await control({"type": "http", "path": path, "method": method, "headers": []}, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"])


async def app(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b'"the application"'})


async def accept() -> None:
    """Accepts."""


async def cannot() -> None:
    raise UsageError("the process has no public socket")


def test_everything_else_is_the_applications() -> None:
    assert asyncio.run(ask(Control(app, accept, None), "/ready", "GET")) == (299, "the application")


@pytest.mark.parametrize(("path", "method", "status"), [("/-/other", "POST", 404), ("/-/", "POST", 404),
                                                        ("/-/accept", "GET", 405), ("/-/reload", "GET", 405)])
def test_only_the_two_routes_and_only_post(path: str, method: str, status: int) -> None:
    assert asyncio.run(ask(Control(app, accept, None), path, method))[0] == status


def test_accept_says_whether_it_does() -> None:
    assert asyncio.run(ask(Control(app, accept, None), "/-/accept")) == (200, {"accepting": True})
    status, answer = asyncio.run(ask(Control(app, cannot, None), "/-/accept"))
    assert status == 409 and "no public socket" in answer["error"]


def test_reload_says_what_the_application_says() -> None:
    assert asyncio.run(ask(Control(app, accept, lambda: {"models": {}}), "/-/reload")) == (
        200, {"reloaded": True, "models": {}}
    )
    assert asyncio.run(ask(Control(app, accept, None), "/-/reload"))[1]["reloaded"] is False


@pytest.mark.parametrize("error", [ReleaseError("wrong checksum"), ZeroDivisionError("wrong checksum")])
def test_a_reload_that_fails_is_409_whatever_failed(error: Exception) -> None:
    def reload() -> dict[str, Any]:
        raise error

    status, answer = asyncio.run(ask(Control(app, accept, reload), "/-/reload"))
    assert status == 409 and "wrong checksum" in answer["error"]


def test_reloads_wait_for_each_other() -> None:
    import time

    running: list[int] = []

    def reload() -> dict[str, Any]:
        running.append(1)
        together = len(running)
        time.sleep(0.02)
        running.pop()
        return {"together": together}

    async def three() -> list[tuple[int, Any]]:
        control = Control(app, accept, reload)
        return await asyncio.gather(*(ask(control, "/-/reload") for _ in range(3)))

    assert [answer["together"] for _, answer in asyncio.run(three())] == [1, 1, 1]
