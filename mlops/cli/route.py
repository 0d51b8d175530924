"""`mlops route`: what an event starts, and why.

This command is asked before every pipeline and from hooks, and shall take hardly longer than git
itself. So it is parsed with argparse, and the one slow question, the difference of two commits, is
put to git before anything else is imported: git answers while Python is still getting ready.
"""

from __future__ import annotations

import gc
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from mlops.routing.router.differences import Begun


def app(args: Sequence[str] | None = None, prog_name: str = "mlops route", standalone_mode: bool = True) -> int:
    """Run the command; returns its exit code (0, or an error is raised)."""
    gc.disable()  # a process of so short a life has nothing worth collecting
    words = list(sys.argv[1:] if args is None else args)
    if words[:1] in (["audit"], ["sync"]):
        from mlops.cli.filters import run as run_filters

        return run_filters(words, prog_name)
    if words[:1] == ["replay"]:
        from mlops.cli.replay import run as run_replay

        gc.enable()  # a history may be long
        return run_replay(words[1:], prog_name)
    begun = _begin(words)
    try:
        from mlops.cli.routing import run

        return run(words, prog_name, begun)
    finally:
        if begun is not None:
            begun.end()


def parser(name: str) -> argparse.ArgumentParser:
    """The options of this command."""
    from mlops.cli.routing import parser as made

    return made(name)


def _begin(words: list[str]) -> Begun | None:
    """The difference that a push with two commits will need. A guess: it is used only where it fits the event."""
    options = dict(zip(words, words[1:], strict=False))
    before, after = options.get("--before", ""), options.get("--after", "")
    if options.get("--event") != "push" or "--stdin0" in words or not before.strip("0") or not after.strip("0"):
        return None
    if before.startswith("-") or after.startswith("-"):
        return None
    from mlops.git import Git
    from mlops.routing.router.differences import Begun

    return Begun(Git(options.get("--repository", ".")), before, after)
