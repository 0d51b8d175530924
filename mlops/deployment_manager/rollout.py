"""One change of what runs, done wholly or not at all. Standard library only.

New processes are started and answer on their private sockets; only when all are ready does
anything change for clients: models are reloaded where only they changed, the new processes begin
to accept beside the old ones, and then the old ones drain. Until that point everything can be taken back.
"""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from mlops.deployment_manager.child import DRAIN_SECONDS, Child, Failed, Spec

if TYPE_CHECKING:
    from mlops.deployment_manager.supervisor import Supervisor


@dataclasses.dataclass(frozen=True)
class Listener:
    """A public listening socket; `wanted` is the (host, port) that was asked for, port 0 for any."""

    wanted: tuple[str, int]
    socket: socket.socket

    @property
    def address(self) -> str:
        """`http://host:port`."""
        host, port = self.socket.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def bind(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        OSError: the port is taken or may not be used, or there is no such host.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(2048)
    except OSError:
        bound.close()
        raise
    return bound


class Rollout:
    """One `apply`.

    Args:
        patience: Seconds that a process which answers may take to become ready.

    Attributes:
        binding: The service whose port was being bound when an OSError came.
    """

    def __init__(
        self, supervisor: Supervisor, specs: list[Spec], tell: Callable[[str], None], patience: float
    ) -> None:
        self._supervisor = supervisor
        self._specs = specs
        self._tell = tell
        self._patience = patience
        self._before = dict(supervisor.listeners)
        self._staged: list[Child] = []
        self._reloaded: list[tuple[Child, str, bool]] = []
        self.binding: str | None = None

    def run(self) -> list[str]:
        """Make the change and return what was changed, a short text a service.

        Raises:
            Failed: a new process or list did not do; nothing was changed.
            OSError: a port could not be had; nothing was changed.
        """
        try:
            self._listen()
            self._stage()
            self._switch()
        except BaseException:
            self._take_back()
            raise
        return self._settle()

    def _listen(self) -> None:
        """Bind what is new. The old sockets stay open until the end."""
        listeners = self._supervisor.listeners
        for spec in self._specs:
            self.binding = spec.name
            held = listeners.get(spec.name)
            if held is None or held.wanted != (spec.host, spec.port):
                listeners[spec.name] = Listener((spec.host, spec.port), bind(spec.host, spec.port))
        self.binding = None

    def _stage(self) -> None:
        supervisor = self._supervisor
        addresses = supervisor.addresses()
        for spec in self._specs:
            old = supervisor.services.get(spec.name)
            moved = supervisor.listeners[spec.name] is not self._before.get(spec.name)
            if old is not None and old.identity == spec.identity(addresses) and not moved and self._sound(old, spec):
                continue
            self._tell(f"{spec.name}: starting image {spec.digest[7:19]}")
            self._staged.append(supervisor.spawn(spec, addresses))
        for child in self._staged:
            begun = time.monotonic()
            child.wait_ready(supervisor.stopping.is_set, self._patience)
            self._tell(f"{child.spec.name}: ready after {time.monotonic() - begun:.1f} s")

    @staticmethod
    def _sound(old: Child, spec: Spec) -> bool:
        """Whether the running process can go on: it is ready, or a new list of models will make it so."""
        return old.alive and old.accepting and (old.models != spec.models or old.ready()[0])

    def _switch(self) -> None:
        """The new lists, then the new processes: from here clients see the change."""
        staged = {child.spec.name for child in self._staged}
        for spec in self._specs:
            child = self._supervisor.services.get(spec.name)
            if spec.name not in staged and child is not None and child.models != spec.models:
                before = child.models
                reads = child.reload(spec.models)
                self._reloaded.append((child, before, reads))
                child.wait_ready(self._supervisor.stopping.is_set, self._patience)
                if reads:
                    self._tell(f"{spec.name}: models reloaded")
        for child in self._staged:
            child.accept()

    def _settle(self) -> list[str]:
        """What cannot be taken back: the old processes end when they have answered."""
        supervisor = self._supervisor
        changed = [f"{child.spec.name} started" for child in self._staged]
        changed += [f"{child.spec.name} reloaded" for child, _, reads in self._reloaded if reads]
        wanted = {spec.name for spec in self._specs}
        replaced = {child.spec.name for child in self._staged}
        leaving = [child for name, child in supervisor.services.items() if name not in wanted or name in replaced]
        for name in [name for name in supervisor.services if name not in wanted]:
            del supervisor.services[name]
            changed.append(f"{name} stopped")
        for child in self._staged:
            supervisor.services[child.spec.name] = child
            supervisor.restarts.pop(child.spec.name, None)
        supervisor.save(*leaving)
        for child in leaving:
            child.end()
        deadline = time.monotonic() + DRAIN_SECONDS
        for child in leaving:
            child.wait_end(deadline)
        for name, listener in self._before.items():
            if supervisor.listeners.get(name) is not listener:
                listener.socket.close()
        for name in [name for name in supervisor.listeners if name not in wanted]:
            supervisor.listeners.pop(name).socket.close()
        return changed

    def _take_back(self) -> None:
        supervisor = self._supervisor
        for child, before, _ in self._reloaded:
            with contextlib.suppress(Failed):
                child.reload(before)
        for child in self._staged:
            child.end()
        deadline = time.monotonic() + DRAIN_SECONDS
        for child in self._staged:
            child.wait_end(deadline)
        for name, listener in list(supervisor.listeners.items()):
            if self._before.get(name) is not listener:
                listener.socket.close()
                del supervisor.listeners[name]
        supervisor.listeners.update(self._before)
        supervisor.save()
