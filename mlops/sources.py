"""What a piece of code depends on: the files that its import reaches, and their hashes.

The closure is static. It follows every `import` of first-party code, top-level, late (inside a
function) and relative; `module:callable` strings are followed by the caller, who knows where they
stand. Of a package that loads its names lazily (PEP 562) the modules of the names that are asked for are
taken, where its table `_LAZY` tells them, else all its modules. Imports under `if TYPE_CHECKING:` never
run and are not followed. A package's files that are not modules
(templates, schemas) belong to it.

Both tables, imports by file and hashes by file, are kept beside the state and trusted for as long
as a file's size, inode and time of change are the same; a file changed within the last moments is
read again, since a clock tick may hide a second change (git's "racy" entries).
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from mlops import files
from mlops.errors import ConfigurationError, MlopsError

FIRST_PARTY = ("mlops", "data", "model")
LOCK_FILE = "requirements/dev.txt"
_RACY_SECONDS = 0.5


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
        self._package_data: dict[str, list[str]] = {}
        self._fresh: dict[str, dict[str, Any]] = {}
        self._reached: dict[tuple[str, str, str], tuple[str, list[str]] | None] = {}
        if cache is not None:
            try:
                loaded = json.loads(cache.read_bytes())
                self._table = loaded if isinstance(loaded, dict) else {}
            except (OSError, ValueError):
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
            references: `module`, or `module:function`: then only the module's own top-level imports and those inside
                that function count for the first module (what it imports counts whole).
            roots: Where top-level packages lie that are not first-party ones, such as {"app": "services/api/app"}.

        Raises:
            ConfigurationError: a reference names no module of the repository.
        """
        found: set[str] = set()
        seen: set[str] = set()
        queue: list[str] = []
        for reference in references:
            module, _, function = reference.partition(":")
            reached = self._reach(module, roots, function)
            if reached is None:
                raise ConfigurationError(
                    f"{reference!r} names no module of this repository", where=self.repository,
                    mend="the module must be a file below mlops/, data/, model/ or a service",
                )
            found.add(reached[0])
            queue.extend(reached[1])
        while queue:
            module = queue.pop()
            if module in seen:
                continue
            seen.add(module)
            reached = self._reach(module, roots, "")
            if reached is not None:
                found.add(reached[0])
                queue.extend(each for each in reached[1] if each not in seen)
        return sorted({each for path in found for each in (path, *self._data_of(path))})

    def forget(self) -> None:
        """Look at every file again when it is asked for next: something may have written to the tree."""
        self._fresh.clear()
        self._reached.clear()
        self._package_data.clear()

    def derived(self, path: str, name: str, derive: Callable[[Path], Any]) -> Any:
        """What `derive` makes of a file (JSON data), remembered under `name` until the file changes."""
        entry = self._entry(path)
        if name not in entry:
            entry[name] = derive(self.repository / path)
            self._dirty = True
        return entry[name]

    def save(self) -> None:
        """Remember what was read. A folder that cannot be written costs only the time to read it again."""
        if self._cache is not None and self._dirty:
            now = time.time()
            kept = {
                path: entry for path, entry in self._table.items() if now - entry["stat"][0] / 1e9 > _RACY_SECONDS
            }
            try:
                files.write_atomic(self._cache, json.dumps(kept, separators=(",", ":")))
            except MlopsError:
                return
            self._dirty = False

    def _entry(self, path: str) -> dict[str, Any]:
        if path in self._fresh:
            return self._fresh[path]
        try:
            status = os.stat(os.path.join(self.repository, path))
        except OSError:
            return {"stat": [0, 0, 0]}  # hash() and _imports() raise their own error on reading it
        stat = [status.st_mtime_ns, status.st_size, status.st_ino]
        entry = self._table.get(path)
        if entry is None or entry["stat"] != stat:
            entry = self._table[path] = {"stat": stat}
            self._dirty = True
        self._fresh[path] = entry
        return entry

    def _reach(self, module: str, roots: Mapping[str, str] | None, function: str) -> tuple[str, list[str]] | None:
        """A module's file and the names that importing it imports; None where it is no module of the repository."""
        top = module.partition(".")[0]
        key = (module, (roots or {}).get(top, ""), function)
        if key not in self._reached:
            self._reached[key] = self._look(module, roots, function)
        return self._reached[key]

    def _look(self, module: str, roots: Mapping[str, str] | None, function: str) -> tuple[str, list[str]] | None:
        path = self._module_file(module, roots)
        if path is None:
            return None
        imports = self._imports(path)
        bodies = [imports["functions"].get(function, [])] if function else imports["functions"].values()
        names = module.split(".")
        reached = {".".join(names[:depth]) for depth in range(1, len(names))}  # parents run first
        package = module if path.endswith("/__init__.py") else module.rpartition(".")[0]
        for level, name, members in [*imports["top"], *(each for body in bodies for each in body)]:
            target = _absolute(level, name, package)
            reached.add(target)
            reached.update(f"{target}.{member}" for member in members)
            table = self._loads_late(target, roots)
            reached.update(table[member] for member in members or table if member in table)
        if "__getattr__" in imports["functions"] and path.count("/") >= 2:
            if not imports.get("lazy"):  # with a table, who asks for a name reaches its module
                reached.update(f"{module}.{name}" for name in self._modules_of(path))
        known = {*FIRST_PARTY, *(roots or {})}
        return path, sorted(each for each in reached if each.partition(".")[0] in known)

    def _loads_late(self, module: str, roots: Mapping[str, str] | None) -> dict[str, str]:
        """Name → module of what a package loads at first use, as far as its table `_LAZY` says it."""
        path = self._module_file(module, roots)
        if path is None or not path.endswith("/__init__.py") or path.count("/") < 2:
            return {}
        table: dict[str, str] = self._imports(path).get("lazy") or {}
        return table

    def _modules_of(self, path: str) -> list[str]:
        """The modules beside a package's `__init__.py`."""
        names = os.listdir(os.path.join(self.repository, os.path.dirname(path)))
        return [name.removesuffix(".py") for name in names if name.endswith(".py") and name != "__init__.py"]

    def _imports(self, path: str) -> dict[str, Any]:
        entry = self._entry(path)
        if "imports" not in entry:
            entry["imports"] = _read_imports(self.repository / path)
            self._dirty = True
        found: dict[str, Any] = entry["imports"]
        return found

    def _module_file(self, module: str, roots: Mapping[str, str] | None) -> str | None:
        top, _, rest = module.partition(".")
        if roots and top in roots:
            base = roots[top]
        elif top in FIRST_PARTY:
            base = top
        else:
            return None
        stem = f"{base}/{rest.replace('.', '/')}" if rest else base
        for candidate in (f"{stem}.py", f"{stem}/__init__.py"):
            if os.path.isfile(os.path.join(self.repository, candidate)):
                return candidate
        return None

    def _data_of(self, path: str) -> list[str]:
        """What belongs to a package beside its modules: other files, and folders that are no packages."""
        if not path.endswith("/__init__.py") or path.count("/") < 2:
            return []  # the top-level packages hold whole rooms, which are no part of one another
        folder = path.rpartition("/")[0]
        if folder not in self._package_data:
            self._package_data[folder] = sorted(_package_data(self.repository, folder))
        return self._package_data[folder]


