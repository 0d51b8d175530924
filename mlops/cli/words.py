"""The words of a call, read without Typer where nothing about them is doubtful."""

from __future__ import annotations

import enum
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from mlops.cli.declared import App, Argument, Function, Word, parameters

Read = Callable[[str], Any]
_TOLD = {"help", "metavar", "show_default"}
"""Settings of a declaration that say nothing of how its words are read."""


class Doubtful(Exception):
    """Typer must read the words: they ask for help, are wrong, or mean more than is read here."""


def read(app: App, words: Sequence[str]) -> tuple[Function, dict[str, Any]] | None:
    """The command that the words name and the values of its parameters; None where Typer must be asked."""
    try:
        function, rest = _command(app, list(words))
        return function, _values(function, rest)
    except Doubtful:
        return None


def _command(app: App, words: list[str]) -> tuple[Function, list[str]]:
    if not words and app.settings.get("no_args_is_help"):
        raise Doubtful
    if not app.several:
        return next(iter(app.commands.values())), words
    name = words[0] if words else ""
    if name in app.groups:
        return _command(app.groups[name], words[1:])
    if name in app.commands:
        return app.commands[name], words[1:]
    if app.default and name and not name.startswith("-"):
        return app.commands[app.default], words
    raise Doubtful


class _Taken:
    """A parameter of a command, and what the words gave it."""

    def __init__(self, name: str, kind: Any, word: Word | None, default: Any) -> None:
        if word is None or word.settings.keys() - _TOLD:
            raise Doubtful
        self.name, self.default, self.place = name, default, isinstance(word, Argument)
        kind = _without_none(kind)
        self.flag, self.many = kind is bool, typing.get_origin(kind) is list
        self.names = word.names or (f"--{name.replace('_', '-')}",)
        if any("/" in each or not each.startswith("--") for each in self.names if not self.place) or (
                self.flag and (self.place or not word.names)):
            raise Doubtful  # a name of one letter, or one for yes and one for no
        self._read = _reader(typing.get_args(kind)[0] if self.many else kind)
        self.given: list[Any] = []

    def take(self, text: str) -> None:
        if self.given and not self.many:
            raise Doubtful
        self.given.append(self._read(text))

    def value(self) -> Any:
        if self.given:
            return self.given if self.many else self.given[0]
        if self.default is inspect.Parameter.empty:
            raise Doubtful
        return list(self.default) if isinstance(self.default, list) else self.default


def _values(function: Function, words: list[str]) -> dict[str, Any]:
    taken = [_Taken(name, *each) for name, each in parameters(function).items()]
    options = {name: each for each in taken if not each.place for name in each.names}
    places = []
    rest = iter(words)
    for word in rest:
        if not word.startswith("-"):
            places.append(word)
            continue
        name, equals, text = word.partition("=")
        if name not in options:
            raise Doubtful
        option = options[name]
        if option.flag:
            text = text if equals else name
            if equals:
                raise Doubtful
        elif not equals:
            text = next(rest, "-")
        option.take(text)
    _place([each for each in taken if each.place], places)
    return {each.name: each.value() for each in taken}


def _place(arguments: list[_Taken], words: list[str]) -> None:
    """Give the words without a name to the arguments, in their order; a list takes all that are left."""
    left = iter(words)
    for number, each in enumerate(arguments):
        if each.many and number + 1 < len(arguments):
            raise Doubtful
        for word in _some(left, each.many):
            each.take(word)
    if next(left, None) is not None:
        raise Doubtful


def _some(words: Iterator[str], many: bool) -> Iterator[str]:
    for word in words:
        yield word
        if not many:
            return


def _without_none(kind: Any) -> Any:
    if isinstance(kind, types.UnionType) or typing.get_origin(kind) is typing.Union:
        kinds = [each for each in typing.get_args(kind) if each is not type(None)]
        return kinds[0] if len(kinds) == 1 else kind
    return kind


def _reader(kind: Any) -> Read:
    """What makes a value of the kind out of a word. A word that is empty or begins like an option is doubtful."""
    if kind is bool:
        return lambda text: True

    def checked(text: str) -> str:
        if not text or text.startswith("-"):
            raise Doubtful
        return text

    if kind is str:
        return checked
    if kind is Path:
        return lambda text: Path(checked(text))
    if kind is int:
        return lambda text: int(text) if re.fullmatch("[0-9]{1,15}", text) else _doubt()
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        members = {str(each.value): each for each in kind}
        return lambda text: members[text] if text in members else _doubt()
    raise Doubtful


def _doubt() -> Any:
    raise Doubtful
