"""The sample in the tree is what the script makes, and looks like what it stands for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from data.src import simulate

REPOSITORY = Path(__file__).parents[4]


def test_the_file_is_what_the_script_makes_byte_for_byte() -> None:
    assert simulate.OUTPUT.read_bytes() == simulate.simulate()


def test_the_script_runs_as_the_card_says(tmp_path: Path) -> None:
    target = tmp_path / "housing.csv"
    done = subprocess.run(
        [sys.executable, "-m", "data.src.simulate", str(target)], cwd=REPOSITORY, capture_output=True, text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "simulated" in done.stdout and target.read_bytes() == simulate.OUTPUT.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["housing.csv"]


def test_another_seed_gives_other_rows() -> None:
    assert simulate.simulate(50, seed=1) != simulate.simulate(50, seed=2)


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    return pl.read_csv(simulate.OUTPUT)


def test_it_has_the_census_files_shape(table: pl.DataFrame) -> None:
    assert tuple(table.columns) == simulate.HEADER and table.height == simulate.ROWS
    assert simulate.OUTPUT.stat().st_size < 400_000
    assert set(table["ocean_proximity"]) == {"<1H OCEAN", "INLAND", "NEAR BAY", "NEAR OCEAN", "ISLAND"}
    assert 0.005 < table["total_bedrooms"].null_count() / table.height < 0.02
    assert 0.02 < (table["median_house_value"] == 500001).mean() < 0.10
    assert table.is_unique().all()


def test_the_price_has_something_to_learn_from(table: pl.DataFrame) -> None:
    assert table.select(pl.corr("median_income", "median_house_value")).item() > 0.55
    price = dict(table.group_by("ocean_proximity").agg(pl.col("median_house_value").mean()).iter_rows())
    assert price["INLAND"] < 0.6 * price["NEAR OCEAN"]


def test_it_is_labelled_as_simulated_wherever_it_is_named() -> None:
    card = (REPOSITORY / "data/raw/housing.md").read_text()
    assert "simulated" in card.split("\n\n")[1]
    assert "simulated: true" in (REPOSITORY / "data/datasets/housing.yaml").read_text()
