"""Generated references: fresh in this tree, found when stale, written again."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import msgspec
import pytest

from mlops.config import VARIABLES, Settings
from mlops.infra import generated, settings_page

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize("name", list(generated.pages(ROOT)))
def test_the_committed_page_is_fresh(name: str) -> None:
    assert (ROOT / name).read_text() == generated.pages(ROOT)[name](), "run `mlops tree write`"


def test_every_setting_and_variable_is_on_the_page() -> None:
    page = settings_page.render()
    names = {
        f"{block.name}.{field.name}" for block in msgspec.structs.fields(Settings)
        if isinstance(block.type, type) and issubclass(block.type, msgspec.Struct)
        for field in msgspec.structs.fields(block.type)
    }
    assert set(settings_page.MEANING) == names, "a setting without meaning, or a meaning without setting"
    assert set(settings_page.EMPTY) <= names
    assert [name for name in [*names, *VARIABLES] if f"`{name}`" not in page] == []


def test_variables_that_the_code_reads_are_on_the_page() -> None:
    read = set()
    for folder in ("mlops", "services/api/app", "services/predict/app"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text()
            read |= set(re.findall(r"[\"'](MLOPS_[A-Z_]+|PREDICT_[A-Z_]+)[\"']", text))
    page = settings_page.render()
    assert sorted(name for name in read if f"`{name}`" not in page) == []


def test_a_stale_page_is_found_at_its_line_and_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generated, "pages", lambda _: {"docs/a.md": lambda: "one\ntwo\nthree\n"})
    (tmp_path / "docs").mkdir()
    (finding,) = generated.check(tmp_path)
    assert "is not there" in finding.message
    for stale, line in (("one\n2\nthree\n", 2), ("one\ntwo\n", 2), ("one\ntwo\nthree\nfour\n", 3), ("", 1)):
        (tmp_path / "docs" / "a.md").write_text(stale)
        (finding,) = generated.check(tmp_path)
        assert (finding.line, "is stale" in finding.message) == (line, True)
    assert generated.write(tmp_path) == ["docs/a.md"]
    assert list(generated.check(tmp_path)) == []
    assert generated.write(tmp_path) == []


def test_the_commands_are_those_of_the_tree_that_is_checked(tmp_path: Path) -> None:
    package = tmp_path / "mlops" / "cli"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").write_text("")
    (package / "reference.py").write_text("print('# of the copy')\n")
    assert generated.pages(tmp_path)[generated.COMMANDS]() == "# of the copy\n"
    (package / "reference.py").write_text("raise SystemExit('broken here')\n")
    with pytest.raises(Exception, match="broken here"):
        generated.pages(tmp_path)[generated.COMMANDS]()


def test_checking_imports_no_noun_into_this_process(tmp_path: Path) -> None:
    import subprocess

    heavy = ("typer", "sqlalchemy", "pandas", "ruamel.yaml")
    code = f"import sys; from mlops import infra; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
