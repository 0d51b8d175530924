"""A proposal for a file nobody has described: types, the two files, and what is never overwritten."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from mlops.data_pipeline import read_dataset
from mlops.data_pipeline.judge import judge
from mlops.data_pipeline.profile.proposal import propose
from mlops.errors import BadDataError, MissingInputError, RefusedError

ROWS = [
    (f"{number:05}", str(number), f"{number / 8}", "true" if number % 3 else "false", f"2024-03-{number % 28 + 1:02}",
     "NA" if number % 7 == 0 else str(number * 2), "" if number % 5 == 0 else f"k{number % 3}") for number in range(300)
]
NAMES = ["zip", "number", "share", "yes", "day", "gaps", "kind: with, marks"]
TYPES = ["string", "integer", "float", "boolean", "datetime", "integer", "string"]


def csv(path: Path, delimiter: str = ",") -> Path:
    def cell(text: str) -> str:
        return f'"{text}"' if delimiter in text else text

    lines = [delimiter.join(map(cell, row)) for row in [NAMES, *ROWS]]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_new_file_becomes_a_data_set_that_its_own_rows_pass(tmp_path: Path, delimiter: str) -> None:
    csv(tmp_path / "in.csv", delimiter)
    made = propose(tmp_path, "visits", str(tmp_path / "in.csv"))
    assert [each.type for each in made.figures] == TYPES
    assert made.write() == [tmp_path / "data/datasets/visits.yaml", tmp_path / "data/expectations/visits.json"]
    dataset = read_dataset(tmp_path, "visits")
    assert [column.type for column in dataset.columns.values()] == TYPES
    assert [name for name, column in dataset.columns.items() if column.nullable] == ["gaps", "kind: with, marks"]
    judgement = judge(dataset)
    assert judgement.verdict == "pass", judgement.summary()
    again = propose(tmp_path, "visits")
    assert (again.declaration, again.difference()) == ("", "")


def test_a_suite_is_never_replaced(tmp_path: Path) -> None:
    source = str(csv(tmp_path / "in.csv"))
    made = propose(tmp_path, "visits", source)
    made.write()
    path = made.suite_path
    content = path.read_text().replace('"min_value": 75', '"min_value": 10')
    path.write_text(content)
    again = propose(tmp_path, "visits", source)
    assert '"min_value": 10}' in again.difference() and '"min_value": 75}' in again.difference()
    with pytest.raises(RefusedError, match="never replaced"):
        again.write()
    assert path.read_text() == content


def test_a_declaration_without_its_suite_gets_the_suite(tmp_path: Path) -> None:
    """As a command that was killed between the two leaves them."""
    made = propose(tmp_path, "visits", str(csv(tmp_path / "in.csv")))
    made.write()
    made.suite_path.unlink()
    declaration = made.declaration_path.read_bytes()
    again = propose(tmp_path, "visits")
    assert again.write() == [made.suite_path] and made.declaration_path.read_bytes() == declaration
    assert json.loads(made.suite_path.read_bytes())["expectations"] == json.loads(made.suite)["expectations"]


def test_files_with_types_of_their_own(tmp_path: Path) -> None:
    table = pl.DataFrame({
        "n": [1, 2, 3], "x": [1.0, 2.0, 3.0], "t": ["a", "b", "c"], "d": pl.Series(["2024-01-01"] * 3).str.to_date(),
        "b": [True, None, False], "codes": ["007", "008", "009"],
    })
    table.write_parquet(tmp_path / "in.parquet")
    table.write_ipc(tmp_path / "in.arrow")
    table.write_ipc_stream(tmp_path / "stream.arrow")
    table.with_columns(pl.col("d").cast(pl.String)).write_ndjson(tmp_path / "in.jsonl")
    for name in ("in.parquet", "in.arrow", "stream.arrow", "in.jsonl"):
        made = propose(tmp_path, "new", str(tmp_path / name))
        found = {each.name: each.type for each in made.figures}
        assert found == {"n": "integer", "x": "float", "t": "string", "d": "datetime", "b": "boolean",
                         "codes": "string"}, (name, found)


def test_what_cannot_be_looked_at(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="there is no data set 'visits'"):
        propose(tmp_path, "visits")
    with pytest.raises(MissingInputError):
        propose(tmp_path, "visits", str(tmp_path / "absent.csv"))
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(BadDataError, match="the file is empty"):
        propose(tmp_path, "visits", str(tmp_path / "empty.csv"))
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(BadDataError, match="cannot be read as parquet"):
        propose(tmp_path, "visits", str(tmp_path / "broken.parquet"))
