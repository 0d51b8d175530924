"""What `predict` says of itself, asked at its /ready, without ever keeping a reader waiting for long."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from datetime import datetime, timezone
from typing import Any, TypedDict

TIMEOUT_SECONDS = 1.0
FRESH_SECONDS = 1.0
PATIENCE_SECONDS = 0.3
_MOST_BYTES = 1 << 20


class ServiceState(TypedDict):
    """The last answer of a service.

    `ready` is None until it was asked for the first time. `models` is as the service says: name →
    version, sha256, engine. `asked` is when this answer was got, ISO 8601.
    """

    name: str
    url: str
    ready: bool | None
    problems: list[str]
    models: dict[str, dict[str, Any]]
    asked: str | None


class Predict:
    """Asks `predict` in the background, one question at a time, and keeps the last answer.

    Args:
        url: Its address.
        timeout: Seconds that it has to answer.
        fresh: Seconds for which an answer is not asked for again.
    """

    def __init__(self, url: str, *, timeout: float = TIMEOUT_SECONDS, fresh: float = FRESH_SECONDS) -> None:
        self.url = url
        self._timeout = timeout
        self._fresh = fresh
        self._lock = threading.Lock()
        self._answered: threading.Event | None = None
        self._at = -float("inf")
        self._last = self._state(None, ["it has not been asked yet"])

    def state(self, patience: float = PATIENCE_SECONDS) -> ServiceState:
        """The last answer; where it is old, a new one if it comes within `patience` seconds."""
        with self._lock:
            if time.monotonic() - self._at < self._fresh:
                return self._last
            if self._answered is None:
                self._answered = threading.Event()
                threading.Thread(target=self._ask, args=(self._answered,), name="predict", daemon=True).start()
            answered = self._answered
        answered.wait(patience)
        return self._last

    def _ask(self, answered: threading.Event) -> None:
        try:
            found = self._fetch()
        except Exception as error:  # the thread's last line: whatever it is, it is shown
            found = self._state(False, [f"its answer cannot be read: {type(error).__name__}: {error}"])
        with self._lock:
            self._last, self._at, self._answered = found, time.monotonic(), None
        answered.set()

    def _fetch(self) -> ServiceState:
        try:
            with _OPENER.open(f"{self.url}/ready", timeout=self._timeout) as response:
                body = response.read(_MOST_BYTES)
        except urllib.error.HTTPError as refusal:  # 503 is an answer too, with its problems in it
            body = refusal.read(_MOST_BYTES)
            if refusal.code != 503:
                return self._state(False, [f"it answers {refusal.code} at /ready"])
        except (OSError, ValueError) as error:
            reason = getattr(error, "reason", None) or error
            return self._state(False, [f"it does not answer at {self.url}: {reason}"])
        answer = json.loads(body)
        if not isinstance(answer, dict) or not isinstance(answer.get("ready"), bool):
            return self._state(False, [f"what answers at {self.url}/ready is not predict"])
        models = answer.get("models")
        known = {str(name): facts for name, facts in models.items() if isinstance(facts, dict)} \
            if isinstance(models, dict) else {}
        return self._state(answer["ready"], [str(each) for each in answer.get("problems") or []], known)

    def _state(
        self, ready: bool | None, problems: list[str], models: dict[str, dict[str, Any]] | None = None
    ) -> ServiceState:
        asked = None if ready is None else datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        return {
            "name": "predict", "url": self.url, "ready": ready, "problems": problems, "models": models or {},
            "asked": asked,
        }


# A proxy of the environment must not be asked for a neighbour.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
