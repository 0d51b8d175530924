"""A JSON API over HTTP: bounded patience, bounded retries, errors that never show a secret.

For GitHub's API and Jira's. What a server may already have done is not asked of it twice: a request that changes
something is repeated only where it surely was not carried out.
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from mlops.errors import ConfigurationError, InvalidRecordError, MissingInputError, UnavailableError, UsageError

PATIENCE = 20.0
"""Seconds that a server may stay silent."""
TRIES = 4
LONGEST = 90.0
"""Seconds that one request may wait in all before it is tried again; a server that asks for more is given up."""
_MOST = 16 * 1024**2  # bytes of an answer
_SAFE = ("GET", "PUT", "PATCH", "DELETE")  # may be repeated: twice is the same as once


class Answer(NamedTuple):
    """What the server said; `document` is the JSON, or text where it is none."""

    status: int
    headers: Mapping[str, str]
    document: Any

    @property
    def message(self) -> str:
        """The server's own words, one line."""
        found = self.document
        if isinstance(found, dict):
            errors = found.get("errors") or found.get("errorMessages") or ""
            found = " ".join(str(each) for each in (found.get("message"), errors) if each)
        return " ".join(str(found or "").split())[:300]


class Api:
    """An API at a base address.

    Args:
        base: Such as https://api.github.com; http or https.
        name: What errors call it.
        headers: Sent with every request, the authorization among them; never printed.
        pause: Waits that many seconds.
    """

    def __init__(
        self, base: str, *, name: str, headers: Mapping[str, str], pause: Callable[[float], None] = time.sleep
    ) -> None:
        parts = urllib.parse.urlsplit(base)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise ConfigurationError(
                "is no http or https address without user and password", where=f"{name}'s address",
                mend="write it like https://host",
            )
        if not all(value.isascii() and value.isprintable() for value in headers.values()):
            raise ConfigurationError(
                "holds a line end or another character that no header may have", where=f"{name}'s token or user",
                mend="set it again, without a line end",
            )
        self.base = base.rstrip("/")
        self.name = name
        self._headers = {"User-Agent": "switchyard", "Accept": "application/json", **headers}
        self._pause = pause
        self._opener = urllib.request.build_opener(_SameHost)

    def ask(self, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None) -> Answer:
        """The answer to a request, whatever its status below 500, but for "too many requests", which is waited for.

        Args:
            path: From the base address, or a whole address of the same server (the next page).

        Raises:
            UnavailableError: no answer, a server error, or too many requests for longer than is waited.
            InvalidRecordError: `path` is of another server.
        """
        address = path if path.startswith(f"{self.base}/") else self.base + path
        if not address.startswith(f"{self.base}/"):
            raise InvalidRecordError(
                f"{self.name} leads to another server", where=path[:200], mend="check the address that is set"
            )
        if query:
            address += "?" + urllib.parse.urlencode(query)
        content = None if body is None else json.dumps(body).encode()
        headers = self._headers | ({} if body is None else {"Content-Type": "application/json"})
        waited, problem = 0.0, ""
        for turn in range(TRIES):
            try:
                answer = self._once(urllib.request.Request(address, content, headers, method=method))
            except (OSError, http.client.HTTPException) as error:  # URLError and timeouts are OSErrors
                reason = getattr(error, "reason", None) or error
                problem, wait = f"did not answer: {reason}", 1.0 * 2**turn
                if method not in _SAFE and not isinstance(reason, ConnectionRefusedError):
                    break  # it may have been done
            else:
                limited = _limited(answer)
                if answer.status < 500 and limited is None:
                    return answer
                problem = f"answered {answer.status} {answer.message}".rstrip()
                wait = limited if limited is not None else 1.0 * 2**turn
                if method not in _SAFE and limited is None and answer.status != 503:
                    break
            if turn == TRIES - 1 or waited + wait > LONGEST:
                break
            self._pause(wait)
            waited += wait
        raise UnavailableError(
            f"{self.name} {problem}", where=f"{method} {urllib.parse.urlsplit(address).path}",
            mend="run the same command again later; nothing is done twice",
        )

    def need(
        self, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None, *, right: str = ""
    ) -> Answer:
        """As `ask`, for an answer that must be a yes.

        Args:
            right: What the token must be allowed to, for the error.

        Raises:
            ConfigurationError: 401 or 403.
            MissingInputError: 404.
            UsageError: any other no.
        """
        return self.expect(self.ask(method, path, body, query), f"{method} {path}", right)

    def expect(self, answer: Answer, where: str, right: str = "") -> Answer:
        """The answer, where it is a yes; raises as `need` does."""
        if answer.status < 300:
            return answer
        told = f"{self.name} says {answer.status}: {answer.message or 'no reason given'}"
        if answer.status in (401, 403):
            raise ConfigurationError(told, where=where, mend=f"give a token that may {right or 'do this'}")
        if answer.status in (404, 410):
            raise MissingInputError(told, where=where, mend="check the name, and that the token may see it")
        raise UsageError(told, where=where, mend="the request does not fit what is there; see the server's own words")

    def _once(self, request: urllib.request.Request) -> Answer:
        try:
            with self._opener.open(request, timeout=PATIENCE) as response:
                return Answer(response.status, _lower(response.headers), _document(response.read(_MOST)))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, _lower(error.headers), _document(error.read(_MOST)))


def _lower(headers: Any) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _document(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return content.decode(errors="replace")


def _limited(answer: Answer) -> float | None:
    """Seconds to wait where the server says "too many requests", None where it does not."""
    limited = answer.status == 429 or (answer.status == 403 and (
        "retry-after" in answer.headers or answer.headers.get("x-ratelimit-remaining") == "0"
        or "rate limit" in answer.message.lower()
    ))
    if not limited:
        return None
    after = answer.headers.get("retry-after", "")
    if after.isdigit():
        return float(after)
    reset = answer.headers.get("x-ratelimit-reset", "")
    if answer.headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        return max(float(reset) - time.time(), 0.0) + 1.0
    return 60.0  # GitHub: without a header wait for a minute at least


class _SameHost(urllib.request.HTTPRedirectHandler):
    """Follows a redirect only to the same server: the token goes nowhere else."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        before, after = urllib.parse.urlsplit(req.full_url), urllib.parse.urlsplit(newurl)
        if (before.scheme, before.netloc) != (after.scheme, after.netloc):
            return None
        return super().redirect_request(req, fp, code, msg, headers, newurl)
