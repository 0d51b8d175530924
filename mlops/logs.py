"""What a command says while it works: to standard error, never to standard output, which is for answers."""

from __future__ import annotations

import logging
import os
import re
import sys

LOGGER = logging.getLogger("mlops")


def configure(*, verbose: bool = False) -> None:
    """Send the library's log records to standard error; warnings and worse, with `verbose` everything."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    LOGGER.handlers[:] = [handler]
    LOGGER.setLevel(logging.DEBUG if verbose else logging.WARNING)


def say(text: str) -> None:
    """One line of progress on standard error."""
    print(text, file=sys.stderr, flush=True)


def colours(stream: object = None) -> bool:
    """Whether `stream`, standard error when absent, is a terminal that wants colours (https://no-color.org)."""
    isatty = getattr(stream or sys.stderr, "isatty", None)
    return bool(isatty and isatty()) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def escape_command(text: str) -> str:
    """`text` made safe to print in a GitHub log, where a line that begins with `::` is a command."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def hide_secrets(address: str) -> str:
    """`address` (a URL) safe to print: the password, and options that hold a secret, as `***`.

    In an HTTP address a user without password may be a token, so it is hidden too. What is no valid
    address is hidden rather too much than too little.
    """
    found = re.fullmatch(r"([A-Za-z][\w+.-]*://)(\S*)@(.*)", address, re.DOTALL)
    if found:
        user, colon, _ = found[2].partition(":")
        hidden = f"{user}:***" if colon and user else "***" if colon or found[1].lower().startswith("http") else user
        address = f"{found[1]}{hidden}@{found[3]}"
    return re.sub(r"([?&;][^=&;]*(?:password|passwd|secret|token|key)=)[^&;]*", r"\1***", address, flags=re.IGNORECASE)
