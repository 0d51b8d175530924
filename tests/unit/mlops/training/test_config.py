from __future__ import annotations

from pathlib import Path

import pytest

from mlops.errors import ConfigurationError, MissingInputError
from mlops.training import read_model

GOOD = """name: prices
task: regression
dataset: houses
target: price
features: [rooms, age]
trainer: some.module:train
metric:
  name: rmse
  direction: lower
  tolerance: 0.02
floors:
  r2: 0.2
"""


def write(root: Path, content: str) -> Path:
    path = root / "model" / "configs" / "prices.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    return path


def test_a_file_becomes_a_model(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    config = read_model(tmp_path, "prices")
    assert (config.features, config.metric.tolerance, config.floors) == (["rooms", "age"], 0.02, {"r2": 0.2})


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("task: regression", "task: guessing", 2, "task"),
        ("target: price", "target: price\ncolour: red", 5, "colour"),
        ("name: prices", "name: other", 1, "'name': is 'other'"),
        ("[rooms, age]", "[rooms, rooms]", 5, "each once"),
        ("[rooms, age]", "[]", 5, "at least one column"),
        ("[rooms, age]", "[rooms, price]", 5, "hold the target"),
        ("name: rmse", "name: accuracy", 8, "no metric of a regression"),
        ("direction: lower", "direction: higher", 9, "a lower rmse is better"),
        ("tolerance: 0.02", "tolerance: 2", 10, "metric.tolerance"),
        ("tolerance: 0.02", "tolerance: much", 10, "metric.tolerance"),
        ("r2: 0.2", "beauty: 0.2", 12, "floors.beauty"),
        ("floors:", "validation: 1.0\nfloors:", 11, "validation"),
    ],
)
def test_an_error_names_file_line_and_field(tmp_path: Path, old: str, new: str, line: int, said: str) -> None:
    path = write(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(ConfigurationError) as caught:
        read_model(tmp_path, "prices")
    assert caught.value.where == f"{path}:{line}"
    assert said in str(caught.value)


def test_a_misspelt_model_is_suggested(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    with pytest.raises(MissingInputError, match="did you mean prices"):
        read_model(tmp_path, "price")
