"""`mlops data`: answers on standard output, exit codes as promised."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlops.cli import main

REPOSITORY = Path(__file__).parents[4]
SAMPLE = REPOSITORY / "data/raw/housing.csv"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository with the product's data room and nothing else."""
    root = tmp_path / "tree"
    shutil.copytree(REPOSITORY / "data", root / "data", ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    return root


@pytest.fixture
def mlops(tree: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            main(["data", *words, "--repository", str(tree)])
        told = capsys.readouterr()
        return int(caught.value.code or 0), told.out, told.err

    return run


def test_the_steps_one_by_one(mlops: Any, tree: Path) -> None:
    for step in ("ingest", "validate", "process", "check", "version"):
        code, out, err = mlops(step, "housing")
        assert code == 0, err
        assert out.strip()
    assert "(simulated)" in out
    code, out, _ = mlops("version", "housing", "--format", "json")
    record = json.loads(out)
    assert code == 0 and (tree / ".mlops/data/housing/versions" / record["version"] / "train.parquet").is_file()


def test_validate_a_file_answers_in_great_expectations_shape(mlops: Any, tree: Path) -> None:
    code, out, _ = mlops("validate", "--dataset", "housing", "--source", str(SAMPLE), "--format", "json")
    answer = json.loads(out)
    assert code == 0 and answer["success"] is True and answer["checks"]
    statistics = answer["statistics"]
    assert statistics["evaluated_expectations"] == statistics["successful_expectations"] == len(answer["results"])
    assert {"expectation_config", "success", "result", "exception_info"} <= set(answer["results"][0])
    assert not (tree / ".mlops").exists()


def test_validate_bad_data_exits_one_with_the_document(mlops: Any, tmp_path: Path) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text(SAMPLE.read_text().replace("INLAND", "LAKE"))
    code, out, _ = mlops("validate", "--dataset", "housing", "--source", str(bad), "--format", "json")
    answer = json.loads(out)
    assert code == 1 and answer["success"] is False
    failed = [each for each in answer["results"] if not each["success"]]
    assert failed[0]["expectation_config"]["kwargs"]["column"] == "ocean_proximity"
    code, out, _ = mlops("validate", "housing", "--source", str(bad))
    assert code == 1 and "'LAKE'" in out


def test_in_actions_a_broken_expectation_is_shown_at_its_line(
    mlops: Any, tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = tmp_path / "bad.csv"
    bad.write_text(SAMPLE.read_text().replace("INLAND", "LAKE"))
    suite = (tree / "data/expectations/housing.json").read_text().splitlines()
    line = 1 + next(number for number, text in enumerate(suite) if "be_in_set" in text and "ocean_proximity" in text)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    code, out, err = mlops("validate", "--dataset", "housing", "--source", str(bad), "--format", "json")
    assert code == 1 and json.loads(out)["success"] is False, "standard output is the document alone"
    assert f"::error file=data/expectations/housing.json,line={line},title=housing%3A expect_column_values_to_" in err
    assert mlops("ingest", "housing", "--source", str(bad))[0] == 0
    code, out, err = mlops("validate", "housing", "--given")
    assert code == 1 and not out and f"housing.json,line={line}," in err


def test_in_actions_a_failed_step_is_shown_at_the_data_sets_file(mlops: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """This tree holds no code of the machinery, so that the first step fails at once."""
    code, out, err = mlops("run", "housing")
    assert code == 2 and "::error" not in out + err
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    code, out, err = mlops("run", "housing", "--format", "json")
    assert code == 2 and json.loads(out)[0]["outcome"] == "failure"
    assert "::error file=data/datasets/housing.yaml,title=ingest of housing failed::" in err


def test_a_file_that_is_no_table_exits_one(mlops: Any, tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.touch()
    code, out, _ = mlops("validate", "--dataset", "housing", "--source", str(empty), "--format", "json")
    assert code == 1 and json.loads(out)["success"] is False


@pytest.mark.parametrize("words", [
    ("validate",), ("validate", "housing", "--dataset", "housing"), ("validate", "absent"), ("ingest", "absent"),
    ("validate", "--dataset", "housing", "--source", "absent.csv"), ("ingest", "housing", "--source", "absent.csv"),
    ("process", "housing"), ("version", "housing"), ("ingest",), ("sing", "housing"),
])
def test_what_could_not_be_asked_exits_two(mlops: Any, words: tuple[str, ...]) -> None:
    code, out, err = mlops(*words)
    assert code == 2 and not out and err


def test_a_suite_that_cannot_be_evaluated_exits_two(mlops: Any, tree: Path) -> None:
    suite = tree / "data/expectations/housing.json"
    suite.write_text(suite.read_text().replace("expect_column_mean_to_be_between", "expect_column_maen_to_be_between"))
    code, out, err = mlops("validate", "--dataset", "housing", "--source", str(SAMPLE), "--format", "json")
    assert code == 2 and not out and "did you mean expect_column_mean_to_be_between" in err and "housing.json:" in err


def test_a_given_file_has_a_work_folder_of_its_own(mlops: Any, tree: Path) -> None:
    code, out, _ = mlops("ingest", "housing", "--source", str(SAMPLE))
    assert code == 0
    work = tree / ".mlops/data/housing/work"
    assert [path.name for path in work.iterdir()] == ["given"]
    assert mlops("validate", "housing")[0] == 2


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from mlops.cli import main\n"
        "try: main(['data', '--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'pandas', 'polars', 'great_expectations', 'sklearn', 'numpy', 'pyarrow'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "validate" in done.stdout


def test_a_good_csv_file_is_judged_by_polars_alone(tree: Path) -> None:
    code = (
        "import sys; from mlops.cli import main\n"
        f"try: main(['data', 'validate', 'housing', '--source', {str(SAMPLE)!r}, '--repository', {str(tree)!r}])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "heavy = {'pandas', 'great_expectations', 'numpy', 'pyarrow', 'typer', 'pydantic', 'ruamel.yaml', 'ssl'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("pass: ")
