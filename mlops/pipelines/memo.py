"""The last answer, remembered for as long as nothing that it rests on looks different.

The receipts decide what is up to date; deciding it means to load this program, to ask git and to
hash. Where every file of the tree and of the state that a run looked at has the same size, inode and
time, where git stands at the same commit, the settings are the same and the same processes serve, the
answer is the same too, and a run with nothing to do only has to repeat it. Whatever is in doubt (a file
touched within the last moments, a system without /proc) is not remembered.

Standard library only, and little of it: this is what makes a second run as quick as Python's start.
"""

import json
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    Stat = list[int] | None

_FORM = 1
_RACY_NS = 60_000_000  # a kernel's clock tick is 10 ms at the longest
_COARSE_NS = 2_500_000_000  # file systems that keep whole seconds, or every other one
_SKIPPED = frozenset({".git", ".mlops", ".venv", "__pycache__", ".pytest_cache", ".mypy_cache", "node_modules"})
_MOST = 20_000  # files of a tree beyond which looking at all of them is no gain


def recall(folder: str) -> "tuple[str, str] | None":
    """What the last run in the repository of `folder` said: (progress, answer). None where it may not hold any more."""
    top = _top(folder)
    if top is None:
        return None
    try:
        with open(_place(top), encoding="utf-8") as file:
            memo = json.load(file)
        if memo["asked"] != _asked(top) or any(_stat(path) != seen for path, seen in memo["seen"].items()):
            return None
        if any(_started(pid) != token for pid, token in memo["processes"]):
            return None
        return memo["progress"], memo["answer"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep(top: str, progress: str, answer: str) -> bool:
    """Remember the answer, just given, that everything in the work tree at `top` is up to date; whether it could be."""
    import time

    try:
        paths = set(_beside(top))
        for path in _tree(top):
            paths.add(path)
            if len(paths) > _MOST:
                return False
        processes = _processes(top)
        seen = {path: _stat(path) for path in sorted(paths)}
        now = time.time_ns()
        if not processes or any(_racy(each, now) for each in seen.values()):
            return False
        memo = {
            "asked": _asked(top), "seen": seen, "processes": processes, "progress": progress, "answer": answer,
        }
        place = _place(top)
        with open(f"{place}.part", "w", encoding="utf-8") as file:
            json.dump(memo, file)
        os.replace(f"{place}.part", place)
        return True
    except (OSError, ValueError, KeyError, TypeError):  # a cache: the next run decides anew
        return False


def _top(folder: str) -> "str | None":
    folder = os.path.realpath(folder)
    while not os.path.exists(os.path.join(folder, ".git")):
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above
    return folder


def _place(top: str) -> str:
    return os.path.join(top, ".mlops", "cache", "answer.json")


def _asked(top: str) -> "list[object]":
    """What beside the files decides the answer: form, Python, terminal, environment, the names at the top."""
    named = sorted(
        f"{name}={value}" for name, value in os.environ.items()
        if name.startswith(("MLOPS_", "MLFLOW_", "GIT_", "GITHUB_")) or name in ("PATH", "HOME", "NO_COLOR", "TERM")
    )
    names = sorted(name for name in os.listdir(top) if name not in _SKIPPED and not name.startswith(".coverage"))
    return [_FORM, sys.version, sys.executable, sys.stderr.isatty(), named, names]


def _stat(path: str) -> "Stat":
    try:
        found = os.stat(path)
    except OSError:
        return None
    return [found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_mode]


def _racy(seen: "Stat", now: int) -> bool:
    """Whether a second change could hide in the same tick of the clock."""
    if seen is None:
        return False
    newest = max(seen[:2])
    return now - newest < (_COARSE_NS if newest % 1_000_000 == 0 else _RACY_NS)


def _tree(top: str) -> "Iterator[str]":
    """Every file and folder of the work tree; a folder's time tells of files that come and go."""
    for folder, folders, names in os.walk(top):
        folders[:] = [name for name in folders if name not in _SKIPPED]
        if folder != top:  # its time changes with every cache that a tool leaves there; `_asked` has its names
            yield folder
        yield from (os.path.join(folder, name) for name in names)


def _beside(top: str) -> "Iterator[str]":
    """What the answer rests on beside the tree: git's own files, the settings, the state."""
    git, state = os.path.join(top, ".git"), os.path.join(top, ".mlops")
    for name in ("HEAD", "index", "packed-refs", "config", "info/exclude", "logs/HEAD"):
        yield os.path.join(git, name)
    yield os.path.join(top, "mlops_config.json")
    if "MLOPS_CONFIG_FILE" in os.environ:
        yield os.path.realpath(os.environ["MLOPS_CONFIG_FILE"])
    for folder in ("data", "models", "bundles", "images", "receipts", "release"):
        for base, folders, files in os.walk(os.path.join(state, folder)):
            if folder == "images" and base != os.path.join(state, folder):
                folders[:] = []  # an image is whole or not there; what runs is loaded already
            yield base
            yield from (os.path.join(base, name) for name in files)
    yield os.path.join(state, "runs", "last.json")
    for name in ("state.json", "in_force.json", "proven.json"):
        yield os.path.join(state, "runtime", name)
    for base, _, files in os.walk(os.path.join(state, "manifests.git", "refs")):
        yield from (os.path.join(base, name) for name in files)


def _processes(top: str) -> "list[list[object]]":
    """The supervisor and the services that it runs: process id and when it was started."""
    with open(os.path.join(top, ".mlops", "runtime", "state.json"), encoding="utf-8") as file:
        state = json.load(file)
    found = [[state["pid"], state["token"]], *state["processes"]]
    return found if all(_started(pid) == token for pid, token in found) else []


def _started(pid: int) -> "str | None":
    """The token of `mlops.processes.started`, read without its imports; None without /proc."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]
