"""A file from an HTTP address: streamed, bounded in size and time, whole or not at all."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from mlops.errors import BadDataError, MissingInputError, UnavailableError
from mlops.files import unwritable

MAXIMUM_BYTES = 2 * 1024**3
PATIENCE = 20.0
"""Seconds that the server may stay silent."""
DEADLINE = 900.0
"""Seconds that the whole transfer may take."""
_CHUNK = 1 << 20


def download(
    address: str, target: Path, *, maximum: int = MAXIMUM_BYTES, patience: float = PATIENCE, deadline: float = DEADLINE
) -> Path:
    """Write what `address` (http or https) answers to `target`, and return that.

    Raises:
        MissingInputError: the server says that there is no such thing, or refuses.
        UnavailableError: no answer, too slow, or the connection ended early.
        BadDataError: more than `maximum` bytes.
    """
    shown = without_secrets(address)
    request = urllib.request.Request(address, headers={"User-Agent": "switchyard"})  # http(s) only
    try:
        with urllib.request.urlopen(request, timeout=patience) as answer:
            if not answer.geturl().startswith(("http://", "https://")):
                raise MissingInputError("leads away from http", where=shown)
            _copy(answer, target, shown, maximum, time.monotonic() + deadline)
    except urllib.error.HTTPError as error:
        if error.code >= 500 or error.code == 429:
            raise UnavailableError(
                f"the server answered {error.code} {error.reason}", where=shown, mend="try again later"
            ) from error
        raise MissingInputError(
            f"the server answered {error.code} {error.reason}", where=shown,
            mend="check the address and your right to it",
        ) from error
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise UnavailableError(
            f"the server did not answer: {reason}", where=shown,
            mend="check the address and the network, then try again",
        ) from error
    return target


def without_secrets(address: str) -> str:
    """The address without user, password, query and fragment, fit to be printed and recorded.

    Raises:
        MissingInputError: it is no address.
    """
    try:
        parts = urllib.parse.urlsplit(address)
    except ValueError as error:
        raise MissingInputError(
            f"is no address: {error}", where=address[:80], mend="write it like https://host/file.csv"
        ) from error
    return urllib.parse.urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _copy(answer: http.client.HTTPResponse, target: Path, shown: str, maximum: int, until: float) -> None:
    promised = answer.headers.get("Content-Length")
    if promised and promised.isdigit() and int(promised) > maximum:
        raise _too_large(shown, maximum)
    received = 0
    try:
        with target.open("wb") as file:
            while chunk := answer.read1(_CHUNK):
                received += len(chunk)
                if received > maximum:
                    raise _too_large(shown, maximum)
                if time.monotonic() > until:
                    raise UnavailableError("the transfer takes too long", where=shown, mend="fetch the file yourself")
                file.write(chunk)
    except (TimeoutError, ConnectionError):
        raise
    except OSError as error:
        raise unwritable(target, error) from error
    if promised and promised.isdigit() and received != int(promised):
        raise UnavailableError(
            f"the transfer ended after {received} of {promised} bytes", where=shown, mend="try again"
        )


def _too_large(shown: str, maximum: int) -> BadDataError:
    return BadDataError(
        f"is larger than {maximum / 1024**2:.0f} MiB", where=shown, mend="fetch the file yourself and give its path"
    )
