"""What the nouns declare of their commands: options, arguments, groups.

Typer, with Click and Pydantic behind it, takes a tenth of a second to import, which is longer than many commands work.
So a noun declares its commands in the names of this module, which import nothing. Words that are plain are read
by `words.read`; whatever else is asked (help, an error, a value from the environment) Typer answers, built of the
same declarations. Each option is written down once, and both readings mean the same.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

if TYPE_CHECKING:
    from typer import Typer

Function = Callable[..., Any]


class Word:
    """What a command takes beside its name.

    Args:
        names: As they are written, such as `--source`; made of the parameter's name where there are none.
        settings: Typer's: `help`, `metavar`, `envvar`, `show_default`.
    """

    def __init__(self, *names: str, **settings: Any) -> None:
        self.names, self.settings = names, settings


class Option(Word):
    """Named: `--source FILE`."""


class Argument(Word):
    """Told by its place."""


class Exit(SystemExit):
    """Ends the command with an exit code, after it has told its answer."""


class App:
    """The commands of a noun, called with the words behind it.

    Args:
        help: What they are for.
        default: The command that is meant where the first word names none.
        several: Whether a command's name must be said even where there is but one.
        settings: Typer's, such as `no_args_is_help`.
    """

    def __init__(self, help: str, *, default: str = "", several: bool = False, **settings: Any) -> None:
        self.help, self.default, self.settings, self._several = help, default, settings, several
        self.commands: dict[str, Function] = {}
        self.groups: dict[str, App] = {}

    def command(self, name: str = "") -> Callable[[Function], Function]:
        """Take in a function as the command of that name, else of its own."""

        def take(function: Function) -> Function:
            self.commands[name or function.__name__.lower().replace("_", "-")] = function
            return function

        return take

    def add_group(self, group: App, *, name: str) -> None:
        """Take in the commands of another app behind a word."""
        self.groups[name] = group

    @property
    def several(self) -> bool:
        """Whether the first word is a command's name."""
        return self._several or bool(self.groups) or len(self.commands) > 1

    def __call__(self, args: Sequence[str], prog_name: str, standalone_mode: bool = True) -> None:
        """Run the command that the words name; Typer ends the process where it is the one to answer."""
        from mlops.cli import words

        found = words.read(self, args)
        if found is None:
            self.typer()(args=list(args), prog_name=prog_name, standalone_mode=standalone_mode)
        else:
            function, values = found
            function(**values)

    def typer(self) -> Typer:
        """The same as a Typer application: plain text, no completion, no framed tracebacks."""
        import typer

        settings = dict(self.settings)
        if self.default:
            settings["cls"] = _group_with_default(self.default)
        made = typer.Typer(
            help=self.help, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
            context_settings={"help_option_names": ["-h", "--help"]}, **settings,
        )
        if self._several:
            made.callback(help=self.help)(lambda: None)
        for name, function in self.commands.items():
            made.command(name)(_for_typer(function))
        for name, group in self.groups.items():
            made.add_typer(group.typer(), name=name)
        return made


def parameters(function: Function) -> dict[str, tuple[Any, Word | None, Any]]:
    """Each parameter's type, what was declared of it, and its default (`inspect.Parameter.empty` for none)."""
    hints = typing.get_type_hints(function, include_extras=True)
    found = {}
    for name, parameter in inspect.signature(function).parameters.items():
        told = [each for each in getattr(hints[name], "__metadata__", ()) if isinstance(each, Word)]
        found[name] = (hints[name].__origin__ if told else hints[name], told[0] if told else None, parameter.default)
    return found


def _for_typer(function: Function) -> Function:
    """The function with Typer's own options and arguments where those of this module are declared."""
    import typer

    def call(**values: Any) -> Any:
        return function(**values)

    made = []
    for name, (kind, word, default) in parameters(function).items():
        if word is not None:
            of_typer: Any = typer.Option if isinstance(word, Option) else typer.Argument
            kind = Annotated[kind, of_typer(*word.names, **word.settings)]
        made.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind))
    call.__name__, call.__doc__ = function.__name__, function.__doc__
    call.__annotations__ = {each.name: each.annotation for each in made}
    call.__signature__ = inspect.Signature(made)  # type: ignore[attr-defined]
    return call


def _group_with_default(name: str) -> type[Any]:
    from typer.core import TyperGroup

    class GroupWithDefault(TyperGroup):
        """A first word that names no command belongs to the default one."""

        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
                args = [name, *args]
            return super().parse_args(ctx, args)

    return GroupWithDefault