def _package_data(repository: Path, folder: str) -> Iterable[str]:
    for item in os.scandir(repository / folder):
        name = f"{folder}/{item.name}"
        if item.name.startswith(".") or item.name == "__pycache__" or item.name.endswith(".pyc"):
            continue
        if item.is_file() and not item.name.endswith(".py"):
            yield name
        elif item.is_dir() and not os.path.exists(f"{item.path}/__init__.py"):
            for base, folders, names in os.walk(item.path):
                folders[:] = [each for each in folders if each != "__pycache__"]
                yield from (os.path.relpath(f"{base}/{each}", repository) for each in names)


def _read_imports(path: Path) -> dict[str, Any]:
    """The imports of a Python file: {"top": […], "functions": {name: […]}, "lazy": {…}}.

    Each import is [level, module, names].

    Raises:
        ConfigurationError: not Python.
    """
    import ast

    try:
        tree = ast.parse(path.read_bytes(), filename=str(path))
    except (OSError, SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise ConfigurationError(
            f"is not valid Python: {error}", where=f"{path}:{line}" if line else path, mend="correct the file"
        ) from error
    top: list[list[Any]] = []
    functions: dict[str, list[list[Any]]] = {}

    def visit(node: ast.AST, into: list[list[Any]]) -> None:
        if isinstance(node, ast.Import):
            into.extend([0, alias.name, []] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            into.append([node.level, node.module or "", [alias.name for alias in node.names]])
        else:
            runs = node.orelse if isinstance(node, ast.If) and _type_checking(node.test) else ast.iter_child_nodes(node)
            for child in runs:
                visit(child, into)

    for statement in tree.body:
        late = isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef)
        visit(statement, functions.setdefault(statement.name, []) if late else top)  # type: ignore[attr-defined]
    return {"top": top, "functions": functions, "lazy": _lazy(tree.body)}


def _lazy(statements: list[Any]) -> dict[str, str]:
    """The table `_LAZY = {"Name": "package.module"}`, which says all that `__getattr__` loads; empty for none."""
    import ast

    for each in statements:
        if isinstance(each, ast.Assign) and getattr(each.targets[0], "id", "") == "_LAZY":
            try:
                table = ast.literal_eval(each.value)
            except ValueError:
                return {}
            return {str(name): str(module) for name, module in table.items()} if isinstance(table, dict) else {}
    return {}


def _type_checking(test: Any) -> bool:
    return getattr(test, "id", None) == "TYPE_CHECKING" or getattr(test, "attr", None) == "TYPE_CHECKING"


def _absolute(level: int, name: str, package: str) -> str:
    if level == 0:
        return name
    base = package.split(".")[: len(package.split(".")) - (level - 1)]
    return ".".join([*base, name] if name else base)
