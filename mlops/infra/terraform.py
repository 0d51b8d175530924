"""Terraform without its program: brackets close, and what is referred to is declared.

The syntax is HCL (https://developer.hashicorp.com/terraform/language/syntax/configuration). This is
no parser: it strips comments and strings, keeps what stands inside `${…}`, and compares names.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from mlops.infra.findings import Finding
from mlops.infra.tree import Tree

FOLDER = "infrastructure/terraform"
_TOKEN = re.compile(
    r"(?P<comment>\#[^\n]*|//[^\n]*|/\*.*?\*/)"
    r"|(?P<heredoc><<-?(?P<mark>\w+)\n.*?\n\s*(?P=mark)\b)"
    r"|(?P<string>\"(?:\\.|\$\{[^}\"]*(?:\"[^\"]*\"[^}\"]*)*\}|[^\"\\\n])*\")"
    r"|(?P<open>[{\[(])|(?P<close>[}\])])|(?P<quote>\")",
    re.DOTALL,
)
_PAIRS = {"}": "{", "]": "[", ")": "("}
_BLOCK = re.compile(r'^(resource|data|variable|output|module|provider)\s+"([^"]+)"(?:\s+"([^"]+)")?', re.MULTILINE)
_LOCALS = re.compile(r"^locals\s*\{(.*?)^\}", re.MULTILINE | re.DOTALL)
_REFERENCE = re.compile(
    r"(?<![\w.\"-])(var|local|module|data\.[a-z]\w*|(?:aws|kubernetes|helm|tls)_\w+)\.([A-Za-z_]\w*)"
)


def check(tree: Tree) -> Iterator[Finding]:
    """Findings on the files under `infrastructure/terraform`, each folder being a module of its own."""
    folders: dict[str, list[str]] = {}
    for name in tree.matching(".tf", under=FOLDER):
        folders.setdefault(posixpath.dirname(name), []).append(name)
    for names in folders.values():
        declared = {each for name in names for each in _declared(tree.text(name))}
        for name in names:
            text = tree.text(name)
            yield from _brackets(name, text)
            for line, reference in _references(text):
                if reference not in declared:
                    yield _finding(name, line, f"{reference} is declared nowhere in this folder")
        yield from _unused(tree, names, declared)


def _finding(path: str, line: int | None, message: str) -> Finding:
    return Finding(rule="terraform", path=path, line=line, message=message)


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def _brackets(name: str, text: str) -> Iterator[Finding]:
    waiting: list[tuple[str, int]] = []
    for token in _TOKEN.finditer(text):
        line = _line(text, token.start())
        if token["open"]:
            waiting.append((token["open"], line))
        elif token["close"]:
            if not waiting or waiting[-1][0] != _PAIRS[token["close"]]:
                yield _finding(name, line, f"{token['close']!r} closes nothing")
                return
            waiting.pop()
        elif token["quote"]:
            yield _finding(name, line, "a string is not closed in its line")
            return
    if waiting:
        yield _finding(name, waiting[-1][1], f"{waiting[-1][0]!r} is not closed")


def _code(text: str) -> str:
    """The text with comments and the literal parts of strings blanked, every line where it was."""
    def blank(token: re.Match[str]) -> str:
        found = token[0]
        if token["comment"]:
            return re.sub(r"[^\n]", " ", found)
        if token["string"] or token["heredoc"]:
            kept = [False] * len(found)
            for inner in re.finditer(r"\$\{[^}]*\}", found):
                kept[inner.start() + 2:inner.end() - 1] = [True] * (inner.end() - inner.start() - 3)
            return "".join(char if keep or char == "\n" else " " for char, keep in zip(found, kept, strict=True))
        return found
    return _TOKEN.sub(blank, text)


def _declared(text: str) -> Iterator[str]:
    bare = _TOKEN.sub(lambda token: "" if token["comment"] else token[0], text)
    for kind, first, second in _BLOCK.findall(bare):
        if kind == "variable":
            yield f"var.{first}"
        elif kind == "module":
            yield f"module.{first}"
        elif kind == "resource":
            yield f"{first}.{second}"
        elif kind == "data":
            yield f"data.{first}.{second}"
    for block in _LOCALS.findall(bare):
        for name in re.findall(r"^  (\w+)\s*=", block, re.MULTILINE):
            yield f"local.{name}"


def _references(text: str) -> Iterator[tuple[int, str]]:
    bare = _code(text)
    for found in _REFERENCE.finditer(bare):
        yield _line(bare, found.start()), f"{found[1]}.{found[2]}"


def _unused(tree: Tree, names: list[str], declared: set[str]) -> Iterator[Finding]:
    used = {reference for name in names for _, reference in _references(tree.text(name))}
    for name in names:
        text = tree.text(name)
        for found in _BLOCK.finditer(text):
            if found[1] == "variable" and f"var.{found[2]}" not in used:
                yield _finding(name, _line(text, found.start()), f"the variable {found[2]!r} is used nowhere")
