"""The local runtime: makes what runs on this machine what the manifest's head says.

    deploy     read the head, reconcile; old processes serve until the new ones have answered
    status     what runs
    stop       end everything
    preflight  whether the ports are to be had
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlops import files, processes
from mlops.config import Settings, Workspace
from mlops.deployment_manager import ports, wire
from mlops.errors import ConfigurationError, MissingInputError, ReleaseError, UnavailableError
from mlops.records.base import Record
from mlops.records.release import Release

STATE_FILE = "state.json"
APPLICATION = "app.main:app"
"""Every service's ASGI application, from its own folder."""

# What a process needs to run at all; a change of these restarts nothing.
_BASE = (
    "PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "SSL_CERT_FILE",
    "MLOPS_PREDICT_MOST_ROWS", "MLOPS_PREDICT_MOST_BYTES",
)
_APPLY_SECONDS = 300.0


class ServiceStatus(Record, frozen=True, kw_only=True):
    """A service as it runs.

    Attributes:
        pid: None where it does not run.
        ready: It answers /ready with 200 and accepts on its address.
        models: What it says that it serves: name → {version, sha256, engine}.
        problems: Why it is not ready, in its own words.
        restarts: How often it was started again after a crash.
    """

    name: str
    pid: int | None
    digest: str
    address: str
    ready: bool
    models: dict[str, Any] = {}
    problems: list[str] = []
    restarts: int = 0
    log: str = ""


class Deployed(Record, frozen=True, kw_only=True):
    """What a deploy did; `changed` is empty where everything was as it should be."""

    manifest: str
    release: str | None
    changed: list[str]
    services: list[ServiceStatus]


class DeployError(ReleaseError):
    """The services could not be made what the manifest says; what ran before goes on.

    Attributes:
        suspect: `image`, `models`, or empty where the machine is to blame.
    """

    def __init__(self, message: str, *, suspect: str, where: str | Path, mend: str) -> None:
        super().__init__(message, where=where, mend=mend)
        self.suspect = suspect


def deploy(
    places: Workspace, settings: Settings, release: Release | None = None,
    say: Callable[[str], None] = lambda text: None, *, patience: float = 20.0,
) -> Deployed:
    """Make what runs what the manifest's head says.

    A new image's process answers on a private socket before it accepts; the old one drains then. Where only models
    changed, they are reloaded. Nothing is restarted that is right already. Killed at any moment, the next call goes on.

    Args:
        release: The record that the head is expected to hold; only its id is kept, the head decides.
        patience: Seconds that a process which answers may take to become ready.

    Raises:
        DeployError: a new process or list of models did not do; the old ones go on.
        BusyError: a port is taken, or another deploy works here.
        MissingInputError: an image or the overlay is not there.
    """
    from mlops import images

    commit, digests, models = read_manifest(settings)
    roots = {name: images.check(places, name, digest) for name, digest in digests.items() if digest}
    specs = [_spec(places, settings, name, digests[name], root, models) for name, root in roots.items()]
    with files.lock(places.runtime / "deploy.lock", timeout=60.0, what="another deploy"):
        if not specs and _control(places) is None:
            return Deployed(manifest=commit, release=None, changed=[], services=[])
        control = _control(places) or _start(places)
        request = {
            "op": "apply", "services": specs, "manifest": commit, "release": release.id if release else None,
            "patience": patience,
        }
        answer = _ask(places, control, request, _APPLY_SECONDS, say)
        held = answer if answer.get("ok") else _ask(places, control, {"op": "status", "probe": False}, 15.0, say)
        if not held["services"]:
            stop(places)  # a supervisor that holds nothing
    if not answer.get("ok"):
        raise _failure(places, settings, answer)
    return Deployed(
        manifest=commit, release=release.id if release else None, changed=answer["changed"], services=_services(answer)
    )


