"""The command `mlops`: parse, call the library, print. One module a noun, imported when it is asked for."""

from __future__ import annotations

import gc
import importlib
import sys
from collections.abc import Sequence

# noun → (module, what it is for). `mlops --help` reads this table alone and imports no noun.
NOUNS: dict[str, tuple[str, str]] = {
    "run": ("mlops.cli.run", "Run what the change affects: pipelines, gate, release, proof."),
    "status": ("mlops.cli.status", "Show what runs: services, addresses, models, the release."),
    "stop": ("mlops.cli.stop", "Stop the released services."),
    "route": ("mlops.cli.route", "Say which workflows a change starts, and why."),
    "gate": ("mlops.cli.gate", "Open or closed: compare what was planned with what happened."),
    "data": ("mlops.cli.data", "Ingest, validate, process, check and version a data set."),
    "model": ("mlops.cli.model", "Train, evaluate, register and promote a model."),
    "service": ("mlops.cli.service", "Test, lint and build the services."),
    "report": ("mlops.cli.report", "Tell what the pipelines did: summary, pull request comment, notifications."),
    "handover": ("mlops.cli.handover", "Start the next pipeline with what this one made."),
    "tree": ("mlops.cli.tree", "Check infrastructure, documents and the tree's own files."),
    "deploy": ("mlops.cli.deploy", "Ask whether a deploy can begin; write the manifest."),
    "release": ("mlops.cli.release", "List, show, compare, verify and roll back releases."),
    "database": ("mlops.cli.database", "Migrate and test the platform's database."),
    "config": ("mlops.cli.config", "Show the settings in force, secrets hidden."),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the command; ends the process with the exit code that the answer has."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] in ("-h", "--help", "help"):
        print(overview())
        sys.exit(0 if words else 2)
    if words[0] in ("-V", "--version"):
        from mlops import __version__

        print(f"mlops {__version__}")
        sys.exit(0)
    if words[0] not in NOUNS:
        import difflib

        near = difflib.get_close_matches(words[0], NOUNS, n=1)
        hint = f"did you mean `mlops {near[0]}`?" if near else "`mlops --help` lists the commands"
        print(f"mlops: no command {words[0]!r}\n  mend: {hint}", file=sys.stderr)
        sys.exit(2)
    if arguments is not None:
        sys.exit(_call(words[0], words[1:]))
    # A command that starts makes definitions, none of which is garbage: they are searched less often for it, and not
    # once more where they end with the process. Both together are a fifth of a short command's time.
    gc.set_threshold(100_000, 10, 10)
    from mlops.cli.postponed import postpone

    # A tenth of Polars' start, for the questions how old a plugin is and what a command says of credentials.
    postpone("importlib.metadata")
    postpone("subprocess")
    code = _call(words[0], words[1:])
    if "sqlite3" not in sys.modules:  # a connection that is left is closed, and its log folded in, by that search
        gc.freeze()
    sys.exit(code)


def _call(noun: str, words: list[str]) -> int:
    from mlops.errors import MlopsError

    try:
        if noun == "run" and not words:  # what is run most often, without options, needs no parser
            from mlops.cli.walking import walk_and_tell

            return walk_and_tell(".")
        module = importlib.import_module(NOUNS[noun][0])
        result = module.app(args=words, prog_name=f"mlops {noun}", standalone_mode=True)
    except MlopsError as error:
        print(f"mlops {noun}: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print(f"\nmlops {noun}: interrupted; run the same command again to go on", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader (head, less) has gone
        sys.stderr.close()
        return 0
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    return result if isinstance(result, int) else 0


def overview() -> str:
    """The text of `mlops --help`."""
    width = max(map(len, NOUNS))
    lines = [f"  {noun:<{width}}  {purpose}" for noun, (_, purpose) in NOUNS.items()]
    return "\n".join([
        "usage: mlops COMMAND [OPTIONS]", "", "From a push to a proven prediction.", "", "commands:", *lines, "",
        "`mlops COMMAND --help` tells more. Exit codes: 0 yes, 1 no, 2 could not be asked.",
    ])
