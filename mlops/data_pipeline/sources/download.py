"""A file from an HTTP address: streamed, bounded in size and time, whole or not at all; an interrupted one goes on."""

from __future__ import annotations

import dataclasses
import http.client
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from mlops.errors import BadDataError, MissingInputError, UnavailableError
from mlops.files import unwritable

MAXIMUM_BYTES = 256 * 1024**3
PATIENCE = 20.0
"""Seconds that the server may stay silent."""
DEADLINE = 6 * 3600.0
"""Seconds that the whole transfer may take."""
ATTEMPTS = 3
"""How often a transfer that breaks off is taken up again."""
_CHUNK = 1 << 20


@dataclasses.dataclass(frozen=True)
class Limits:
    """How much and how long a transfer may take; `until` is a moment of the monotonic clock."""

    maximum: int
    patience: float
    until: float


class _Broken(Exception):
    """The transfer ended early."""


def download(
    address: str, target: Path, *, maximum: int = MAXIMUM_BYTES, patience: float = PATIENCE, deadline: float = DEADLINE
) -> Path:
    """Write what `address` (http or https) answers to `target`, and return that.

    What is received stands beside the target until it is whole, with the server's mark of what it is part of (ETag, or
    the time of the last change). A later call, or a later attempt of this one, asks for the rest only, and starts
    anew where the server has something else by now. A target that is whole is kept while the server has the same.

    Raises:
        MissingInputError: the server says that there is no such thing, or refuses.
        UnavailableError: no answer, too slow, or the connection ended early.
        BadDataError: more than `maximum` bytes.
    """
    limits = Limits(maximum, patience, time.monotonic() + deadline)
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _attempt(address, target, limits)
            return target
        except _Broken as error:
            if attempt == ATTEMPTS or not _mark(target).exists():
                raise UnavailableError(str(error), where=without_secrets(address), mend="try again") from error
    raise AssertionError("unreachable")


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


def _part(target: Path) -> Path:
    return target.with_name(f"{target.name}.part")


def _mark(target: Path) -> Path:
    return target.with_name(f"{target.name}.mark")


def _attempt(address: str, target: Path, limits: Limits) -> None:
    shown = without_secrets(address)
    part, mark = _part(target), _mark(target)
    have = part.stat().st_size if part.exists() and mark.exists() else 0
    whole = target.exists() and mark.exists() and not part.exists()
    headers = {"User-Agent": "switchyard", "Accept-Encoding": "identity"}
    if have:
        headers |= {"Range": f"bytes={have}-", "If-Range": mark.read_text(encoding="latin-1")}
    elif whole:
        same = mark.read_text(encoding="latin-1")
        headers["If-None-Match" if same.startswith('"') else "If-Modified-Since"] = same
    request = urllib.request.Request(address, headers=headers)  # http(s) only
    try:
        with urllib.request.urlopen(request, timeout=limits.patience) as answer:
            if not answer.geturl().startswith(("http://", "https://")):
                raise MissingInputError("leads away from http", where=shown)
            _receive(answer, target, shown, limits, have)
    except urllib.error.HTTPError as error:
        if error.code == 304 and whole:
            return
        if error.code == 416:  # the part is no part of what is there now
            part.unlink(missing_ok=True)
            raise _Broken("the server has something else by now") from error
        raise _refused(error, shown) from error
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        if part.exists() and mark.exists() and part.stat().st_size > have:
            raise _Broken(f"the transfer broke off: {reason}") from error
        raise UnavailableError(
            f"the server did not answer: {reason}", where=shown,
            mend="check the address and the network, then try again",
        ) from error


def _refused(error: urllib.error.HTTPError, shown: str) -> UnavailableError | MissingInputError:
    said = f"the server answered {error.code} {error.reason}"
    if error.code >= 500 or error.code == 429:
        return UnavailableError(said, where=shown, mend="try again later")
    return MissingInputError(said, where=shown, mend="check the address and your right to it")


def _receive(answer: http.client.HTTPResponse, target: Path, shown: str, limits: Limits, have: int) -> None:
    """Put the answer behind what is there, or in its place where the server sends all."""
    part, mark = _part(target), _mark(target)
    if answer.status != 206 or not (answer.headers.get("Content-Range") or "").startswith(f"bytes {have}-"):
        have = 0
    length = answer.headers.get("Content-Length") or ""
    promised = have + int(length) if length.isdigit() else None
    if promised is not None and promised > limits.maximum:
        raise _too_large(shown, limits.maximum)
    tag = answer.headers.get("ETag") or ""
    same = tag if tag.startswith('"') else answer.headers.get("Last-Modified") or ""
    received = have
    try:
        if not have:
            target.unlink(missing_ok=True)  # before the mark, which is the target's where there is no part
        if same:
            mark.write_text(same, encoding="latin-1")
        else:
            mark.unlink(missing_ok=True)
        with part.open("r+b" if have else "wb") as file:
            file.seek(have)
            while chunk := answer.read1(_CHUNK):
                received += len(chunk)
                if received > limits.maximum:
                    raise _too_large(shown, limits.maximum)
                if time.monotonic() > limits.until:
                    raise UnavailableError("the transfer takes too long", where=shown, mend="fetch the file yourself")
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        if promised is not None and received != promised:
            raise _Broken(f"the transfer ended after {received} of {promised} bytes")
        os.replace(part, target)
    except (TimeoutError, ConnectionError):
        raise
    except OSError as error:
        raise unwritable(target, error) from error


def _too_large(shown: str, maximum: int) -> BadDataError:
    return BadDataError(
        f"is larger than {maximum / 1024**2:.0f} MiB", where=shown, mend="fetch the file yourself and give its path"
    )
