"""What a Python file reaches: its imports, read without running it, and the files that they name.

Followed are imports at the top, inside functions and relative ones, `import_module("…")` with a
literal, `"-m", "module"` in a command and files that a command names, `pytest_plugins`, paths over
`__file__` and files of a package (`places`), and names that a package loads at first use (PEP 562),
by the imports that it shows to type checkers or by its table. An import that only type checkers see
is none.
"""

from __future__ import annotations

import ast
import posixpath
import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

from mlops.routing.places import place
from mlops.routing.tree import Tree

_LOADERS = ("import_module", "__import__", "run_module", "find_spec", "files", "get_data")
_STARTERS = ("run", "Popen", "call", "check_call", "check_output", "system", "getoutput", "run_path", "spawnv", "execv")
_DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_STANDARD = sys.stdlib_module_names


class Import(NamedTuple):
    """One import, as found in a file.

    Attributes:
        level: Dots before it.
        module: What stands between.
        names: What is taken from the module, with the names that it gets here; None for `import module`.
        bound: The name that `import module` binds.
    """

    level: int
    module: str
    names: list[list[str]] | None
    bound: str = ""


def read(path: Path) -> dict[str, Any]:
    """The scopes of a Python file, as JSON data: {"top": scope, "parts": {name: scope}, "lazy": {name: import}}.

    A scope is {"imports": [Import], "uses": [name or name.attribute], "deferred": [such a name in a lambda],
    "beside": [place], "named": [file that a command names]}, names of its own left out; parts are the functions and
    classes of the module. {"broken": line} for what is not Python.
    """
    try:
        tree = ast.parse(path.read_bytes(), filename=str(path))
    except (OSError, SyntaxError, ValueError, RecursionError) as error:
        return {"broken": getattr(error, "lineno", None) or 1}
    known = _constants(tree.body)
    top = _Scope(known)
    parts: dict[str, dict[str, Any]] = {}
    lazy: dict[str, list[Any]] = {}
    has_getattr = any(isinstance(each, ast.FunctionDef) and each.name == "__getattr__" for each in tree.body)
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            scope = _Scope(known)
            for child in ast.iter_child_nodes(statement):
                scope.visit(child)
            parts[statement.name] = scope.found()
            for decorator in statement.decorator_list:
                top.visit(decorator)
        else:
            top.visit(statement)
            if has_getattr:
                lazy.update(_lazy(statement))
    return {"top": top.found(), "parts": parts, "lazy": lazy}


