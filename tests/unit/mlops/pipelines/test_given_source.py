"""A source of the user's own: a file, a folder or a pattern, whose every file is an input of the step that reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops.config import ConfigManager
from mlops.errors import MissingInputError
from mlops.pipelines import receipts, walk
from mlops.pipelines.declared import data
from mlops.pipelines.steps import Run, Step
from mlops.sources import Sources

REPOSITORY = Path(__file__).parents[4]


def given(source: Path | str, cache: Path) -> tuple[Step, Run, Sources]:
    """The step that ingests `source` in place of the housing data."""
    manager = ConfigManager(REPOSITORY, {})
    sources = Sources(REPOSITORY, cache / "sources.json")
    run = walk._with_source(Run(manager.workspace(), manager.load_config(), source=str(source)), sources)
    assert run.given == ("housing",)
    return next(step for step in data.steps(run, sources) if step.id == "data/ingest/housing"), run, sources


def key(source: Path | str, cache: Path) -> str:
    return receipts.measure(*given(source, cache)).key


@pytest.mark.parametrize("name", ["", "*.csv"])
def test_each_file_of_a_folder_or_a_pattern_is_an_input(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "rows"
    folder.mkdir()
    for number in (1, 2):
        (folder / f"{number}.csv").write_text(f"a\n{number}\n")
    (folder / ".hidden").write_text("no row")
    source = folder / name if name else folder
    assert [Path(each).name for each in given(source, tmp_path)[0].files] == ["housing.yaml", "1.csv", "2.csv"]
    keys = [key(source, tmp_path), key(source, tmp_path)]
    (folder / "2.csv").write_text("a\n9\n")
    keys.append(key(source, tmp_path))
    (folder / "3.csv").write_text("a\n3\n")
    keys.append(key(source, tmp_path))
    (folder / "1.csv").unlink()
    keys.append(key(source, tmp_path))
    assert keys[0] == keys[1] and len(set(keys)) == 4


@pytest.mark.parametrize(("name", "said"), [
    ("absent.csv", "is not there"), ("*.csv", "no file has a name like this"), ("empty", "a folder without files"),
])
def test_what_names_no_file_is_said(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingInputError, match=said):
        given(tmp_path / name, tmp_path)


def test_rows_set_aside_are_an_output_where_they_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step, run, sources = given(REPOSITORY / "data/raw/housing.csv", tmp_path)
    assert not step.optional and "data/expectations/housing.json" not in step.files
    before = Sources.derived

    def with_quarantine(self, path, *rest):
        found = before(self, path, *rest)
        return {**found, "quarantine": True} if path.endswith("housing.yaml") and isinstance(found, dict) else found

    monkeypatch.setattr(Sources, "derived", with_quarantine)
    step, run, sources = given(REPOSITORY / "data/raw/housing.csv", tmp_path)
    assert step.optional == ("/".join(("data/housing", "work", "given", "quarantine.parquet")),)
    assert "data/expectations/housing.json" in step.files


def test_an_optional_output_may_be_absent_and_counts(tmp_path: Path) -> None:
    manager = ConfigManager(tmp_path, {})
    run = Run(manager.workspace(), manager.load_config())
    step = Step(pipeline="data", name="x", subject="", function="a:b", optional=("aside.parquet",))

    def now() -> list[str]:
        return [each.hash for each in receipts.outputs(step, run, Sources(tmp_path, tmp_path / "cache.json"))]

    assert now() == [""]
    run.places.state.mkdir(parents=True)
    (run.places.state / "aside.parquet").write_bytes(b"rows")
    assert now()[0].startswith("sha256:")
