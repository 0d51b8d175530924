"""Bad rows are set aside with their reasons where the data set's file asks, and counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mlops.config import Workspace
from mlops.data_pipeline import steps
from mlops.data_pipeline.quality.quarantine import FILE, REASON, ROW
from mlops.errors import BadDataError

BAD = {7: "x,many,1.5,2", 9: "y,30,,x y", 20: ",31,1.5,3", 33: "tall,20,99.5,4", 40: "z,9,\x1b,nan"}


@pytest.fixture
def spoilt(tree: Path) -> Path:
    lines = (tree / "data/raw/people.csv").read_text().splitlines()
    for row, text in BAD.items():
        lines[row] = text
    path = tree / "spoilt.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_bad_rows_are_set_aside_as_they_came_and_the_rest_goes_on(
    change: Any, places: Workspace, work: Path, spoilt: Path
) -> None:
    dataset = change("target: wage", "quarantine: {maximum_share: 0.1}\ntarget: wage")
    record = steps.ingest(places, dataset, work, str(spoilt))
    aside = pl.read_parquet(work / "quarantine.parquet")
    assert (record.rows, record.quarantined) == (55, 5)
    assert aside[ROW].to_list() == list(BAD) and set(aside[FILE]) == {str(spoilt)}
    cells = [",".join(cell or "" for cell in row[:4]) for row in aside.iter_rows()]
    assert cells == list(BAD.values())
    assert aside[REASON].to_list() == [
        "age: 'many' is no whole number", "wage: 'x y' is no number", "name: is empty and must not be",
        "grown: too tall for the age", r"height: '\x1b' is no number; wage: is empty and must not be",
    ]
    table = pl.read_parquet(work / "ingested.parquet")
    assert table.schema == {"name": pl.String, "age": pl.Int64, "height": pl.Float64, "wage": pl.Float64}
    assert steps.validate(places, dataset, work).success


def test_too_many_are_refused_and_can_be_looked_at(change: Any, places: Workspace, work: Path, spoilt: Path) -> None:
    dataset = change("target: wage", "quarantine: true\ntarget: wage")
    steps.ingest(places, dataset, work)
    before = (work / "ingested.parquet").read_bytes()
    with pytest.raises(BadDataError, match="5 of 60 rows are bad") as caught:
        steps.ingest(places, dataset, work, str(spoilt))
    assert "row 7: age: 'many' is no whole number" in str(caught.value) and "quarantine.parquet" in str(caught.value)
    assert pl.read_parquet(work / "quarantine.parquet").height == 5
    assert (work / "ingested.parquet").read_bytes() == before


def test_nothing_is_set_aside_unasked_and_nothing_stale_stays(
    change: Any, places: Workspace, work: Path, spoilt: Path
) -> None:
    dataset = change("target: wage", "quarantine: {maximum_share: 0.1}\ntarget: wage")
    steps.ingest(places, dataset, work, str(spoilt))
    assert (work / "quarantine.parquet").is_file()
    assert steps.ingest(places, dataset, work).quarantined == 0 and not (work / "quarantine.parquet").exists()
    steps.ingest(places, dataset, work, str(spoilt))
    dataset = change("quarantine: {maximum_share: 0.1}\n", "")
    assert steps.ingest(places, dataset, work, str(spoilt)).quarantined == 0
    assert not (work / "quarantine.parquet").exists()


def test_columns_of_a_typed_file_are_kept_as_text(change: Any, places: Workspace, work: Path, tree: Path) -> None:
    dataset = change("target: wage", "quarantine: {maximum_share: 0.1}\ntarget: wage")
    table = pl.DataFrame({"name": ["a"] * 30, "age": [20.0] * 29 + [20.5], "height": [1.5] * 30, "wage": [1.0] * 30})
    table.write_parquet(tree / "own.parquet")
    assert steps.ingest(places, dataset, work, str(tree / "own.parquet")).quarantined == 1
    aside = pl.read_parquet(work / "quarantine.parquet").row(0, named=True)
    assert aside["age"] == "20.5" and aside[ROW] == 30 and "has a fraction" in aside[REASON]
