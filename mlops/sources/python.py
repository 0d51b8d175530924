"""Reads what a Python file imports and which files it names, without running it.

Read are imports at the top, inside functions and relative ones, `import_module("…")` with a
literal, `"-m", "module"` in a command and files that a command names, `pytest_plugins`, paths over
`__file__` and files of a package (`places`), and names that a package loads at first use (PEP 562),
by the imports that it shows to type checkers or by its table. An import that only type checkers see
is none.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlops.sources.imports import DOTTED, Import, named
from mlops.sources.places import place

_LOADERS = ("import_module", "__import__", "run_module", "find_spec", "files", "get_data")
_STARTERS = ("run", "Popen", "call", "check_call", "check_output", "system", "getoutput", "run_path", "spawnv", "execv")


def read(path: Path) -> dict[str, Any]:
    """The scopes of a Python file, as JSON data: {"top": scope, "parts": {name: scope}, "lazy": {name: import}}.

    A scope is {"imports": [Import], "uses": [name or name.attribute], "deferred": [such a name in a lambda],
    "beside": [place], "named": [file that a command names]}, what is empty left out. Of the names only those count that
    the file imports or defines; its own of the same scope are left out. Parts are the functions and classes of the
    module. "lazy" is there where the module has a `__getattr__`; empty where it does not say what that loads.
    {"broken": line, "why": text} for what is not Python.
    """
    try:
        tree = ast.parse(path.read_bytes(), filename=str(path))
    except (OSError, SyntaxError, ValueError, RecursionError) as error:
        return {"broken": getattr(error, "lineno", None) or 1, "why": str(error)}
    known = _constants(tree.body)
    top = _Scope(known)
    parts: dict[str, _Scope] = {}
    lazy: dict[str, list[Any]] = {}
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            scope = parts.setdefault(statement.name, _Scope(known))
            for child in ast.iter_child_nodes(statement):
                scope.visit(child)
            for decorator in statement.decorator_list:
                top.visit(decorator)
        else:
            top.visit(statement)
            lazy.update(_lazy(statement))
    wanted = {*parts, *(name for scope in (top, *parts.values()) for each in scope.imports for name in _bound(each))}
    read = {"top": top.found(wanted), "parts": {name: scope.found(wanted) for name, scope in parts.items()}}
    return read | {"lazy": lazy} if "__getattr__" in parts else read


def _bound(found: Import) -> list[str]:
    return [found.bound] if found.names is None else list(named(found).values())


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

    def found(self, wanted: set[str]) -> dict[str, Any]:
        names = wanted - self._own
        uses = {each for each in self.uses if each.partition(".")[0] in names}
        uses -= {each.partition(".")[0] for each in uses if "." in each}  # `name.attribute` says it
        deferred = {each for each in self._deferred - self.uses if each.partition(".")[0] in names}
        found = {"imports": [list(each) for each in self.imports], "beside": sorted(self.beside),
                 "named": sorted(self.named), "uses": sorted(uses), "deferred": sorted(deferred)}
        return {name: held for name, held in found.items() if held}

    def visit(self, node: ast.AST) -> None:
        """Note what the node and what is in it say, in their order."""
        pending = [node]
        while pending:
            node = pending.pop()
            note = _NOTES.get(type(node))
            inner = _children(node) if note is None else note(self, node)
            inner.reverse()
            pending += inner

    def import_(self, node: ast.Import | ast.ImportFrom) -> list[ast.AST]:
        self.imports += _imports(node)
        return []

    def attribute(self, node: ast.Attribute) -> list[ast.AST]:
        if isinstance(node.value, ast.Name):
            self.uses.add(f"{node.value.id}.{node.attr}")
        return [node.value]

    def name(self, node: ast.Name) -> list[ast.AST]:
        (self.uses if isinstance(node.ctx, ast.Load) else self._own).add(node.id)
        return []

    def lambda_(self, node: ast.Lambda) -> list[ast.AST]:
        inner = _Scope(self._known)
        inner.visit(node.body)
        self.imports += inner.imports
        self.beside |= inner.beside
        self.named |= inner.named
        self._deferred |= inner.uses | inner._deferred
        return []

    def call(self, node: ast.Call) -> list[ast.AST]:
        self._call(node)
        return [] if self._placed(node) else _children(node)

    def operation(self, node: ast.BinOp) -> list[ast.AST]:
        return [] if self._placed(node) else [node.left, node.right]

    def items(self, node: ast.List | ast.Tuple) -> list[ast.AST]:
        self._command(node.elts)
        return list(node.elts)

    def assign(self, node: ast.Assign) -> list[ast.AST]:
        self._assigned(node)
        return [*node.targets, node.value]

    def if_(self, node: ast.If) -> list[ast.AST]:
        return list(node.orelse) if _type_checking(node.test) else _children(node)

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
        elif DOTTED.fullmatch(text[level:]):  # `package=__package__`: as a relative import would
            self.imports.append(Import(level, text[level:], ["*"]))

    def _command(self, items: list[ast.expr]) -> None:
        for flag, value in zip(items, items[1:], strict=False):
            if isinstance(flag, ast.Constant) and flag.value == "-m":
                self._module(value)

    def _module(self, node: ast.expr) -> None:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and DOTTED.fullmatch(node.value):
            self.imports.append(Import(0, node.value, None))


def _imports(node: ast.Import | ast.ImportFrom) -> list[Import]:
    if isinstance(node, ast.ImportFrom):
        names = [f"{alias.name} as {alias.asname}" if alias.asname else alias.name for alias in node.names]
        return [Import(node.level, node.module or "", names)]
    return [
        Import(0, alias.name, None, alias.asname or (alias.name if "." not in alias.name else ""))
        for alias in node.names
    ]


def _children(node: ast.AST) -> list[ast.AST]:
    """The nodes directly in a node, in their order, but those that say nothing."""
    found: list[ast.AST] = []
    for field in node._fields:
        value = getattr(node, field, None)
        if isinstance(value, list):
            found += [each for each in value if isinstance(each, ast.AST) and type(each) not in _SILENT]
        elif isinstance(value, ast.AST) and type(value) not in _SILENT:
            found.append(value)
    return found


_SILENT = frozenset((
    ast.Constant, ast.Load, ast.Store, ast.Del, ast.Pass, ast.Break, ast.Continue, ast.Global, ast.Nonlocal,
    *ast.boolop.__subclasses__(), *ast.operator.__subclasses__(), *ast.unaryop.__subclasses__(),
    *ast.cmpop.__subclasses__(),
))
_NOTES: dict[type[ast.AST], Callable[[_Scope, Any], list[ast.AST]]] = {
    ast.Import: _Scope.import_, ast.ImportFrom: _Scope.import_, ast.Attribute: _Scope.attribute, ast.Name: _Scope.name,
    ast.Lambda: _Scope.lambda_, ast.Call: _Scope.call, ast.BinOp: _Scope.operation, ast.List: _Scope.items,
    ast.Tuple: _Scope.items, ast.Assign: _Scope.assign, ast.If: _Scope.if_,
}


def _type_checking(test: ast.AST) -> bool:
    return getattr(test, "id", None) == "TYPE_CHECKING" or getattr(test, "attr", None) == "TYPE_CHECKING"


def _lazy(statement: ast.stmt) -> dict[str, list[Any]]:
    """Names that a module with `__getattr__` loads later: its imports for type checkers, or a table of text."""
    found: dict[str, list[Any]] = {}
    if isinstance(statement, ast.If) and _type_checking(statement.test):
        for each in ast.walk(statement):
            if isinstance(each, ast.ImportFrom):
                for alias in each.names:
                    found[alias.asname or alias.name] = [each.level, each.module or "", [alias.name], ""]
    value = getattr(statement, "value", None)
    if isinstance(value, ast.Dict):
        for key, item in zip(value.keys, value.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(item, ast.Constant) and isinstance(item.value, str):
                level = len(item.value) - len(item.value.lstrip("."))
                if DOTTED.fullmatch(item.value[level:]):
                    found.setdefault(str(key.value), [level, item.value[level:], [str(key.value)], ""])
    return found
