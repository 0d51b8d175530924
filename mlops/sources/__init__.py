"""What a piece of code depends on: the files that its import reaches, and their hashes.

    python, places     read one file: its imports, and the files that it names
    imports            follow them to other files: for a step's code here, for the audit of the filters in `routing`
    listing            the files there are

The closure is static. It follows every `import`, top-level, late (inside a function) and relative, modules that are
loaded or started by a name that stands there, and what a package loads late (PEP 562) of what is asked of it;
`module:callable` strings are followed by the caller, who knows where they stand. Imports under `if TYPE_CHECKING:`
never run and are not followed. A package's files that are not modules (templates, schemas) belong to it.

What was read of a file is kept beside the state and trusted for as long as the file's size, inode and time of change
are the same; a file changed within the last moments is read again, since a clock tick may hide a second change (git's
"racy" entries).
"""

from __future__ import annotations

import json
import os
import sys
import time
import zlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from mlops import files
from mlops.errors import ConfigurationError, MlopsError
from mlops.sources.imports import INIT, WHOLE, Imports, Node, module_file
from mlops.sources.listing import Listing

LOCK_FILE = "requirements/dev.txt"
_RACY_SECONDS = 0.5
_FORM = 2  # of the memory; another one is read anew
_READERS = ("python.py", "places.py", "imports.py")


class Sources:
    """The dependencies of one repository's code.

    Args:
        repository: Top of the tree.
        cache: File that remembers what was read; None remembers nothing.
    """

    def __init__(self, repository: Path, cache: Path | None = None) -> None:
        self.repository = repository
        self._cache = cache
        self._table: dict[str, dict[str, Any]] = {}
        self._dirty = False
        self._fresh: dict[str, dict[str, Any]] = {}
        self._listing = Listing(repository)
        self._reached: dict[tuple[Node, str], list[Node]] = {}
        self._reader = ""
        if cache is not None:
            try:
                loaded = json.loads(cache.read_bytes())
                self._table = loaded["files"] if loaded["form"] == _FORM else {}
            except (OSError, ValueError, KeyError, TypeError):
                self._table = {}  # absent or damaged: everything is simply read again

    def hash(self, path: str) -> str:
        """`sha256:…` of a file, by its path from the repository's top (or an absolute one).

        Raises:
            MissingInputError: there is no such file.
        """
        entry = self._entry(path)
        if "sha256" not in entry:
            entry["sha256"] = files.sha256_file(self.repository / path)
            self._dirty = True
        found: str = entry["sha256"]
        return found

    def closure(self, references: Iterable[str], roots: Mapping[str, str] | None = None) -> list[str]:
        """The files that importing `references` reaches, sorted, as paths from the repository's top.

        Args:
            references: `module`, or `module:function`: then of the first module only its own top-level imports count,
                those inside that function, and those inside what it uses of the module; what it imports counts whole.
            roots: Where top-level packages lie that are not at the top, such as {"app": "services/api/app"}.

        Raises:
            ConfigurationError: a reference names no module of the repository, or a file is not Python.
        """
        apart, everywhere = Imports(self._listing, self._python, roots=roots), Imports(self._listing, self._python)
        inside = tuple(f"{os.path.dirname(each)}/" for each in (roots or {}).values())  # only there they are packages
        own = str(roots)
        queue: list[Node] = []
        for reference in references:
            module, _, function = reference.partition(":")
            path = module_file(self._listing, module, roots=roots)
            if path is None:
                raise ConfigurationError(
                    f"{reference!r} names no module of this repository", where=self.repository,
                    mend="the module must be a file below mlops/, data/, model/ or a service",
                )
            part = function if function in self._python(path)["parts"] else WHOLE  # it may have come by an import
            queue += [Node(path, part), *self._around(path)]
        seen: set[Node] = set()
        while queue:
            node = queue.pop()
            if node in seen:
                continue
            seen.add(node)
            if node.path.endswith(".py"):
                near = node.path.startswith(inside)
                key = node, own if near else ""
                if key not in self._reached:
                    self._reached[key] = list(dict.fromkeys((apart if near else everywhere).reached(node)))
                queue += self._reached[key]
        return sorted({each.path for each in seen})

    def _around(self, path: str) -> list[Node]:
        """The packages around a module: they run first."""
        parts = path.split("/")
        inits = ("/".join([*parts[:depth], INIT]) for depth in range(1, len(parts)))
        return [Node(each) for each in inits if self._listing.is_file(each)]

    def python(self, path: str) -> dict[str, Any]:
        """What `mlops.sources.python.read` says of a file, remembered until the file or the reader changes."""
        if not self._reader:
            folder = os.path.dirname(__file__)
            texts = [Path(folder, name).read_bytes() for name in _READERS]
            self._reader = f"{sys.version_info[1]} {zlib.crc32(b''.join(texts)):x}"
        found: dict[str, Any] = self.derived(path, "python", _read, self._reader)
        return found

    def forget(self) -> None:
        """Look at every file again when it is asked for next: something may have written to the tree."""
        self._fresh.clear()
        self._reached.clear()
        self._listing = Listing(self.repository)

    def derived(self, path: str, name: str, derive: Callable[[Path], Any], version: str = "") -> Any:
        """What `derive` makes of a file (JSON data), remembered under `name` until the file or `version` changes."""
        entry = self._entry(path)
        held = entry.get(name)
        if held is None or held[0] != version:
            held = entry[name] = [version, derive(self.repository / path)]
            self._dirty = True
        return held[1]

    def save(self) -> None:
        """Remember what was read. A folder that cannot be written costs only the time to read it again."""
        if self._cache is not None and self._dirty:
            now = time.time()
            kept = {
                path: entry for path, entry in self._table.items() if now - entry["stat"][0] / 1e9 > _RACY_SECONDS
            }
            try:
                files.write_atomic(self._cache, json.dumps({"form": _FORM, "files": kept}, separators=(",", ":")))
            except MlopsError:
                return
            self._dirty = False

    def _entry(self, path: str) -> dict[str, Any]:
        if path in self._fresh:
            return self._fresh[path]
        try:
            status = os.stat(os.path.join(self.repository, path))
        except OSError:
            return {"stat": [0, 0, 0]}  # whoever reads it raises an error of its own
        stat = [status.st_mtime_ns, status.st_size, status.st_ino]
        entry = self._table.get(path)
        if entry is None or entry["stat"] != stat:
            entry = self._table[path] = {"stat": stat}
            self._dirty = True
        self._fresh[path] = entry
        return entry

    def _python(self, path: str) -> dict[str, Any]:
        """As `python`.

        Raises:
            ConfigurationError: the file is not Python.
        """
        read = self.python(path)
        if "broken" in read:
            raise ConfigurationError(
                f"is not valid Python: {read['why']}", where=f"{path}:{read['broken']}", mend="correct the file"
            )
        return read


def _read(path: Path) -> dict[str, Any]:
    from mlops.sources.python import read

    return read(path)
