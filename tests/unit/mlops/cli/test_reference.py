"""The reference of the commands names every noun, command, argument and option that there is."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator

import pytest

from mlops.cli import NOUNS, main, reference


def help_of(*words: str) -> str:
    """What `mlops WORDS --help` prints."""
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as out:
        patch.setenv("COLUMNS", "200")
        with contextlib.suppress(SystemExit):
            main([*words, "--help"])
    return out.getvalue()


def commands(*words: str) -> Iterator[tuple[str, ...]]:
    """The commands below `words`, groups opened."""
    text = help_of(*words)
    nested = re.findall(r"^  ([a-z][a-z-]*)  ", text.partition("\nCommands:\n")[2], re.MULTILINE)
    if not nested:
        yield words
    for each in nested:
        yield from commands(*words, each)


@pytest.fixture(scope="module")
def page() -> str:
    return reference.render()


@pytest.mark.parametrize("noun", NOUNS)
def test_every_noun_with_all_its_options(page: str, noun: str) -> None:
    section = page.partition(f"\n## mlops {noun}\n")[2].partition("\n## ")[0]
    assert NOUNS[noun][1] in section
    for words in commands(noun):
        assert f"\nmlops {' '.join(words)} " in section, words
        lines = re.findall(r"^ +(?:-\w, )?--.*$", help_of(*words), re.MULTILINE)
        options = set(re.findall(r"--[a-z][a-z0-9-]*", " ".join(lines)))
        assert "--help" in options, words
        assert sorted(option for option in options - {"--help"} if f"`{option}`" not in section) == []


def test_choices_and_defaults_are_told(page: str) -> None:
    assert "| `--format` | `table` | How to print the answer. One of table, json. |" in page


def test_tables_are_whole(page: str) -> None:
    rows = [line for line in page.splitlines() if line.startswith("|")]
    assert all(row.replace(r"\|", "").count("|") in (3, 4) for row in rows)
