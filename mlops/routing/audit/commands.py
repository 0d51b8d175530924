"""What the steps of a workflow run, and the files that those commands read.

Shell is not run, it is read: words that name files of the tree, the targets of make with their
recipes, modules that Python is told to run, commands that the project itself installs.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import NamedTuple

from mlops.routing.audit.references import expand
from mlops.routing.audit.tree import Tree
from mlops.sources.imports import module_file, targets

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


# Programs that read a file though nobody names it.
_DEFAULTS: dict[str, tuple[str, ...]] = {
    "pre-commit": (".pre-commit-config.yaml",), "tox": ("tox.ini", "pyproject.toml"), "nox": ("noxfile.py",),
    "mypy": ("mypy.ini", ".mypy.ini", "pyproject.toml", "setup.cfg"), "alembic": ("alembic.ini",),
    "lint-imports": (".importlinter", "pyproject.toml"), "dvc": ("dvc.yaml", "dvc.lock", "params.yaml"),
    "hadolint": (".hadolint.yaml",), "trivy": ("trivy.yaml", ".trivyignore"), "coverage": (".coveragerc",),
    "poetry": ("pyproject.toml", "poetry.lock"), "npm": ("package.json", "package-lock.json"),
    "mkdocs": ("mkdocs.yml",), "codecov": ("codecov.yml", ".codecov.yml"),
}
_COMPOSE = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml", "compose.override.yaml", ".env")
_WORKSPACE = re.compile(r"(\$\{\{\s*github\.workspace\s*\}\}|\$\{?GITHUB_WORKSPACE\}?|\$\{?PWD\}?|\$\(pwd\))/")
_BESIDE = re.compile(  # the folder that a script lies in, as scripts ask for it
    r"\$\(dirname (--\s+)?\"?\$(0|\{0\}|\{?BASH_SOURCE(\[0\])?\}?)\"?\)|\$\{(0|BASH_SOURCE(\[0\])?)%/\*\}"
)
_INLINE = re.compile(r"\bpython[\d.]*\s(?:-\w+\s+)*-c\s+(?:'([^']*)'|\"([^\"]*)\")")


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
        self._own_folder = ""

    @cached_property
    def _entries(self) -> dict[str, str]:
        """The commands that the tree's own project installs → their modules."""
        import tomllib

        try:
            project = tomllib.loads((self.tree.repository / "pyproject.toml").read_text()).get("project", {})
            return {name: str(entry).partition(":")[0] for name, entry in project.get("scripts", {}).items()}
        except (OSError, ValueError, AttributeError):
            return {}  # not there, or whoever reads it in earnest refuses it

    def read(self, script: str, folder: str = "", own: str = "") -> Iterator[Read]:
        """The files that a shell script reads, which starts in `folder` and lies in the folder `own`."""
        script = _WORKSPACE.sub("", _BESIDE.sub(f"./{own}", script))
        self._own_folder = own
        for code in _INLINE.findall(script):
            from mlops.sources.python import modules

            for each in modules(code[0] or code[1]):
                yield from (Read(found) for one in targets(self.tree, posixpath.join(folder, "_"), each)
                            for found in self.tree.resolve(one.path))
        for words in simple_commands(script):
            if words[0] in ("cd", "pushd") and len(words) > 1:
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
        yield from self._by_default(program, rest, folder)
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
            if program in self._entries:
                file = module_file(self.tree, self._entries[program])
                yield from (Read(each) for each in (self.tree.resolve(file) if file else []))
            yield from self._words(words, folder)

    def _by_default(self, program: str, rest: list[str], folder: str) -> Iterator[Read]:
        """The files that a program reads though nobody names them."""
        names = _DEFAULTS.get(program, ())
        if program == "docker" and "compose" in rest or program == "docker-compose":
            names = _COMPOSE
        if program in ("pip", "pip3", "uv") and not {".", "-e", "sync", "--editable"}.isdisjoint(rest):
            names = ("pyproject.toml", "setup.py", "setup.cfg", "uv.lock")
        for name in names:
            path = posixpath.normpath(posixpath.join(folder, name))
            yield from (Read(each) for each in self.tree.resolve(path) if self.tree.is_file(path))

    def _own(self, words: list[str]) -> Iterator[Read]:
        """The files in which the longest known command at the beginning of `words` starts."""
        for length in range(len(words), 0, -1):
            found = self.known.get(" ".join(words[:length]))
            if found is not None:
                yield from (Read(each) for each in found)
                return

    def _words(self, words: list[str], folder: str, whole: bool = True) -> Iterator[Read]:
        for word in words:
            bases = [folder, ""]
            if word.startswith("-") and "=" in word:
                word = word.partition("=")[2]
            elif word.startswith("--"):  # an option's own name, be it a folder's too, is no path
                continue
            elif word.startswith("-"):
                word = word[2:]
            word = word.partition("::")[0].lstrip("@")  # a test in a file; `curl -d @file`
            if word.startswith("$") and "/" in word:  # a variable that holds a folder: the script's own, or these
                word, bases = word.partition("/")[2], [self._own_folder, folder, ""]
            if not word or "://" in word or word.startswith("$"):
                continue
            for base in dict.fromkeys(bases):
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


def is_script(path: str, head: bytes) -> bool:
    """Whether a file is a shell script: by its name, or by its first line."""
    if path.endswith((".sh", ".bash")):
        return True
    return head.startswith(b"#!") and bool(re.search(rb"\b(ba|da|z|k)?sh\b", head.split(b"\n", 1)[0]))


def is_python(path: str, head: bytes) -> bool:
    """Whether a file is Python: by its name, or by its first line."""
    return path.endswith(".py") or head.startswith(b"#!") and b"python" in head.split(b"\n", 1)[0]
