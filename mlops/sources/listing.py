"""The files of a repository as they lie on the disk; each folder is read once."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path


class Listing:
    """What lies where, asked as `mlops.sources.imports.Files` asks it.

    Args:
        top: The top of the repository; all paths are from there.
    """

    def __init__(self, top: Path | str) -> None:
        self._top = str(top)
        self._entries: dict[str, dict[str, bool]] = {}
        self._below: dict[str, list[str]] = {}

    def is_file(self, path: str) -> bool:
        """Whether there is such a file, behind symbolic links too."""
        folder, _, name = path.rpartition("/")
        return self._folder(folder).get(name) is False

    def resolve(self, path: str) -> list[str]:
        """The file at `path`, the files below a folder, or nothing."""
        return [path] if self.is_file(path) else self.below(path)

    def below(self, folder: str) -> list[str]:
        """All files in a folder and its folders but hidden and compiled ones, sorted."""
        if folder not in self._below:
            found: list[str] = []
            for name, is_folder in self._folder(folder).items():
                if name[0] == "." or name == "__pycache__" or name.endswith(".pyc"):
                    continue
                path = f"{folder}/{name}" if folder else name
                found += self.below(path) if is_folder else [path]
            self._below[folder] = sorted(found)
        return self._below[folder]

    def _folder(self, folder: str) -> dict[str, bool]:
        """Name → whether it is a folder; nothing for what is none."""
        known = self._entries.get(folder)
        if known is None:
            known = {}
            above, _, name = folder.rpartition("/")
            if not folder or self._folder(above).get(name):
                try:
                    with os.scandir(f"{self._top}/{folder}") as entries:
                        known = {each.name: each.is_dir() for each in entries if each.is_dir() or each.is_file()}
                except OSError:
                    pass  # gone since, or not to be read: whoever needs it says so
            self._entries[folder] = known
        return known