def read_manifest(settings: Settings) -> tuple[str, dict[str, str], str]:
    """(head commit, image → digest, the list of models) of the environment's overlay.

    The list is written anew, without the builds: a build that is only counted up reloads nothing.

    Raises:
        MissingInputError: no repository, branch or overlay.
        ConfigurationError: the overlay is no kustomization.
    """
    from mlops import gitops
    from mlops.gitops import kustomization, served

    folder = gitops.overlay(settings.environment)
    with gitops.manifest(settings).open() as head:
        content = head.read(f"{folder}/{kustomization.FILE}")
        released = served.read(head.read(f"{folder}/{served.FILE}"), f"{folder}/{served.FILE}")
    if content is None:
        raise MissingInputError("the manifest repository holds no such overlay", where=folder)
    digests = kustomization.digests(content, f"{folder}/{kustomization.FILE}")
    return head.commit, digests, served.render(served.Served(models=released.models)).decode()


def status(places: Workspace) -> list[ServiceStatus]:
    """The services, asked whether they are ready; empty where nothing was started or all was stopped."""
    state = _state(places)
    if state is None:
        return []
    try:
        answer = wire.ask(state["control"], {"op": "status", "probe": True}, timeout=15.0)
    except OSError:  # the supervisor was killed, and the services with it
        return [
            ServiceStatus(name=name, pid=None, digest=service["digest"], address=service["address"], ready=False,
                          problems=["the supervisor does not run; `mlops run` starts it"], log=service["log"])
            for name, service in sorted(state["services"].items())
        ]
    return _services(answer)


def stop(places: Workspace) -> list[str]:
    """End all services and the supervisor, requests in flight answered first; returns the services' names."""
    state = _state(places)
    if state is None:
        return []
    stopped = sorted(state["services"])
    try:
        wire.ask(state["control"], {"op": "stop"}, timeout=20.0)
    except OSError:
        pass  # not there any more, or too slow: made to end below
    processes.terminate(state["pid"], state["token"], grace=5.0)
    _clear(places, state)
    return stopped


def out_of_step(places: Workspace, settings: Settings) -> str | None:
    """Why what runs is not what the manifest's head says, None where it is. Cheap: for every `mlops run`."""
    from mlops.gitops.local import head  # no YAML, no process

    state = _state(places)
    if state is None:
        return "no service runs"
    try:
        answer = wire.ask(state["control"], {"op": "status", "probe": False}, timeout=5.0)
    except OSError:
        return "the supervisor does not run"
    applied = answer["applied"].get("manifest")
    if applied is None or applied != (head(places, settings) or applied):
        return "the manifest has a newer head"
    for service in answer["services"]:
        if not service["alive"] or not service["ready"]:
            return f"{service['name']} does not run"
        if service["port"] != [settings.ports.host, _port(settings, service["name"])]:
            return f"{service['name']} has another address in the settings"
    return None if answer["services"] else "no service runs"


def preflight(places: Workspace, settings: Settings, services: list[str]) -> None:
    """Raise unless each service's port is free, or held by this workspace's own supervisor.

    Raises:
        BusyError: a port is taken; the error names it, its setting and, where known, who holds it.
        ConfigurationError: a port may not be used, or there is no setting for it.
    """
    state = _state(places)
    own: list[list[Any]] = []
    if state is not None:
        try:
            own = [each["port"] for each in
                   wire.ask(state["control"], {"op": "status", "probe": False}, timeout=5.0)["services"]]
        except OSError:
            _clear(places, state)
    for name in services:
        port = _port(settings, name)
        if [settings.ports.host, port] not in own:
            ports.check(name, settings.ports.host, port)


def _services(answer: dict[str, Any]) -> list[ServiceStatus]:
    names = ServiceStatus.__struct_fields__
    return [ServiceStatus(**{name: service[name] for name in names}) for service in answer["services"]]


