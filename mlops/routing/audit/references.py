"""The files that a file which is no program names: images, requirements, configurations, manifests.

Each reader turns the text of a file into words; what of them is in the tree is asked afterwards, so
that the words can be remembered for as long as the file stays as it is.
"""

from __future__ import annotations

import fnmatch
import json
import posixpath
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlops.routing.audit.tree import Tree
from mlops.sources.imports import module_file

_CALLABLE = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):[A-Za-z_]\w*")
_REQUIREMENT = re.compile(r"(?:-r|--requirement|-c|--constraint|-e|--editable)(?:\s*=\s*|\s*)(\S+)")
_ARGUMENT = re.compile(r"\$\{?([A-Za-z_]\w*)(?::-([^}]*))?\}?")  # of a Dockerfile: $NAME, ${NAME}, ${NAME:-default}
_VALUE = re.compile(r"([A-Za-z_]\w*)=['\"]?([^\s'\"]*)")
_MODULE = re.compile(r"\"(?:\$\{path\.module\}/)?((?:\.{1,2}/)?[\w./-]+)\"")  # of Terraform: a source, a template
_COMMANDS = frozenset(("cmd", "command", "entry", "entrypoint", "run", "script"))
_LONGEST = 300  # characters of a text that may be a path or a reference
_LARGEST = 4_000_000  # bytes of a file that is read for references; what is larger is data


def is_dockerfile(path: str) -> bool:
    """Whether a file is named like the recipe of an image."""
    name = posixpath.basename(path)
    return name.startswith(("Dockerfile", "Containerfile")) or name.endswith((".Dockerfile", ".dockerfile"))


def is_requirements(path: str) -> bool:
    """Whether a file is named like a list of requirements or a lock."""
    folder, name = posixpath.split(path)
    return name.endswith((".txt", ".in")) and (
        "requirement" in name or "constraint" in name or posixpath.basename(folder) == "requirements"
    )


def is_configuration(path: str) -> bool:
    """Whether a file may name files and `module:callable`."""
    return path.endswith((".yaml", ".yml", ".json", ".toml", ".tf")) and posixpath.basename(path) != "pyproject.toml"


def copied(path: Path) -> list[str]:
    """The sources of COPY and ADD in a Dockerfile, but those from another stage or an address."""
    text = path.read_text(encoding="utf-8", errors="replace")
    text = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    found: list[str] = []
    values: dict[str, str] = {}
    for line in re.sub(r"\\[ \t]*\n", " ", text).splitlines():
        instruction, _, rest = line.strip().partition(" ")
        rest = _ARGUMENT.sub(lambda match: values.get(match[1], match[2] or ""), rest)
        if instruction.upper() in ("ARG", "ENV"):
            values |= dict(_VALUE.findall(rest))
        if instruction.upper() == "ONBUILD":
            instruction, _, rest = rest.strip().partition(" ")
        if instruction.upper() in ("COPY", "ADD"):
            found += _sources(rest.strip())
        elif instruction.upper() == "RUN":
            found += re.findall(r"--mount=\S*?(?:source|src)=([^,\s]+)", rest) if "type=bind" in rest else []
    return found


def _sources(rest: str) -> list[str]:
    words = rest.split()
    options = [word for word in words if word.startswith("--")]
    if any(word.startswith("--from=") for word in options):
        return []
    plain = rest[rest.index(words[len(options)]):] if len(words) > len(options) else ""
    if plain.startswith("["):
        try:
            given = [str(each) for each in json.loads(plain)]
        except ValueError:
            return []
    else:
        try:
            given = shlex.split(plain)
        except ValueError:
            given = plain.split()
    return [each for each in given[:-1] if "://" not in each and not each.startswith("<<")]


def copies(tree: Tree, path: str, sources: list[str]) -> Iterator[str]:
    """The files that a Dockerfile copies: from the tree's top, or from its own folder where that is the context."""
    folder = posixpath.dirname(path)
    for source in sources:
        relative = source.lstrip("/")
        if relative in ("", ".", "./"):
            yield from tree.below(folder if posixpath.join(folder, ".dockerignore") in tree.files else "")
            continue
        for context in dict.fromkeys(("", folder)):
            found = expand(tree, posixpath.normpath(posixpath.join(context, relative)))
            if found:
                yield from found
                break
    for ignored in (".dockerignore", f"{path}.dockerignore", posixpath.join(folder, ".dockerignore")):
        if ignored in tree.files:
            yield ignored


