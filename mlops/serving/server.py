"""The process of one service: `python -m mlops.serving.server --app app.main:app …`.

    --host H --port P     listen there and accept at once (a container)
    --fd N                accept on an inherited listening socket, which other processes may share
    --private PATH        answer on this Unix socket at once, with /-/accept and /-/reload;
                          with --fd nothing is accepted there before /-/accept

The current folder is the service's, `PYTHONPATH` the root that holds `mlops`. SIGTERM or SIGINT:
stop accepting, finish what is in flight (10 s at most), exit 0. A second signal ends it at once.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any

from uvicorn import Config
from uvicorn.lifespan.on import LifespanOn

from mlops import product
from mlops.errors import MlopsError, UsageError
from mlops.serving import listeners
from mlops.serving.control import LOGGER, Control

DRAIN_SECONDS = 10.0
"""How long requests in flight may take after SIGTERM."""

IDLE_SECONDS = 1.0
"""How long a connection without a request is kept after SIGTERM, for a request on its way."""


class Service:
    """One application, its public listener and its private one.

    Args:
        app: The ASGI application. Where it has a method `reload`, /-/reload calls it in a thread; it returns
            what to answer, and raises when the old state goes on.
        public: The listening socket for everybody.
        private_path: Where the private socket is made.
        wait: Whether the public socket waits for /-/accept.
    """

    def __init__(
        self, app: Any, *, public: socket.socket | None, private_path: Path | None, wait: bool
    ) -> None:
        self._app = app
        self._public_socket = public
        self._private_path = private_path
        self._wait = wait
        self._public: listeners.Listener | None = None
        self._private: listeners.Listener | None = None
        self._stop = asyncio.Event()
        self._now = asyncio.Event()

    async def run(self) -> None:
        """Serve until a signal comes, then drain.

        Raises:
            MlopsError: the application did not start, or a socket could not be made.
        """
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._signalled)
        lifespan = LifespanOn(Config(self._app, interface="asgi3", lifespan="auto", log_config=None))
        await lifespan.startup()
        if lifespan.should_exit:
            raise UsageError("the application did not start; its own message stands above", where="--app")
        try:
            await self._open(lifespan.state)
            gc.collect()
            gc.freeze()  # what is loaded now stays: the collector need not look at it again
            await self._serve()
            await self._drain()
        finally:
            if self._private_path is not None and self._private is not None:
                self._private_path.unlink(missing_ok=True)
            await lifespan.shutdown()

    def _signalled(self) -> None:
        if self._stop.is_set():
            self._now.set()
        self._stop.set()

    async def _open(self, state: dict[str, Any]) -> None:
        if self._public_socket is not None:
            self._public = listeners.Listener(self._app, self._public_socket, state)
        if self._private_path is not None:
            control = Control(self._app, self._accept, getattr(self._app, "reload", None))
            self._private = listeners.Listener(control, listeners.private(self._private_path), state)
            await self._private.accept()
        if not self._wait:
            await self._accept()

    async def _accept(self) -> None:
        if self._public is None or self._stop.is_set():
            raise UsageError(
                "the process is ending" if self._public else "the process has no public socket", where="/-/accept",
                mend="start it with --fd and the listening socket",
            )
        await self._public.accept()

    async def _serve(self) -> None:
        while not await _within(self._stop.wait(), 1.0):
            for listener in (self._public, self._private):
                if listener is not None:
                    listener.tick()

    async def _drain(self) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        if self._public is not None:
            self._public.begin_drain()
            while self._public.connections and loop.time() - started < DRAIN_SECONDS:
                if loop.time() - started >= IDLE_SECONDS:
                    self._public.close_idle()
                if await _within(self._now.wait(), 0.02):
                    break
        for listener in (self._public, self._private):
            if listener is not None:
                listener.begin_drain()
                listener.close_idle()
        await asyncio.sleep(0)
        for listener in (self._public, self._private):
            if listener is not None and listener.connections:
                LOGGER.warning("%d connections were cut off", listener.connections)
                listener.abort()


async def _within(waited: Coroutine[Any, Any, Any], seconds: float) -> bool:
    """Whether `waited` ended within `seconds`."""
    try:
        await asyncio.wait_for(waited, seconds)
    except TimeoutError:
        return False
    return True


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve as the command line says and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m mlops.serving.server", description="Serve one application.")
    parser.add_argument("--app", required=True, help="module:name of the ASGI application, from the current folder")
    parser.add_argument("--private", type=Path, help="path of the private Unix socket")
    parser.add_argument("--fd", type=int, help="number of an inherited listening socket")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, help="port to listen on")
    options = parser.parse_args(arguments)
    if (options.fd is None) == (options.port is None):
        if options.fd is not None or options.private is None:
            parser.error("give --fd, or --port, or --private alone")
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    try:
        _run(options)
    except MlopsError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _run(options: argparse.Namespace) -> None:
    public = None
    if options.fd is not None:
        public = listeners.inherited(options.fd)
    elif options.port is not None:  # before the application: a taken port is told at once
        public = listeners.bound(options.host, options.port)
    app = product.load(options.app, where="--app", repository=Path.cwd())
    wait = options.fd is not None and options.private is not None
    loop_factory: Any = None
    with contextlib.suppress(ImportError):
        import uvloop

        loop_factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(_start(app, public, options.private, wait or public is None))


async def _start(app: Any, public: socket.socket | None, private_path: Path | None, wait: bool) -> None:
    LOGGER.info("process %d serves %s", os.getpid(), type(app).__name__)
    await Service(app, public=public, private_path=private_path, wait=wait).run()


if __name__ == "__main__":
    sys.exit(main())