def _spec(
    places: Workspace, settings: Settings, name: str, digest: str, root: Path, models: str
) -> dict[str, Any]:
    folder = root / "services" / name
    if not folder.is_dir():
        raise MissingInputError(f"the image of {name} has no folder services/{name}", where=root)
    return {
        "name": name, "host": settings.ports.host, "port": _port(settings, name), "digest": digest,
        "command": [sys.executable, "-m", "mlops.serving.server", "--app", APPLICATION], "cwd": str(folder),
        "env": {
            "MLOPS_BUNDLE_STORE": settings.model_registry.registry_path, "MLOPS_DATABASE_URL": settings.database.url,
            "OMP_NUM_THREADS": "1", "PYTHONPATH": str(root), "PYTHONUNBUFFERED": "1",
        },
        "base": {key: os.environ[key] for key in _BASE if key in os.environ},
        "addresses": {"PREDICT_URL": "predict"}, "models": models,
    }


def _port(settings: Settings, name: str) -> int:
    port = getattr(settings.ports, name, None)
    if not isinstance(port, int):
        raise ConfigurationError(
            f"the service {name!r} has no port", where=f"ports.{name}", mend="the services that have one are in "
            "docs/reference/settings.md; the image's name in the overlay must be the service's name",
        )
    return port


def _failure(places: Workspace, settings: Settings, answer: dict[str, Any]) -> Exception:
    if name := answer.get("port"):
        return ports.problem(name, settings.ports.host, _port(settings, name), answer.get("errno"), answer["error"])
    return DeployError(
        answer["error"], suspect=answer.get("suspect", ""), where=f"the services of {settings.environment}",
        mend=f"what ran before goes on; {places.logs} holds the services' logs",
    )


def _state(places: Workspace) -> dict[str, Any] | None:
    try:
        state = json.loads((places.runtime / STATE_FILE).read_bytes())
        return state if state["control"] and isinstance(state["services"], dict) and state["pid"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _control(places: Workspace) -> str | None:
    """The control socket of a supervisor that runs and speaks our protocol; what another one left is ended."""
    state = _state(places)
    if state is None:
        return None
    if processes.started(state["pid"]) == state["token"] and state.get("protocol") == wire.PROTOCOL:
        try:
            wire.ask(state["control"], {"op": "status", "probe": False}, timeout=15.0)
            return str(state["control"])
        except OSError:
            pass
    _clear(places, state)
    return None


def _clear(places: Workspace, state: dict[str, Any]) -> None:
    """End what a supervisor left and remove its state."""
    processes.terminate(state["pid"], state["token"], grace=15.0)
    for pid, token in state.get("processes", []):
        processes.terminate(pid, token, grace=2.0)
    (places.runtime / STATE_FILE).unlink(missing_ok=True)


def _start(places: Workspace) -> str:
    """Start the supervisor in a session of its own and return its control socket."""
    control = str(places.runtime / "control.sock")
    try:
        places.logs.mkdir(parents=True, exist_ok=True)
        log = (places.logs / "supervisor.log").open("ab")
        if not ports.fits(control):
            control = f"{tempfile.mkdtemp(prefix='switchyard-')}/control.sock"
        reader, writer = os.pipe()
    except OSError as error:
        raise files.unwritable(places.runtime, error) from error
    library = str(Path(__file__).parents[2])
    with log:
        process = subprocess.Popen(
            [sys.executable, "-m", "mlops.deployment_manager.supervisor", "--runtime", str(places.runtime), "--logs",
             str(places.logs), "--control", control, "--tell", str(writer)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=places.runtime, start_new_session=True,
            pass_fds=(writer,), env={**os.environ, "PYTHONPATH": library},
        )
    os.close(writer)
    with os.fdopen(reader, "rb") as told:
        if told.readline() != b"up\n":
            process.wait()
            raise UnavailableError(
                "the supervisor of the services did not start", where=places.logs / "supervisor.log",
                mend="the log says why",
            )
    return control


def _ask(
    places: Workspace, control: str, request: dict[str, Any], timeout: float, say: Callable[[str], None]
) -> dict[str, Any]:
    try:
        return wire.ask(control, request, timeout=timeout, tell=say)
    except OSError as error:
        raise UnavailableError(
            f"the supervisor of the services does not answer: {error}", where=places.logs / "supervisor.log",
            mend="run the same command again; it starts a new one where the old one is gone",
        ) from error
