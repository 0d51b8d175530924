"""A real service process, and clients that notice every lost request."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[4]

APPLICATION = '''
import asyncio, os

NAME = os.environ.get("NAME", "")
count = 0


def answer(reload_result):
    return {"count": reload_result}


class App:
    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            while True:
                message = await receive()
                await send({"type": message["type"] + ".complete"})
                if message["type"] == "lifespan.shutdown":
                    return
        await receive()
        if scope["path"].startswith("/slow/"):
            await asyncio.sleep(float(scope["path"][6:]))
        body = f"{NAME} {count}".encode()
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 404 if scope["path"].startswith("/-/") else 200,
                    "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def reload(self):
        global count
        if os.path.exists("broken"):
            raise RuntimeError("the list is broken")
        count += 1
        return {"count": count}


app = App()
'''


class Private(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("service", timeout=20)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket's path."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(20)
        self.sock.connect(str(self._path))


class Process:
    """One service process; `ask` goes to its private socket."""

    def __init__(self, folder: Path, private: Path | None, arguments: list[str], **options: Any) -> None:
        variables: Mapping[str, str] = options.pop("variables", {})
        command = [sys.executable, "-m", "mlops.serving.server", "--app", options.pop("app", "app:app"), *arguments]
        self.private = private
        self.popen = subprocess.Popen(
            command + (["--private", str(private)] if private else []), cwd=folder, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), **variables}, **options,
        )

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait for `condition`, as long as the process lives; connection errors count as no."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if condition():
                    return
            if self.popen.poll() is not None:
                raise AssertionError(f"it ended with {self.popen.returncode}: {self.popen.stderr.read()}")
            time.sleep(0.01)
        raise AssertionError("it took too long")

    def answers(self) -> Process:
        """Itself, once its private socket answers."""
        self.wait_until(lambda: self.ask("GET", "/")[0] == 200)
        return self

    def ask(self, method: str, path: str) -> tuple[int, Any]:
        """Status and body (as JSON where it is)."""
        assert self.private is not None
        with contextlib.closing(Private(self.private)) as connection:
            connection.request(method, path)
            response = connection.getresponse()
            text = response.read().decode()
        try:
            return response.status, json.loads(text)
        except ValueError:
            return response.status, text

    def end(self) -> int:
        """SIGTERM, and the exit code."""
        self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(20)


@contextlib.contextmanager
def listening() -> Iterator[socket.socket]:
    """A public socket, as a supervisor holds it."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen(512)
        sock.set_inheritable(True)
        yield sock


class Load:
    """Clients that keep their connections, send one request after the other, and count what comes back.

    A connection that ends although its last answer did not announce it has lost a request.

    Args:
        judge: What to count an answer's body as.
    """

    def __init__(self, port: int, request: bytes, judge: Callable[[bytes], str], clients: int = 8) -> None:
        self._port = port
        self._request = request
        self._judge = judge
        self._clients = clients
        self._stop = False
        self.answers: Counter[str] = Counter()
        self.lost: list[str] = []

    async def during(self, work: Callable[[], Any]) -> Any:
        """Run `work` in a thread while the clients send, and a little before and after."""
        clients = [asyncio.create_task(self._client()) for _ in range(self._clients)]
        await asyncio.sleep(0.2)
        try:
            return await asyncio.to_thread(work)
        finally:
            await asyncio.sleep(0.2)
            self._stop = True
            await asyncio.gather(*clients)

    async def _client(self) -> None:
        while not self._stop:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError as error:
                self.lost.append(f"connect: {error!r}")
                return
            try:
                while not self._stop and await self._once(reader, writer):
                    pass
            except (OSError, asyncio.IncompleteReadError) as error:
                self.lost.append(repr(error))
            finally:
                writer.close()

    async def _once(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        writer.write(self._request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        if not head.startswith(b"http/1.1 200 "):
            self.lost.append(f"{head!r} {body!r}")
        self.answers[self._judge(body)] += 1
        return b"connection: close" not in head
