"""What a Python file leads to: the files that its imports reach, and those that it names.

The file itself was read by `mlops.sources.python`; here its imports are looked up among the files there are. The
closure of a step's code and the audit of the path filters both follow them here.
"""

from __future__ import annotations

import posixpath
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

WHOLE, TEXT = "", "="  # parts of a file: all of it; only its own text, not what it names
FILE = "./."  # the file itself; its parent is the folder
STEM = "{stem}"  # stands for the file's own name without its suffix
PACKAGE = "//"  # before the name of a package, in whose folder the rest lies
DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
INIT = "__init__.py"


class Files(Protocol):
    """Files by their paths from the top of a repository."""

    def is_file(self, path: str) -> bool:
        """Whether there is such a file, behind symbolic links too."""

    def resolve(self, path: str) -> list[str]:
        """The files that make up what lies at `path`; those below it for a folder, none for nothing."""

    def below(self, folder: str) -> list[str]:
        """All files in a folder and its folders, sorted."""


class Node(NamedTuple):
    """A file, or a part of one: a function, a class, a name that it loads late, or its text alone."""

    path: str
    part: str = WHOLE


class Import(NamedTuple):
    """One import, as found in a file.

    Attributes:
        level: Dots before it.
        module: What stands between.
        names: What is taken from the module, `name` or `name as own`; None for `import module`.
        bound: The name that `import module` binds.
    """

    level: int
    module: str
    names: list[str] | None
    bound: str = ""


class Target(NamedTuple):
    """A file that an import reaches.

    Attributes:
        path: The module's file, as it is named by the import (it may lie behind a link).
        names: What is taken from it by name.
        bound: The name under which the module itself is known afterwards, if any.
        parent: It runs only because something below it is imported.
    """

    path: str
    names: tuple[str, ...] = ()
    bound: str = ""
    parent: bool = False


class Imports:
    """Follows imports.

    Args:
        files: What there is.
        read: path → what `mlops.sources.python.read` says of the file.
        roots: Where top-level packages lie that are looked for there alone, such as {"app": "services/api/app"}.
        dispatchers: Modules of which only the functions that are reached count.
        named: Files that code names (beside `__file__`, in a command) are reached too.
    """

    def __init__(
        self, files: Files, read: Callable[[str], dict[str, Any]], *, roots: Mapping[str, str] | None = None,
        dispatchers: frozenset[str] = frozenset(), named: bool = False,
    ) -> None:
        self._files = files
        self._read = read
        self._roots = roots or {}
        self._dispatchers = dispatchers
        self._named = named

    def reached(self, node: Node) -> Iterator[Node]:
        """What a Python file, or a part of one, leads to; nothing for what is not Python."""
        path, part = node
        read = self._read(path)
        if "top" not in read:
            return
        yield from map(Node, package_data(self._files, path))
        dispatches = path in self._dispatchers
        if part == WHOLE:
            yield from self._scope(path, read["top"], read, follow=dispatches)
            for scope in () if dispatches else read["parts"].values():
                yield from self._scope(path, scope, read, follow=False)
        elif part in read["parts"]:
            yield Node(path, TEXT)
            yield from self._scope(path, read["top"], read, follow=dispatches)
            yield from self._scope(path, read["parts"][part], read, follow=True)
        elif part in read.get("lazy", ()):
            yield from self._import(path, Import(*read["lazy"][part]), ())

    def _scope(self, path: str, scope: dict[str, Any], read: dict[str, Any], *, follow: bool) -> Iterator[Node]:
        """What a part of a module leads to; with `follow` the functions of the same module that it uses."""
        uses = scope.get("uses", [])
        if path not in self._dispatchers:
            uses = uses + scope.get("deferred", [])
        for each in scope.get("imports", ()):
            yield from self._import(path, Import(*each), uses)
        if self._named:
            yield from map(Node, self._mentioned(path, scope))
        if not follow:
            return
        for used in uses:
            name = used.partition(".")[0]
            if name in read["parts"]:
                yield Node(path, name)
        for each in read["top"].get("imports", ()) if self._dispatchers else ():  # names from the module's top
            yield from self._dispatched(path, Import(*each), uses)

    def _mentioned(self, path: str, scope: dict[str, Any]) -> Iterator[str]:
        for place in scope.get("beside", ()):
            target = self._place(path, place)
            if target and not path.startswith(f"{target}/"):  # a folder around it is where it lies, not what it reads
                yield from self._files.resolve(target)
        for word in scope.get("named", ()):
            if self._files.is_file(word):
                yield from self._files.resolve(word)

    def _place(self, path: str, place: str) -> str | None:
        if place.startswith(PACKAGE):
            package, _, rest = place.removeprefix(PACKAGE).partition("/")
            file = module_file(self._files, package, path)
            return posixpath.normpath(posixpath.join(posixpath.dirname(file), rest)) if file and rest else None
        stem = posixpath.splitext(posixpath.basename(path))[0]
        return posixpath.normpath(posixpath.join(posixpath.dirname(path), place.replace(STEM, stem)))

    def _import(self, path: str, found: Import, uses: Iterable[str]) -> Iterator[Node]:
        reached = targets(self._files, path, found, self._roots)
        for target in reached:
            for file in self._files.resolve(target.path):
                yield Node(file)
                if not target.parent and file.endswith(f"/{INIT}"):
                    yield from self._late(file, target, found, uses)
        if self._dispatchers:
            yield from self._dispatched(path, found, uses, reached)

    def _late(self, file: str, target: Target, found: Import, uses: Iterable[str]) -> Iterator[Node]:
        """What a package loads when these names are asked of it; all its modules where it does not say which."""
        late = self._read(file).get("lazy")
        if late is None:
            return
        if not late:
            folder = posixpath.dirname(file)
            yield from (Node(each) for each in self._files.below(folder)
                        if posixpath.dirname(each) == folder and each.endswith(".py"))
            return
        asked = set(target.names)
        if "*" in asked or not target.names and not target.bound:
            asked = set(late)
        if target.bound:
            asked |= {used.partition(".")[2] for used in uses if used.startswith(f"{target.bound}.")} or set(late)
        for name in sorted(asked.intersection(late)):
            yield Node(file, name)

    def _dispatched(
        self, path: str, found: Import, uses: Iterable[str], reached: Iterable[Target] | None = None
    ) -> Iterator[Node]:
        """The functions of dispatching modules that `uses` calls through this import."""
        taken = named(found)
        for target in targets(self._files, path, found, self._roots) if reached is None else reached:
            if target.path not in self._dispatchers or target.parent:
                continue
            for name in target.names:
                if any(used.partition(".")[0] == taken.get(name) for used in uses):
                    yield Node(target.path, name)
            if target.bound:
                for used in uses:
                    if used.startswith(f"{target.bound}."):
                        yield Node(target.path, used.partition(".")[2])


