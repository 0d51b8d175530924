"""The files of a tree, as git sees them: tracked ones, those that would be, links and submodules.

A path that leads through a symbolic link or into a submodule is a change to another path: that of
the link, of what it points to, or of the submodule's entry. `resolve` says which.
"""

from __future__ import annotations

import os
import posixpath
from functools import cached_property
from pathlib import Path

from mlops.git import Git

_LINK, _SUBMODULE = "120000", "160000"
MODULES = ".gitmodules"


class Tree:
    """What lies in a repository.

    Args:
        repository: Its top.
        tracked: Paths that git tracks and that are there.
        others: Paths that git does not track and does not ignore.
        links: Those that are symbolic links → what is written in them.
        submodules: Paths of submodules.
    """

    def __init__(
        self, repository: Path, tracked: frozenset[str], others: frozenset[str] = frozenset(),
        links: dict[str, str] | None = None, submodules: frozenset[str] = frozenset(),
    ) -> None:
        self.repository = repository
        self.tracked = tracked
        self.files = tracked | others
        self.links = links or {}
        self.submodules = submodules

    @cached_property
    def folders(self) -> dict[str, list[str]]:
        """Every folder → all files below it, sorted."""
        found: dict[str, list[str]] = {}
        for path in sorted(self.files):
            folder = posixpath.dirname(path)
            while folder:
                found.setdefault(folder, []).append(path)
                folder = posixpath.dirname(folder)
        return found

    def below(self, folder: str) -> list[str]:
        """All files in a folder and its folders, sorted; all of the tree for the top."""
        return sorted(self.files) if folder in ("", ".") else self.folders.get(folder, [])

    def resolve(self, path: str, _depth: int = 0) -> list[str]:
        """The paths whose change changes what `path` holds: itself, the links on the way, a submodule's entry.

        Empty where nothing is there, outside the tree too. A folder is answered by the files in it.
        """
        path = posixpath.normpath(path)
        if path.startswith(("../", "/")) or path in ("", ".", "..") or _depth > 40:  # 40: the kernel's own limit
            return []
        if path in self.files and path not in self.links and path not in self.submodules:
            return [path]
        parts = path.split("/")
        for end in range(1, len(parts) + 1):
            start = "/".join(parts[:end])
            if start in self.links:
                target = posixpath.join(posixpath.dirname(start), self.links[start], *parts[end:])
                return [start, *self.resolve(target, _depth + 1)]
            if start in self.submodules:
                return [start, *([MODULES] if MODULES in self.files else [])]
        return list(self.folders.get(path, []))

    def is_file(self, path: str) -> bool:
        """Whether a file of the tree is found under this name, through links too."""
        path = posixpath.normpath(path)
        if path in self.files:
            return path not in self.links or self._real(path) is not None
        return self._real(path) is not None

    def _real(self, path: str) -> str | None:
        if not self.links or not any(path == link or path.startswith(f"{link}/") for link in self.links):
            return None
        found = self.resolve(path)
        return found[-1] if found and found[-1] in self.files and found[-1] not in self.links else None


def read(repository: Path) -> Tree:
    """The tree as it lies there; without git every file is one of its own."""
    git = Git(repository)
    code, staged, _ = git.ask("ls-files", "-z", "--stage")
    if code != 0:
        return _walked(repository)
    modes: dict[str, str] = {}
    for entry in staged.split(b"\0"):
        head, _, name = entry.partition(b"\t")
        if name:
            modes[os.fsdecode(name)] = head[:6].decode()
    _, listed, _ = git.ask("ls-files", "-z", "--others", "--exclude-standard")
    others = {os.fsdecode(name) for name in listed.split(b"\0") if name and not name.endswith(b"/")}
    present = {name for name, mode in modes.items() if mode == _SUBMODULE or os.path.lexists(repository / name)}
    # what is a link is asked of the disk: one that was made a moment ago is not in the index yet
    links = {name: _target(repository / name) for name in present | others if os.path.islink(repository / name)}
    submodules = frozenset(name for name in present if modes[name] == _SUBMODULE)
    return Tree(repository, frozenset(present), frozenset(others), links, submodules)


def _target(link: Path) -> str:
    return os.readlink(link).replace(os.sep, "/")


def _walked(repository: Path) -> Tree:
    found: set[str] = set()
    links: dict[str, str] = {}
    for folder, folders, names in os.walk(repository):
        folders[:] = [each for each in folders if each not in (".git", ".venv", ".mlops", "__pycache__")]
        for name in [*names, *(each for each in folders if os.path.islink(os.path.join(folder, each)))]:
            path = Path(folder, name)
            shown = path.relative_to(repository).as_posix()
            found.add(shown)
            if path.is_symlink():
                links[shown] = _target(path)
    return Tree(repository, frozenset(found), links=links)
