"""Where in the tree an expression over `__file__`, or over a package's own files, leads; read and never run."""

from __future__ import annotations

import ast
import posixpath
from collections.abc import Iterable, Mapping

from mlops.sources.imports import FILE, PACKAGE, STEM


def place(node: ast.AST, names: Mapping[str, str]) -> str | None:
    """The path, from a file's own folder, that an expression names; None for any other.

    Args:
        node: The expression.
        names: Constants that hold such a path.
    """
    if isinstance(node, ast.Name):
        return FILE if node.id == "__file__" else names.get(node.id)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        return _joined(place(node.left, names), node.right)
    if isinstance(node, ast.Attribute):
        return _parent(place(node.value, names)) if node.attr == "parent" else None
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute) and node.value.attr == "parents":
        found, number = place(node.value.value, names), getattr(node.slice, "value", None)
        for _ in range(number + 1 if isinstance(number, int) and 0 <= number < 20 else 0):
            found = _parent(found)
        return found if isinstance(number, int) else None
    return _called(node, names) if isinstance(node, ast.Call) else None


def _called(node: ast.Call, names: Mapping[str, str]) -> str | None:
    name = getattr(node.func, "attr", None) or getattr(node.func, "id", None)
    first = node.args[0] if node.args else None
    if first is None:
        inner = place(node.func.value, names) if isinstance(node.func, ast.Attribute) else None
        return inner if name in ("resolve", "absolute", "as_posix") else None
    text = getattr(first, "value", None)
    if name == "files" and isinstance(text, str):
        return PACKAGE + text
    if name == "get_data" and isinstance(text, str) and len(node.args) == 2:
        return _joined(PACKAGE + text, node.args[1])
    if name in ("Path", "PurePath", "abspath", "realpath", "str", "fspath", "join"):
        return _all_joined(place(first, names), node.args[1:])
    if name == "dirname":
        return _parent(place(first, names))
    inner = place(node.func.value, names) if isinstance(node.func, ast.Attribute) else None
    if inner is None:
        return None
    if name == "with_suffix" and isinstance(text, str):
        return f"./{STEM}{text}" if inner == FILE else None
    if name == "with_name":
        return _joined(_parent(inner), first)
    if name == "joinpath":
        return _all_joined(inner, node.args)
    return inner if name == "resolve" else None


def _parent(path: str | None) -> str | None:
    if path is None or path == FILE:
        return path and "."
    plain = posixpath.normpath(path)
    if plain == "." or plain.endswith(".."):
        return posixpath.join(plain, "..")
    return posixpath.dirname(plain) or "."


def _all_joined(folder: str | None, parts: Iterable[ast.expr]) -> str | None:
    for each in parts:
        folder = _joined(folder, each)
    return folder


def _joined(folder: str | None, name: ast.expr) -> str | None:
    text = getattr(name, "value", None)
    return posixpath.join(folder, text) if folder and isinstance(text, str) and not text.startswith("/") else None
