"""What the nouns share: the options that every one has, and how an answer is printed."""

from __future__ import annotations

import enum
import json
from pathlib import Path
from typing import Annotated, Any

from mlops.cli.declared import App, Option
from mlops.config import ConfigManager, Environment, Settings, Workspace
from mlops.git import repository as find_repository
from mlops.records.base import Record


class Format(str, enum.Enum):
    """How an answer is printed: for people, or as one JSON document on standard output."""

    TABLE = "table"
    JSON = "json"


FormatOption = Annotated[Format, Option("--format", help="How to print the answer.")]
RepositoryOption = Annotated[
    Path, Option("--repository", help="The repository to work in.", show_default="the current folder")
]
HERE = Path(".")


def new_app(help: str, **options: Any) -> App:
    """The commands of a noun; see `App` for the options."""
    return App(help, **options)


def open_workspace(folder: Path) -> tuple[Workspace, Settings]:
    """The places and the settings of the repository that `folder` lies in."""
    manager = ConfigManager(find_repository(folder))
    return manager.workspace(), manager.load_config(Environment.DEVELOPMENT)


def print_json(answer: Record | dict[str, Any] | list[Any]) -> None:
    """The one JSON document of an answer, on standard output."""
    if isinstance(answer, Record):
        print(answer.to_json().decode(), end="")
    else:
        print(json.dumps(answer, indent=2, ensure_ascii=False, allow_nan=False))


def print_table(rows: list[tuple[str, ...]], header: tuple[str, ...]) -> None:
    """Rows as aligned text on standard output."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    for row in [header, *rows]:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
