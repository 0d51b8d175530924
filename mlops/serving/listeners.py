"""Listening sockets of a service: inherited, bound here, or private; and what makes them answer HTTP.

A `Listener` is one listening socket with uvicorn's HTTP protocol behind it. It does what
`uvicorn.Server` does for one socket, but it can begin to accept later than the process starts and
end without a client noticing, which that class cannot.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import stat
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

from uvicorn import Config
from uvicorn.server import ServerState

from mlops.errors import BusyError, ConfigurationError, UsageError

BACKLOG = 2048
KEEP_ALIVE_SECONDS = 75
_LONGEST_UNIX_PATH = 103  # sun_path holds 104 bytes on macOS and 108 on Linux, one of them the end
_CLOSE = (b"connection", b"close")


class Listener:
    """Accepts connections on one socket and answers them with one ASGI application.

    Args:
        lifespan_state: What the application's lifespan put into its state.
    """

    def __init__(self, app: Any, sock: socket.socket, lifespan_state: dict[str, Any]) -> None:
        self._config = Config(
            app, interface="asgi3", http="auto", ws="none", lifespan="off", log_config=None, access_log=False,
            server_header=False, proxy_headers=False, timeout_keep_alive=KEEP_ALIVE_SECONDS,
        )
        self._config.load()
        self._socket = sock
        self._lifespan_state = lifespan_state
        self._state = ServerState()
        self._server: asyncio.Server | None = None
        self._draining = False
        self.tick()

    @property
    def accepting(self) -> bool:
        """Whether connections are accepted."""
        return self._server is not None and not self._draining

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._state.connections)

    def tick(self) -> None:
        """Bring the headers that every answer carries up to date; call it once a second."""
        headers = [(b"date", formatdate(time.time(), usegmt=True).encode())]
        self._state.default_headers = [*headers, _CLOSE] if self._draining else headers

    async def accept(self) -> None:
        """Begin to accept; nothing happens when it did already."""
        if self._server is None and not self._draining:
            loop = asyncio.get_running_loop()
            self._socket.setblocking(False)
            self._server = await loop.create_server(self._protocol, sock=self._socket, backlog=BACKLOG)

    def _protocol(self) -> asyncio.Protocol:
        protocol: Any = self._config.http_protocol_class
        made: asyncio.Protocol = protocol(
            config=self._config, server_state=self._state, app_state=self._lifespan_state
        )
        return made

    def begin_drain(self) -> None:
        """Stop accepting. Every further answer on an open connection says that it is the last one there.

        Closing idle connections at once would lose the requests that are on their way to them; told
        `Connection: close`, a client takes the next one elsewhere by itself.
        """
        self._draining = True
        self.tick()
        if self._server is not None:
            self._server.close()  # and with it the socket
        else:
            self._socket.close()

    def close_idle(self) -> None:
        """Close connections without a request; the others close after their answer."""
        for connection in list(self._state.connections):
            connection.shutdown()

    def abort(self) -> None:
        """End what is still open."""
        for task in list(self._state.tasks):
            task.cancel()
        for connection in list(self._state.connections):
            transport = getattr(connection, "transport", None)
            if transport is not None:
                transport.abort()


def inherited(descriptor: int) -> socket.socket:
    """The listening socket that this process was started with as `descriptor`.

    Raises:
        UsageError: it is no listening socket.
    """
    try:
        sock = socket.socket(fileno=descriptor)
        listens = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise UsageError(
            f"the file descriptor {descriptor} is no socket: {error.strerror}", where="--fd",
            mend="start the process with the listening socket in pass_fds and its number in --fd",
        ) from error
    if not listens:
        raise UsageError(f"the socket {descriptor} does not listen", where="--fd", mend="call listen() on it first")
    os.set_inheritable(descriptor, False)
    return sock


def bound(host: str, port: int) -> socket.socket:
    """A listening TCP socket at `host`:`port`.

    Raises:
        BusyError: somebody listens there already.
        ConfigurationError: the address is not one of this machine's, or the port not allowed.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind, protocol)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(BACKLOG)
    except OSError as error:
        where = f"{host}:{port}"
        if error.errno == errno.EADDRINUSE:
            raise BusyError(
                "somebody listens there already", where=where, mend="stop that program, or choose another --port"
            ) from error
        raise ConfigurationError(
            f"cannot be listened on: {error.strerror}", where=where, mend="choose another --host or --port"
        ) from error
    return sock


def private(path: Path) -> socket.socket:
    """A listening Unix socket at `path` that only this user may connect to.

    It is there only once it listens, so whoever finds the file may connect. A socket that a dead process left there
    is replaced.

    Raises:
        BusyError: somebody answers on it.
        ConfigurationError: it cannot be made there.
    """
    unfinished = f"{path}~"
    if len(os.fsencode(unfinished)) > _LONGEST_UNIX_PATH:
        raise ConfigurationError(
            f"is longer than the {_LONGEST_UNIX_PATH - 1} bytes that a socket's path may have", where=path,
            mend="use a shorter folder",
        )
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_stale(path)
        Path(unfinished).unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            sock.bind(unfinished)
        finally:
            os.umask(before)
        sock.listen(BACKLOG)
        os.rename(unfinished, path)
    except OSError as error:
        sock.close()
        raise ConfigurationError(
            f"the private socket cannot be made: {error.strerror}", where=path, mend="make its folder writable"
        ) from error
    return sock


def _remove_stale(path: Path) -> None:
    try:
        if not stat.S_ISSOCK(path.stat().st_mode):
            raise ConfigurationError("is there already and is no socket", where=path, mend="choose another --private")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            path.unlink(missing_ok=True)
            return
    raise BusyError("another process answers on it", where=path, mend="stop it, or choose another --private")
