"""Where notices go: Slack and Teams through apprise, Jira as issues.

Apprise's own Jira service speaks to the alerts of Jira Service Management, which most teams do not have; issues go
through `jira`.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from mlops.config import NotificationSettings
from mlops.errors import ConfigurationError, MissingInputError, MlopsError, UnavailableError
from mlops.pipelines.reporting.notices import Notice

TRIES = 3
_PATIENCE = (5.0, 15.0)  # seconds to connect, to answer
_KINDS = {"failure": "failure", "recovery": "success", "release": "success"}


class Channel(NamedTuple):
    """A channel that is configured: its name, the setting that names it, and what sends a notice."""

    name: str
    setting: str
    send: Callable[[Notice], str]


def configured(settings: NotificationSettings, *, pause: Callable[[float], None] = time.sleep) -> list[Channel]:
    """The channels that the settings name."""
    from mlops.pipelines.reporting import jira

    found = []
    for name, address in (("slack", settings.slack), ("teams", settings.teams)):
        if address:
            found.append(Channel(name, f"MLOPS_NOTIFY_{name.upper()}", _webhook(name, address.strip(), pause)))
    if settings.jira_url:
        found.append(Channel("jira", "MLOPS_NOTIFY_JIRA_URL", jira.sender(settings, pause)))
    return found


def tell(channels: list[Channel], notice: Notice) -> tuple[list[str], list[MlopsError]]:
    """Send the notice to every channel; one that fails keeps no other from being told.

    Returns:
        What was sent, in words, and an error for each channel that was not told; it names the channel.
    """
    sent: list[str] = []
    errors: list[MlopsError] = []
    for each in channels:
        try:
            sent.append(f"{each.name}: {each.send(notice)}")
        except MlopsError as error:
            where = f"{each.name} ({error.where or each.setting})"
            errors.append(type(error)(error.message, where=where, mend=error.mend))
    return sent, errors


def _webhook(name: str, address: str, pause: Callable[[float], None]) -> Callable[[Notice], str]:
    def send(notice: Notice) -> str:
        service = _service(name, address)
        body = "\n".join([*notice.lines, *([notice.address] if notice.address else [])])
        problem = ""
        for turn in range(TRIES):
            with _warnings() as told:
                done = service.notify(
                    body=body, title=notice.title, notify_type=_KINDS[notice.event], body_format="text"
                )
            if done:
                return "told"
            problem = " ".join(told) or "no reason given"
            if not _passing(problem):
                break
            if turn < TRIES - 1:
                pause(2.0**turn)
        raise UnavailableError(
            f"was not told: {problem}", mend=f"check the webhook's address in MLOPS_NOTIFY_{name.upper()}, and that "
            "the channel still has it",
        )

    return send


def _service(name: str, address: str) -> Any:
    """Apprise's service for an address, which is a secret and so is never part of an error."""
    try:
        import apprise
    except ImportError as error:
        raise MissingInputError(
            "apprise is not installed", mend="install switchyard with its extra `notifications`"
        ) from error
    asset = apprise.AppriseAsset(
        app_id="Switchyard", app_desc="Switchyard", app_url="", image_url_mask="", image_url_logo="", async_mode=False,
    )
    with _warnings():
        service: Any = apprise.Apprise.instantiate(address, asset=asset)
    kinds = {"slack": "NotifySlack", "teams": "NotifyWorkflows"}
    if type(service).__name__ != kinds[name]:
        examples = {
            "slack": "https://hooks.slack.com/services/T…/B…/…",
            "teams": "https://HOST/workflows/…/triggers/manual/paths/invoke?…&sig=… (Workflows: \"When a Teams webhook "
            "request is received\")",
        }
        raise ConfigurationError(
            f"is no webhook address of {name.capitalize()}", mend=f"it looks like {examples[name]}"
        )
    service.include_image = False
    service.redirects = False  # what is sent goes where it was meant to go
    service.request_rate_per_sec = 0.0  # one message; between its tries we wait ourselves
    service.socket_connect_timeout, service.socket_read_timeout = _PATIENCE
    return service


def _passing(problem: str) -> bool:
    """Whether the same may go well a little later."""
    found = re.search(r"error=(\d+)", problem)
    return int(found[1]) in (429, 500, 502, 503, 504) if found else "onnection error" in problem


@contextmanager
def _warnings() -> Iterator[list[str]]:
    """What apprise warns of meanwhile: it tells reasons nowhere else. Its warnings hold no address."""
    told: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            told.append(" ".join(record.getMessage().split()))

    logger, handler = logging.getLogger("apprise"), Keep(logging.WARNING)
    before = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield told
    finally:
        logger.removeHandler(handler)
        logger.propagate = before
