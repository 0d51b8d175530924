"""The router beside git alone, and the path matcher beside pathspec and wcmatch (where those are installed)."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks.measure import processes, table
from mlops.git import MACHINERY, Git

_HERE = Path(__file__).parent.parent
_FILES, _CHANGED = 50_000, 10_000
_PATTERNS = ["services/**", "mlops/**/*.py", "**/docs/**", "*.md", "requirements/*.txt", "**.yaml", "model/configs/**"]


def report() -> str:
    """Wall time of `mlops route` on a large change, start-up included; time a name of the matcher."""
    with tempfile.TemporaryDirectory() as folder:
        repository = Path(folder) / "large"
        _make(repository)
        route = [str(Path(sys.executable).with_name("mlops")), "route", "--event", "push", "--before", "HEAD~1"]
        route += ["--after", "HEAD", "--repository", str(repository), "--format", "json"]
        figures = processes({
            "git diff --name-only": ["git", "-C", str(repository), "diff", "--name-only", "HEAD~1", "HEAD"],
            "mlops route": route,
        }, rounds=15)
    title = f"Routing a change of {_CHANGED:,} files in a tree of {_FILES:,} (target: 2.5 times git alone)"
    return f"{table(title, figures, against='git diff --name-only')}\n\n{_matchers()}\n\n{_audit()}"


def _audit() -> str:
    """Wall time of `mlops route audit` on a copy of this repository: nothing remembered, and everything."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        subprocess.run(["git", "clone", "-q", "--no-hardlinks", str(_HERE), str(copy)], check=True)
        memory = copy / ".mlops" / "cache" / "audit.json"
        audit = [str(Path(sys.executable).with_name("mlops")), "route", "audit", "--repository", str(copy)]
        times: dict[str, list[float]] = {"cold": [], "warm": []}
        for _ in range(7):
            memory.unlink(missing_ok=True)
            for name in times:
                began = time.perf_counter()
                subprocess.run(audit, capture_output=True, check=False)
                times[name].append(time.perf_counter() - began)
    shown = [f"{name:<5} {median(each):.2f} s ({min(each):.2f} to {max(each):.2f})" for name, each in times.items()]
    return "\n".join(["The audit of this repository, start-up included (target: warm under 1 s)", *shown])


def _make(repository: Path) -> None:
    """A repository of two commits with this repository's own workflows, packed."""
    names = [f"pkg{number // 1000:02}/sub{number // 50 % 20:02}/file{number:05}.py" for number in range(_FILES)]
    for parent in sorted({name.rpartition("/")[0] for name in names}):
        (repository / parent).mkdir(parents=True)
    git = Git(repository)
    git("init", "-q", "-b", "main")
    for step in (1, _FILES // _CHANGED):
        for name in names[::step]:
            (repository / name).write_text(f"{name}, {step}\n")
        workflows = repository / ".github" / "workflows"
        workflows.mkdir(parents=True, exist_ok=True)
        for path in (_HERE / ".github" / "workflows").glob("*.yml"):
            (workflows / path.name).write_bytes(path.read_bytes())
        git("add", "-A")
        git("commit", "-q", "-m", f"every {step}", env=MACHINERY)
    subprocess.run(["git", "-C", str(repository), "repack", "-qad"], check=True)


def _matchers() -> str:
    """Nanoseconds a name: is it included by any of the patterns."""
    names = Git(_HERE).text("ls-files", "-z").split("\0") * 5
    peers = {"mlops PathFilter": _ours, "pathspec (gitignore)": _pathspec, "wcmatch (glob)": _wcmatch}
    lines = [f"Matching {len(names):,} names against {len(_PATTERNS)} patterns"]
    base = 0.0
    for name, make in peers.items():
        matcher = make()
        if matcher is None:
            lines.append(f"  {name:<22}  not installed")
            continue
        times = []
        for _ in range(7):
            begun = time.perf_counter()
            for each in names:
                matcher(each)
            times.append((time.perf_counter() - begun) / len(names) * 1e9)
        base = base or median(times)
        spread = f"{median(times):.0f} ns ({min(times):.0f}–{max(times):.0f})"
        lines.append(f"  {name:<22}  {spread:>22}  {median(times) / base:.2f} times ours")
    return "\n".join(lines)


def _ours() -> Callable[[str], object]:
    from mlops.routing.router.filters import PatternList

    return PatternList(_PATTERNS).includes


def _pathspec() -> Callable[[str], object] | None:
    if importlib.util.find_spec("pathspec") is None:
        return None
    import pathspec

    return pathspec.PathSpec.from_lines("gitignore", _PATTERNS).match_file


def _wcmatch() -> Callable[[str], object] | None:
    if importlib.util.find_spec("wcmatch") is None:
        return None
    from wcmatch import glob

    return glob.compile(_PATTERNS, flags=glob.GLOBSTAR | glob.DOTGLOB).match
