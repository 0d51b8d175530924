"""What the steps of a workflow run, and the files that those commands read.

Shell is not run, it is read: words that name files of the tree, the targets of make with their
recipes, modules that Python is told to run, commands that the project itself installs.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mlops.routing.python import module_file
from mlops.routing.references import expand
from mlops.routing.tree import Tree

_SILENT = frozenset(("echo", "printf", "say", "fail", "test", "[", "[[", "export", "set", "trap", "command", "rm"))
_BEFORE = frozenset(("exec", "env", "time", "sudo", "nice", "if", "then", "else", "elif", "while", "do", "!", "{", "("))
_OPERATORS = re.compile(r"[;&|()]+|<<<.*|[<>]+")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_PYTHON = re.compile(r"(python|pypy)[0-9.]*|\$\{?python\}?")
# Tools that read what they are given as text, without importing it, and the files that configure them.
_READERS: dict[str, tuple[str, ...]] = {
    "flake8": (".flake8", "setup.cfg", "tox.ini"), "ruff": ("ruff.toml", ".ruff.toml", "pyproject.toml"),
    "black": ("pyproject.toml",), "yamllint": (".yamllint", ".yamllint.yml", ".yamllint.yaml"),
    "check-jsonschema": (), "zizmor": (".github/zizmor.yml",), "actionlint": (".github/actionlint.yaml",),
}
_PYTEST = ("pyproject.toml", "pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg")
_MAKEFILES = ("GNUmakefile", "makefile", "Makefile")


class Read(NamedTuple):
    """A file that a command reads.

    Attributes:
        path: The file.
        part: A make target in it.
        whole: What the file itself names is read too; False for a file that is only looked at as text.
    """

    path: str
    part: str = ""
    whole: bool = True


class Commands:
    """Reads commands.

    Args:
        tree: The tree.
        known: The project's own commands, by their words ("mlops data"), and the files they start in.
    """

    def __init__(self, tree: Tree, known: Mapping[str, tuple[str, ...]]) -> None:
        self.tree = tree
        self.known = known

    def read(self, script: str, folder: str = "") -> Iterator[Read]:
        """The files that a shell script reads, which starts in `folder`."""
        for words in simple_commands(script):
            if words[0] == "cd" and len(words) > 1:
                folder = self._changed(folder, words[1])
            else:
                yield from self._command(words, folder)

    def _changed(self, folder: str, to: str) -> str:
        if "$" in to or "`" in to:  # `cd "$(dirname "$0")/.."` and its like: the top
            return ""
        path = posixpath.normpath(posixpath.join(folder, to))
        return path if path in self.tree.folders else "" if path == "." else folder

    def _command(self, words: list[str], folder: str) -> Iterator[Read]:
        while words and (words[0] in _BEFORE or _ASSIGNMENT.fullmatch(words[0])):
            words = words[1:]
        if not words or posixpath.basename(words[0]) in _SILENT:
            return
        program, rest = posixpath.basename(words[0]), words[1:]
        for name in (program, *(posixpath.basename(word) for word in rest[:3])):  # behind a wrapper too
            if name in _READERS:
                yield from self._reader(name, rest, folder)
                return
        if program in ("make", "gmake"):
            yield from self._make(rest, folder)
        elif _PYTHON.fullmatch(program):
            yield from self._python(rest, folder)
        elif program in ("pytest", "py.test"):
            yield from self._pytest(rest, folder)
        elif program in {name.partition(" ")[0] for name in self.known}:
            yield from self._own([program, *rest])
            yield from self._words(rest, folder)
        else:
            yield from self._words(words, folder)

    def _own(self, words: list[str]) -> Iterator[Read]:
        """The files in which the longest known command at the beginning of `words` starts."""
        for length in range(len(words), 0, -1):
            found = self.known.get(" ".join(words[:length]))
            if found is not None:
                yield from (Read(each) for each in found)
                return

    def _words(self, words: list[str], folder: str, whole: bool = True) -> Iterator[Read]:
        for word in words:
            if word.startswith("--") and "=" in word:
                word = word.partition("=")[2]
            elif word.startswith("--"):  # an option's own name, be it a folder's too, is no path
                continue
            elif word.startswith("-"):
                word = word[2:]
            word = word.partition("::")[0]  # a test in a file
            if not word or "://" in word or word.startswith("$"):
                continue
            for base in dict.fromkeys((folder, "")):
                found = expand(self.tree, posixpath.normpath(posixpath.join(base, word)))
                if found:
                    yield from (Read(each, whole=whole) for each in found)
                    break

    def _reader(self, name: str, words: list[str], folder: str) -> Iterator[Read]:
        yield from self._words(words, folder, whole=False)
        yield from (Read(each, whole=False) for each in _READERS[name] if each in self.tree.files)

    def _python(self, words: list[str], folder: str) -> Iterator[Read]:
        while words and words[0].startswith("-") and words[0] != "-m":
            if words[0] == "-c":
                return
            words = words[2:] if words[0] in ("-X", "-W") else words[1:]
        if len(words) < 2 or words[0] != "-m":
            yield from self._words(words, folder)
            return
        module, rest = words[1], words[2:]
        if module == "compileall":  # writes bytecode and depends on nothing
            return
        if module in ("pytest", "flake8", "ruff", "black"):
            yield from self._command([module, *rest], folder)
            return
        for name in (module, f"{module}.__main__"):
            file = module_file(self.tree, name, posixpath.join(folder, "_"))
            yield from (Read(each) for each in (self.tree.resolve(file) if file else []))
        yield from self._words(rest, folder)

    def _pytest(self, words: list[str], folder: str) -> Iterator[Read]:
        outputs = ("--junitxml", "--junit-xml", "--cov-report")
        given = list(self._words([word for word in words if not word.startswith(outputs)], folder))
        yield from given
        yield from (Read(each, whole=False) for each in _PYTEST if each in self.tree.files)
        around = {posixpath.dirname(each.path) for each in given}
        while around:
            yield from (Read(each) for at in around if (each := posixpath.join(at, "conftest.py")) in self.tree.files)
            around = {posixpath.dirname(at) for at in around if at}

    def _make(self, words: list[str], folder: str) -> Iterator[Read]:
        targets, file, rest = [], "", iter(words)
        for word in rest:
            if word == "-C":
                folder = posixpath.normpath(posixpath.join(folder, next(rest, "")))
            elif word == "-f":
                file = posixpath.normpath(posixpath.join(folder, next(rest, "")))
            elif not word.startswith("-") and "=" not in word:
                targets.append(word)
        there = (each for name in _MAKEFILES if (each := posixpath.join(folder, name)) in self.tree.files)
        file = file or next(there, "")
        if file in self.tree.files:
            yield from (Read(file, target) for target in targets or [""])


def simple_commands(script: str) -> list[list[str]]:
    """The commands in a shell script, each as its words; what is inside quotes with spaces is no word."""
    found: list[list[str]] = []
    for line in re.sub(r"\\\n", " ", script).splitlines():
        for part in _split(line):
            if part:
                found.append(part)
    return found


def _split(line: str) -> Iterator[list[str]]:
    # `$(command …)` and `sh -c "command …"` hold commands of their own
    for inner in re.findall(r"\$\(([^()]+)\)", line):
        yield from _split(inner)
    for inner in re.findall(r"\b(?:sh|bash) -c (?:'([^']*)'|\"([^\"]*)\")", line):
        yield from _split(inner[0] or inner[1])
    try:
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.commenters = "#"
        lexer.wordchars += "$@:%+^!{},[]\\"
        tokens = list(lexer)
    except ValueError:  # a quotation over several lines: the words alone
        tokens = re.findall(r"[^\s\"';&|()<>]+", line)
    words: list[str] = []
    for token in tokens:
        if _OPERATORS.fullmatch(token):
            if "<" in token or ">" in token:
                continue
            yield words
            words = []
        elif not any(sign.isspace() for sign in token):
            words.append(token)
    yield words


class Makefile:
    """The rules of a Makefile: for each target what it needs and what it runs."""

    def __init__(self, text: str) -> None:
        self.goal = ""
        self.needs: dict[str, list[str]] = {}
        self.recipes: dict[str, list[str]] = {}
        self._values: dict[str, str] = {"MAKE": "make"}
        current: list[str] = []
        for line in re.sub(r"\\\n", " ", text).splitlines():
            if line.startswith("\t"):
                for target in current:
                    self.recipes[target].append(self._filled(line.strip().lstrip("@-+")))
                continue
            current = self._line(line.partition("#")[0].strip()) or ([] if line.strip() else current)

    def _line(self, line: str) -> list[str]:
        value = re.match(r"(?:export\s+|override\s+)?([\w.-]+)\s*(?::=|::=|\?=|\+=|=)\s*(.*)", line)
        if value:
            self._values[value[1]] = value[2]
            if value[1] == ".DEFAULT_GOAL":
                self.goal = value[2]
            return []
        rule = re.match(r"([^:=]+)::?(?!=)\s*(.*)", line)
        if not rule:
            return []
        targets = self._filled(rule[1]).split()
        for target in targets:
            self.needs.setdefault(target, []).extend(self._filled(rule[2]).replace("|", " ").split())
            self.recipes.setdefault(target, [])
            if not self.goal and not target.startswith("."):
                self.goal = target
        return targets

    def _filled(self, text: str) -> str:
        for _ in range(5):  # values may hold values
            text, changed = re.subn(
                r"\$[({]([\w.-]+)[)}]", lambda match: self._values.get(match[1], ""), text
            )
            if not changed:
                break
        return text

    def reads(self, commands: Commands, file: str, target: str) -> Iterator[Read]:
        """The files that making `target` reads, from the folder of the Makefile `file`."""
        target = target or self.goal
        folder = posixpath.dirname(file)
        yield Read(file, whole=False)
        for need in self.needs.get(target, ()):
            if need in self.needs:
                yield Read(file, need)
            path = posixpath.normpath(posixpath.join(folder, need))
            yield from (Read(each) for each in commands.tree.resolve(path) if commands.tree.is_file(path))
        for line in self.recipes.get(target, ()):
            yield from commands.read(line, folder)


def is_script(path: str, head: bytes) -> bool:
    """Whether a file is a shell script: by its name, or by its first line."""
    if path.endswith((".sh", ".bash")):
        return True
    return head.startswith(b"#!") and bool(re.search(rb"\b(ba|da|z|k)?sh\b", head.split(b"\n", 1)[0]))


def is_python(path: str, head: bytes) -> bool:
    """Whether a file is Python: by its name, or by its first line."""
    return path.endswith(".py") or head.startswith(b"#!") and b"python" in head.split(b"\n", 1)[0]
