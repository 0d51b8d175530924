"""`mlops model` on a small product, each command a process of its own."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_PATH = Path(__file__).parents[1] / "training" / "conftest.py"
_SPEC = importlib.util.spec_from_file_location("training_fixtures_of_cli", _PATH)
assert _SPEC is not None and _SPEC.loader is not None
_FIXTURES = importlib.util.module_from_spec(_SPEC)
sys.modules["training_fixtures_of_cli"] = _FIXTURES
_SPEC.loader.exec_module(_FIXTURES)

product, store = _FIXTURES.product, _FIXTURES.store
ROOT = Path(__file__).parents[4]


def call(capsys: pytest.CaptureFixture[str], product: Any, *words: str) -> tuple[int, str, str]:
    from mlops.cli import main

    with pytest.raises(SystemExit) as ended:
        main(["model", *words, "--repository", str(product.root)])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_the_four_commands_and_the_history(capsys: pytest.CaptureFixture[str], product: Any) -> None:
    code, out, _ = call(capsys, product, "train", "prices")
    assert code == 0 and "(simulated data)" in out and "val_rmse" in out
    code, out, _ = call(capsys, product, "evaluate", "prices")
    assert code == 0 and "first" in out and "120 held-out rows (simulated data)" in out
    code, out, _ = call(capsys, product, "register", "prices", "--format", "json")
    assert code == 0 and json.loads(out)["semantic"] == "1.0.0"
    code, out, _ = call(capsys, product, "promote", "prices", "--why", "the first one", "--format", "json")
    assert code == 0 and json.loads(out)["verdict"] == "first" and json.loads(out)["champion"]["version"] == "1"
    code, out, _ = call(capsys, product, "history", "prices", "--format", "json")
    document = json.loads(out)
    assert code == 0 and document["model"] == "prices"
    (version,) = document["versions"]
    assert (version["version"], version["stage"], version["verdict"]) == ("1", "production", "first")
    assert set(version["metrics"]) == {"rmse", "mae", "r2"} and version["data"]
    (moved,) = version["moved"]
    assert set(moved) == {"from", "to", "who", "when", "why"} and moved["why"] == "the first one"
    assert "production" in call(capsys, product, "history", "prices")[1]

    product.edit("prices", "max_iter: 30", "max_iter: 3")
    product.edit("prices", "r2: 0.2", "r2: 0.0")
    assert call(capsys, product, "train", "prices")[0] == 0
    code, out, _ = call(capsys, product, "evaluate", "prices", "--format", "json")
    assert code == 1 and json.loads(out)["verdict"] == "worse"
    assert call(capsys, product, "register", "prices")[0] == 0
    code, out, error = call(capsys, product, "promote", "prices", "--format", "json")
    assert code == 1 and out == "" and "version 1 stays champion" in error

    code, out, _ = call(capsys, product, "quarantine", "prices", "1", "--why", "bad answers")
    assert code == 0 and "there is no champion" in out
    assert "(quarantined)" in call(capsys, product, "history", "prices")[1]
    code, out, _ = call(capsys, product, "quarantine", "prices", "1.0.0", "--lift")
    assert code == 0 and "(quarantined)" not in call(capsys, product, "history", "prices")[1]
    code, _, error = call(capsys, product, "retire", "prices", "--why", "x")
    assert code == 2 and "no champion to retire" in error


def test_a_data_version_is_chosen_by_name(capsys: pytest.CaptureFixture[str], product: Any) -> None:
    from mlops.records import DataVersion, read

    name = read(DataVersion, product.version("samples")).version
    assert call(capsys, product, "train", "labels", "--data", name)[0] == 0
    assert (product.places.models / "labels" / "work" / name / "trained.json").is_file()
    code, _, error = call(capsys, product, "train", "labels", "--data", "nonesuch")
    assert code == 2 and f"published are: {name}" in error


@pytest.mark.parametrize("words", [["train", "price"], ["history", "price"], ["promote", "prices"], ["train"]])
def test_what_cannot_be_asked_exits_2(capsys: pytest.CaptureFixture[str], product: Any, words: list[str]) -> None:
    code, out, error = call(capsys, product, *words)
    assert code == 2 and out == "" and error


def test_help_imports_no_heavy_library() -> None:
    code = (
        "import sys\nfrom mlops.cli import main\ntry:\n    main(['model', '--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'pandas', 'numpy', 'mlflow', 'sklearn', 'polars', 'sqlalchemy', 'onnx', 'onnxruntime'}\n"
        "sys.exit(str(sorted(heavy & set(sys.modules))) if heavy & set(sys.modules) else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr.decode()