def modules(text: str) -> list[Import]:
    """What a piece of Python in a command imports; nothing where it is none."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return []
    found = [each for each in ast.walk(tree) if isinstance(each, ast.Import | ast.ImportFrom)]
    return [one for each in found for one in _imports(each)]


def _constants(body: list[ast.stmt]) -> dict[str, str]:
    """The constants of a module that hold a place in the tree."""
    found: dict[str, str] = {}
    for statement in body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            where = place(statement.value, found)
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            if where is not None:
                found |= {each.id: where for each in targets if isinstance(each, ast.Name)}
    return found


class _Scope:
    def __init__(self, known: dict[str, str]) -> None:
        self._known = known
        self.named: set[str] = set()
        self.imports: list[Import] = []
        self.uses: set[str] = set()
        self.beside: set[str] = set()
        self._deferred: set[str] = set()
        self._own: set[str] = set()

    def found(self) -> dict[str, Any]:
        used = {name: sorted(each for each in found if each.partition(".")[0] not in self._own)
                for name, found in (("uses", self.uses), ("deferred", self._deferred - self.uses))}
        return {"imports": [list(each) for each in self.imports], "beside": sorted(self.beside),
                "named": sorted(self.named), **used}

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.Import | ast.ImportFrom):
            self.imports += _imports(node)
            return
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            self.uses.add(f"{node.value.id}.{node.attr}")
        elif isinstance(node, ast.Name):
            (self.uses if isinstance(node.ctx, ast.Load) else self._own).add(node.id)
        elif isinstance(node, ast.Lambda):
            inner = _Scope(self._known)
            inner.visit(node.body)
            self.imports += inner.imports
            self.beside |= inner.beside
            self.named |= inner.named
            self._deferred |= inner.uses | inner._deferred
            return
        elif isinstance(node, ast.Call):
            self._call(node)
        elif isinstance(node, ast.List | ast.Tuple):
            self._command(node.elts)
        elif isinstance(node, ast.Assign):
            self._assigned(node)
        if isinstance(node, ast.BinOp | ast.Call) and self._placed(node):
            return
        for child in _running(node):
            self.visit(child)

    def _placed(self, node: ast.BinOp | ast.Call) -> bool:
        """Whether the node names a place in the tree; a bare `Path(__file__)` or a folder around it is none."""
        where = place(node, self._known)
        if where is not None and not where.strip("./") and not isinstance(node, ast.BinOp):
            return False
        if where is not None:
            self.beside.add(where)
        return where is not None

    def _assigned(self, node: ast.Assign) -> None:
        names = [each.id for each in node.targets if isinstance(each, ast.Name)]
        where = place(node.value, self._known)
        if where is not None:
            self._known = self._known | {each: where for each in names}
        if "pytest_plugins" in names:
            for each in ast.walk(node.value):
                if isinstance(each, ast.Constant):
                    self._module(each)

    def _call(self, node: ast.Call) -> None:
        name = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
        if not node.args:
            return
        if name in _LOADERS:
            self._loaded(node)
        elif name in _STARTERS:
            first = node.args[0]
            items = first.elts if isinstance(first, ast.List | ast.Tuple) else [first]
            for each in items:
                if isinstance(each, ast.Constant) and isinstance(each.value, str) and len(each.value) < 1000:
                    self.named |= {word for word in each.value.split() if "/" in word or name == "run_path"}

    def _loaded(self, node: ast.Call) -> None:
        first = node.args[0]
        text = getattr(first, "value", None)
        if not isinstance(text, str) or not text.startswith("."):
            self._module(first)
            return
        level = len(text) - len(text.lstrip("."))
        given = [*node.args[1:2], *(each.value for each in node.keywords if each.arg == "package")]
        package = getattr(given[0], "value", None) if given else None
        if isinstance(package, str) and level == 1:
            self.imports.append(Import(0, f"{package}{text}", None))
        elif _DOTTED.fullmatch(text[level:]):  # `package=__package__`: as a relative import would
            self.imports.append(Import(level, text[level:], [["*", "*"]]))

    def _command(self, items: list[ast.expr]) -> None:
        for flag, value in zip(items, items[1:], strict=False):
            if isinstance(flag, ast.Constant) and flag.value == "-m":
                self._module(value)

    def _module(self, node: ast.expr) -> None:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _DOTTED.fullmatch(node.value):
            self.imports.append(Import(0, node.value, None))


def _imports(node: ast.Import | ast.ImportFrom) -> list[Import]:
    if isinstance(node, ast.ImportFrom):
        names = [[alias.name, alias.asname or alias.name] for alias in node.names]
        return [Import(node.level, node.module or "", names)]
    return [
        Import(0, alias.name, None, alias.asname or (alias.name if "." not in alias.name else ""))
        for alias in node.names
    ]


def _running(node: ast.AST) -> list[ast.AST]:
    """The parts of a node that run."""
    if isinstance(node, ast.If) and _type_checking(node.test):
        return list(node.orelse)
    return list(ast.iter_child_nodes(node))


def _type_checking(test: ast.AST) -> bool:
    return getattr(test, "id", None) == "TYPE_CHECKING" or getattr(test, "attr", None) == "TYPE_CHECKING"


def _lazy(statement: ast.stmt) -> dict[str, list[Any]]:
    """Names that a module with `__getattr__` loads later: its imports for type checkers, or a table of text."""
    found: dict[str, list[Any]] = {}
    if isinstance(statement, ast.If) and _type_checking(statement.test):
        for each in ast.walk(statement):
            if isinstance(each, ast.ImportFrom):
                for alias in each.names:
                    found[alias.asname or alias.name] = [each.level, each.module or "", [[alias.name, alias.name]], ""]
    value = getattr(statement, "value", None)
    if isinstance(value, ast.Dict):
        for key, item in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(item, ast.Constant) and isinstance(item.value, str):
                level = len(item.value) - len(item.value.lstrip("."))
                if _DOTTED.fullmatch(item.value[level:]):
                    found.setdefault(str(key.value), [level, item.value[level:], [[str(key.value)] * 2], ""])
    return found


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


def targets(tree: Tree, path: str, found: Import) -> list[Target]:
    """The files that an import in `path` reaches; none for what is not of this tree."""
    if found.level:
        base = posixpath.dirname(path)
        for _ in range(found.level - 1):
            base = posixpath.dirname(base)
        stem = posixpath.join(base, *found.module.split(".")) if found.module else base
        return _from(tree, stem, found, base)
    if found.module.partition(".")[0] in _STANDARD:
        return []
    for root in _roots(tree, path):
        reached = _from(tree, posixpath.join(root, *found.module.split(".")), found, root)
        if reached:
            return reached
    return []


def module_file(tree: Tree, module: str, path: str = "") -> str | None:
    """The file of `module`, as code in `path` (or at the top) would import it."""
    if not _DOTTED.fullmatch(module):
        return None
    for root in _roots(tree, path):
        file = _file(tree, posixpath.join(root, *module.split(".")))
        if file is not None:
            return file
    return None


def _roots(tree: Tree, path: str) -> list[str]:
    """Where absolute imports are looked for: the top, then the folders around the file that are no packages."""
    around = []
    folder = posixpath.dirname(path)
    while folder:
        if not tree.is_file(f"{folder}/__init__.py"):
            around.append(folder)
        folder = posixpath.dirname(folder)
    return ["", *around, "src"]


def _file(tree: Tree, stem: str) -> str | None:
    for candidate in (f"{stem}.py", f"{stem}/__init__.py"):
        if tree.is_file(candidate):
            return candidate
    return None


def _from(tree: Tree, stem: str, found: Import, root: str) -> list[Target]:
    file = _file(tree, stem) if stem != root or found.level else None
    names = [name for name, _ in found.names or []]
    bound = {name: alias for name, alias in found.names or []}
    below = {name: _file(tree, f"{stem}/{name}") for name in names}
    reached = [Target(each, bound=bound[name]) for name, each in below.items() if each is not None]
    own = tuple(name for name in names if below[name] is None)
    if file is not None:
        only_parent = bool(reached) and not own
        reached.append(Target(file, own, found.bound if found.names is None else "", only_parent))
    if not reached:
        return []
    folder = posixpath.dirname(stem)
    while folder and folder != root:
        parent = f"{folder}/__init__.py"
        if tree.is_file(parent):
            reached.append(Target(parent, parent=True))
        folder = posixpath.dirname(folder)
    return reached


def package_data(tree: Tree, path: str) -> list[str]:
    """What belongs to a package beside its modules: other files, and folders that are no packages.

    The top-level packages hold whole rooms, which are no part of one another.
    """
    if not path.endswith("/__init__.py") or path.count("/") < 2:
        return []
    folder = posixpath.dirname(path)
    found = []
    for each in tree.below(folder):
        inside = each[len(folder) + 1:].split("/")
        apart = f"{folder}/{inside[0]}/__init__.py" not in tree.files
        if len(inside) == 1 and not each.endswith(".py") or len(inside) > 1 and apart:
            found.append(each)
    return found