def named(found: Import) -> dict[str, str]:
    """What an import takes by name → the name that it gets."""
    pairs = (each.partition(" as ") for each in found.names or ())
    return {name: own or name for name, _, own in pairs}


def targets(files: Files, path: str, found: Import, roots: Mapping[str, str] | None = None) -> list[Target]:
    """The files that an import in `path` reaches; none for what is not of this tree."""
    if found.level:
        base = posixpath.dirname(path)
        for _ in range(found.level - 1):
            base = posixpath.dirname(base)
        stem = _stem(base, found.module) if found.module else base
        return _from(files, stem, found, base)
    top, _, rest = found.module.partition(".")
    if top in sys.stdlib_module_names:
        return []
    if roots and top in roots:
        return _from(files, _stem(roots[top], rest) if rest else roots[top], found, _above(roots[top]))
    for root in _roots(files, path):
        reached = _from(files, _stem(root, found.module), found, root)
        if reached:
            return reached
    return []


def module_file(files: Files, module: str, path: str = "", roots: Mapping[str, str] | None = None) -> str | None:
    """The file of `module`, as code in `path` (or at the top) would import it."""
    if not DOTTED.fullmatch(module):
        return None
    top, _, rest = module.partition(".")
    if roots and top in roots:
        return _file(files, _stem(roots[top], rest) if rest else roots[top])
    for root in _roots(files, path):
        file = _file(files, _stem(root, module))
        if file is not None:
            return file
    return None


def _roots(files: Files, path: str) -> Iterator[str]:
    """Where absolute imports are looked for: the top, then the folders around the file that are no packages."""
    yield ""
    folder = _above(path)
    while folder:
        if not files.is_file(f"{folder}/{INIT}"):
            yield folder
        folder = _above(folder)
    yield "src"


def _above(path: str) -> str:
    return path.rpartition("/")[0]


def _stem(root: str, module: str) -> str:
    return posixpath.join(root, module.replace(".", "/"))


def _file(files: Files, stem: str) -> str | None:
    for candidate in (f"{stem}.py", f"{stem}/{INIT}"):
        if files.is_file(candidate):
            return candidate
    return None


def _from(files: Files, stem: str, found: Import, root: str) -> list[Target]:
    file = _file(files, stem) if stem != root or found.level else None
    bound = named(found)
    module = file is not None and not file.endswith(INIT)  # then nothing lies below it
    below = {name: None if module else _file(files, f"{stem}/{name}") for name in bound}
    reached = [Target(each, bound=bound[name]) for name, each in below.items() if each is not None]
    own = tuple(name for name, each in below.items() if each is None)
    if file is not None:
        only_parent = bool(reached) and not own
        reached.append(Target(file, own, found.bound if found.names is None else "", only_parent))
    if not reached:
        return []
    folder = _above(stem)
    while folder and folder != root:
        parent = f"{folder}/{INIT}"
        if files.is_file(parent):
            reached.append(Target(parent, parent=True))
        folder = _above(folder)
    return reached


def package_data(files: Files, path: str) -> list[str]:
    """What belongs to a package beside its modules: other files, and folders that are no packages.

    The top-level packages hold whole rooms, which are no part of one another.
    """
    if not path.endswith(f"/{INIT}") or path.count("/") < 2:
        return []
    folder = posixpath.dirname(path)
    found = []
    for each in files.below(folder):
        inside = each[len(folder) + 1:].split("/")
        if len(inside) == 1 and not each.endswith(".py") or len(inside) > 1 and not files.is_file(
            f"{folder}/{inside[0]}/{INIT}"
        ):
            found.append(each)
    return found