def expand(tree: Tree, path: str) -> list[str]:
    """The files that a path or a pattern of a shell names; a folder stands for what is in it."""
    if not any(sign in path for sign in "*?["):
        return tree.resolve(path)
    depth = path.count("/")
    start = re.split(r"[*?\[]", path, maxsplit=1)[0]
    found = []
    for name in [*tree.files, *tree.folders]:
        if name.startswith(start) and (name.count("/") == depth or "**" in path) and fnmatch.fnmatchcase(name, path):
            found += tree.resolve(name)
    return sorted(set(found))


def required(path: Path) -> list[str]:
    """The files that a list of requirements includes: -r, -c and -e."""
    found = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        match = _REQUIREMENT.match(line.strip())
        if match and "://" not in match[1]:
            found.append(match[1].strip("'\""))
    return found


def requirements(tree: Tree, path: str, names: list[str]) -> Iterator[str]:
    """The files of the tree that the requirements in `path` include, from its own folder."""
    for name in names:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), name.partition("[")[0]))
        if tree.is_file(target):
            yield from tree.resolve(target)
        else:  # an editable project: what it is built from
            yield from (each for each in (f"{target}/pyproject.toml", f"{target}/setup.py") if each in tree.files)


def texts(path: Path) -> dict[str, list[str]]:
    """The texts in a configuration that may be a path or a reference, and the commands in it.

    Nothing for a file that cannot be read.
    """
    try:
        if path.stat().st_size > _LARGEST:
            return {"texts": [], "commands": []}
        if path.suffix == ".tf":
            found = set(_MODULE.findall(path.read_text(encoding="utf-8")))
            return {"texts": sorted(each for each in found if "/" in each or "." in each), "commands": []}
        documents = _documents(path)
    except Exception:  # any text may be there; whoever reads the file in earnest refuses it by name
        return {"texts": [], "commands": []}
    words = {each for each in scalars(documents, keys=True) if _may_name(each)}
    return {"texts": sorted(words), "commands": sorted(set(_commands(documents)))}


def _documents(path: Path) -> list[Any]:
    if path.suffix == ".json":
        return [json.loads(path.read_bytes())]
    if path.suffix == ".toml":
        import tomllib

        return [tomllib.loads(path.read_text(encoding="utf-8"))]
    from ruamel.yaml import YAML

    return list(YAML(typ="safe", pure=True).load_all(path.read_text(encoding="utf-8")))


def scalars(value: Any, *, keys: bool = False) -> Iterator[str]:
    """The texts in JSON data, with `keys` those of mappings too."""
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            pending.extend(one.values())
            pending.extend(each for each in one if keys and isinstance(each, str) and "/" in each)
        elif isinstance(one, list):
            pending.extend(one)
        elif isinstance(one, str):
            yield one


def _commands(value: Any) -> Iterator[str]:
    """What stands under keys that hold a command, in one line each."""
    pending = [value]
    while pending:
        one = pending.pop()
        for key, held in one.items() if isinstance(one, dict) else ():
            words = held if isinstance(held, list) else [held]
            if key in _COMMANDS and all(isinstance(each, str) for each in words):
                yield " ".join(words)
        pending.extend(one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())


def _may_name(text: str) -> bool:
    if not 1 < len(text) < _LONGEST or any(sign.isspace() for sign in text) or "://" in text:
        return False
    return "/" in text or "." in text or ":" in text


def named(tree: Tree, path: str, words: list[str]) -> Iterator[str]:
    """The files of the tree that these words of the file `path` name: paths, `module:callable`, kustomize folders."""
    folder = posixpath.dirname(path)
    for word in words:
        reference = _CALLABLE.fullmatch(word)
        if reference:
            file = module_file(tree, reference[1])
            if file is not None:
                yield file
                continue
        key, equals, rest = word.partition("=")  # a generator of kustomize: key=path
        for base in dict.fromkeys(("", folder)):
            target = posixpath.normpath(posixpath.join(base, rest if equals and "/" not in key else word))
            if target == folder or folder.startswith(f"{target}/"):
                continue  # its own folder, or one around it
            found = tree.resolve(target)
            if found:
                yield from found
                break
