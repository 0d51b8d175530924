"""Talk over Unix sockets: JSON lines with the supervisor, HTTP with a service's private side. Standard library only."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

PROTOCOL = 1
"""Raised when requests or the state file change their shape: an older supervisor is replaced then."""

LONGEST_FOLDER = 75
"""Bytes of a folder's path that leave room for `/SERVICE-NUMBER.sock` (macOS takes 103 in all, Linux 107)."""


def http_request(path: str, method: str, target: str, timeout: float) -> tuple[int, dict[str, Any]]:
    """(status, JSON object) that the service behind the Unix socket answers; an empty object for other bodies.

    Raises:
        OSError: nobody answers there (yet), or not in time.
    """
    import http.client  # costs what the other half of this module, which every `mlops run` uses, does not need

    class Unix(http.client.HTTPConnection):
        def connect(self) -> None:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(timeout)
            self.sock.connect(path)

    connection = Unix("localhost", timeout=timeout)
    try:
        connection.request(method, target, headers={"Connection": "close"})
        answer = connection.getresponse()
        body = answer.read()
        status = answer.status
    except http.client.HTTPException as error:
        raise OSError(f"no HTTP answer: {error!r}") from error
    finally:
        connection.close()
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    return status, document if isinstance(document, dict) else {}


def ask(
    control: str, request: dict[str, Any], *, timeout: float, tell: Callable[[str], None] | None = None
) -> dict[str, Any]:
    """Send a request to the supervisor and return its final answer; lines of progress go to `tell`.

    Raises:
        OSError: nobody listens, the answer did not come in `timeout` seconds, or the line broke off.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout)
        connection.connect(control)
        connection.sendall(json.dumps(request).encode() + b"\n")
        for line in lines(connection):
            if "say" not in line:
                return line
            if tell is not None:
                tell(str(line["say"]))
    raise ConnectionError("the supervisor ended before it answered")


def lines(connection: socket.socket) -> Iterator[dict[str, Any]]:
    """The JSON objects that come over a connection, until it ends."""
    rest = b""
    while chunk := connection.recv(1 << 16):
        rest += chunk
        while b"\n" in rest:
            line, _, rest = rest.partition(b"\n")
            try:
                document = json.loads(line)
            except ValueError:
                return
            if not isinstance(document, dict):
                return
            yield document
