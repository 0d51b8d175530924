"""Words that are read without Typer mean what Typer makes of them; all others are left to it."""

from __future__ import annotations

import enum
import importlib
import inspect
import subprocess
import sys
import typing
from collections.abc import Iterator
from typing import Any

import pytest
from mlops.cli import NOUNS
from mlops.cli.declared import App, Argument, Exit, Function, parameters
from mlops.cli.words import read
from typer.testing import CliRunner

WORDS = ["a", "b=c", "3", "table", "json", "full", "data", "current", "x y", "é", "http://x/?a=b"]


def commands() -> Iterator[tuple[str, App, Function]]:
    """Every command of every noun, each as an app of its own."""
    for noun, (module, _) in NOUNS.items():
        app = importlib.import_module(module).app
        if isinstance(app, App):
            yield from _of(noun, app)


def _of(called: str, app: App) -> Iterator[tuple[str, App, Function]]:
    for name, function in app.commands.items():
        yield f"{called} {name}", app, function
    for name, group in app.groups.items():
        yield from _of(f"{called} {name}", group)


COMMANDS = list(commands())


def lines(function: Function) -> Iterator[list[str]]:
    """Lines of words for a command: good, doubtful and wrong ones."""
    places, options, needed = [], [], []
    for name, (kind, word, default) in parameters(function).items():
        fits = "3" if kind is int else str(next(iter(kind)).value) if inspect.isclass(kind) and issubclass(
            kind, enum.Enum) else "a"
        if isinstance(word, Argument):
            places.append(fits)
        elif word is not None:
            options.append((word.names or (f"--{name.replace('_', '-')}",))[0])
            needed += [f"{options[-1]}={fits}"] if default is inspect.Parameter.empty else []
    yield from ([], needed, places, [*places, *needed], [*needed, "a", "b", "c"])
    yield from (["--no-such-option"], ["--", "a"], ["a", "-"])
    for option in options:
        others = [each for each in needed if not each.startswith(f"{option}=")]
        for text in WORDS:
            yield [*others, option, text]
            yield [*places, f"{option}={text}", *others]
        yield [*places, option, *others]
        yield [*places, option, "", *others]
        yield [*places, option, "-x", *others]
        yield [*places, option, "a", option, "b", *others]


def recorder(function: Function, seen: list[dict[str, Any]]) -> Function:
    """A function that takes what the command takes, and only notes it."""
    def record(**values: Any) -> None:
        seen.append(values)

    record.__name__ = function.__name__
    record.__annotations__ = typing.get_type_hints(function, include_extras=True)
    record.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return record


@pytest.mark.parametrize(("called", "app", "function"), COMMANDS, ids=[called for called, _, _ in COMMANDS])
def test_both_readings_agree(called: str, app: App, function: Function) -> None:
    seen: list[dict[str, Any]] = []
    alone = App("One command.")
    alone.command("one")(recorder(function, seen))
    by_typer, runner, plain = alone.typer(), CliRunner(), 0
    for words in lines(function):
        found = read(alone, words)
        if found is None:
            continue
        plain += 1
        seen.clear()
        assert runner.invoke(by_typer, words).exit_code == 0, words
        assert seen == [found[1]], words
        assert [type(each) for each in seen[0].values()] == [type(each) for each in found[1].values()], words
    envvar = any(word and "envvar" in word.settings for _, word, _ in parameters(function).values())
    assert plain or envvar


@pytest.mark.parametrize("words", [
    ["data"], ["data", "--help"], ["data", "validate", "-h"], ["data", "validate", "--source"], ["data", "no-such"],
    ["data", "validate", "x", "y"], ["data", "validate", "--format", "xml"],
    ["data", "validate", "--format", "json", "-"],
    ["data", "version"], ["data", "version", "--help"], ["config"], ["gate"],
])
def test_what_is_not_plain_is_left_to_typer(words: list[str]) -> None:
    app = importlib.import_module(NOUNS[words[0]][0]).app
    assert read(app, words[1:]) is None


def test_a_first_word_that_names_no_command_belongs_to_the_default_one() -> None:
    app = importlib.import_module("mlops.cli.data").app
    for words in (["version", "housing"], ["version", "make", "housing"]):
        found = read(app, words)
        assert found is not None and found[0].__name__ == "make" and found[1]["name"] == "housing"


def test_an_exit_code_ends_the_process_as_it_was_told() -> None:
    app = App("Ends.")

    @app.command()
    def end() -> None:
        raise Exit(3)

    for words in ([], ["--"]):  # plain; read by Typer
        with pytest.raises(SystemExit) as ended:
            app(words, "end")
        assert ended.value.code == 3


def test_a_plain_command_imports_no_typer() -> None:
    code = ("import sys\nfrom mlops.cli import main\ntry: main(['config', 'show', '--format', 'json'])\n"
            "except SystemExit: pass\nsys.exit(bool({'typer', 'pydantic', 'click'} & set(sys.modules)))")
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0
