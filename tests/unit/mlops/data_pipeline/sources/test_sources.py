"""Sources: files, addresses, functions; and what is said when one is not what it should be."""

from __future__ import annotations

import gzip
import io
import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mlops.data_pipeline import Dataset
from mlops.data_pipeline.intake import read_source
from mlops.errors import BadDataError, ConfigurationError, MissingInputError, MlopsError
from mlops.files import sha256_file


def parquet(table: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.write_parquet(buffer)
    return buffer.getvalue()


def test_the_own_source_is_read_typed_and_labelled(dataset: Dataset, tree: Path) -> None:
    raw = read_source(dataset)
    assert raw.table.schema == {"name": pl.String, "age": pl.Int64, "height": pl.Float64, "wage": pl.Float64}
    assert raw.source.location == "data/raw/people.csv" and raw.source.simulated and raw.source.rows == 60
    assert raw.source.sha256 == sha256_file(tree / "data/raw/people.csv")


def test_a_users_file_is_not_simulated_unless_it_is_the_sample(dataset: Dataset, tree: Path, tmp_path: Path) -> None:
    content = (tree / "data/raw/people.csv").read_bytes()
    own = tmp_path / "own.csv"
    own.write_bytes(content + b"x,1,1.0,2\n")
    assert not read_source(dataset, str(own)).source.simulated
    own.write_bytes(content)
    assert read_source(dataset, str(own)).source.simulated


def test_csv_and_parquet_give_the_same_rows_whatever_the_name(dataset: Dataset, tmp_path: Path) -> None:
    table = read_source(dataset).table
    path = tmp_path / "rows.csv"  # the first bytes tell, not the name
    path.write_bytes(parquet(table))
    assert read_source(dataset, str(path)).table.equals(table)


def test_a_users_path_counts_from_the_current_folder(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.csv").write_text("name,age,height,wage\na,1,1,1\n")
    monkeypatch.chdir(tmp_path)
    assert read_source(dataset, "own.csv").source.rows == 1


@pytest.mark.parametrize(("content", "said"), [
    (b"", "empty"),
    (gzip.compress(b"name,age\n")[:-4], "gzip content is cut off"),
    (b"PK\x03\x04rest", "zip content is cut off"),
    (b"%PDF-1.7", "PDF"),
    (b"PAR1" + bytes(40), "Parquet file cannot be read"),
    (b"PAR1", "Parquet file cannot be read"),
    (b"\x80\x81\x82", "not UTF-8"),
])
def test_a_file_of_another_kind_is_bad_data(dataset: Dataset, tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "own.csv"
    path.write_bytes(content)
    with pytest.raises(BadDataError) as caught:
        read_source(dataset, str(path))
    assert said in caught.value.message and "own.csv" in (caught.value.where or "") and caught.value.mend


def test_every_truncated_parquet_file_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    content = parquet(read_source(dataset).table)
    path = tmp_path / "own.parquet"
    for length in range(5, len(content), 97):
        path.write_bytes(content[:length])
        with pytest.raises(BadDataError):
            read_source(dataset, str(path))


@pytest.mark.parametrize("location", ["absent.csv", "absent/deep.csv", "", "ftp://host/x.csv", "\0",
                                      "/dev/zero"])
def test_what_is_not_there_is_said(
    dataset: Dataset, location: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises((MissingInputError, ConfigurationError)) as caught:
        read_source(dataset, location)
    assert caught.value.exit_code == 2 and caught.value.mend


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_said(dataset: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("name\n")
    path.chmod(0)
    with pytest.raises(MissingInputError, match="cannot be read"):
        read_source(dataset, str(path))


def test_a_function_of_the_product_is_a_source(change: Any) -> None:
    dataset = change("source: data/raw/people.csv", "source: people_product.steps:load")
    raw = read_source(dataset)
    assert raw.source.location == "people_product.steps:load" and raw.table.height == 1
    assert raw.source.sha256 == read_source(dataset).source.sha256


@pytest.mark.parametrize("name", ["words", "absent"])
def test_a_function_that_gives_no_table_is_a_configuration_error(change: Any, name: str) -> None:
    dataset = change("source: data/raw/people.csv", f"source: people_product.steps:{name}")
    with pytest.raises(MlopsError) as caught:
        read_source(dataset)
    assert isinstance(caught.value, ConfigurationError)


def test_a_user_cannot_name_a_function(dataset: Dataset) -> None:
    with pytest.raises(MissingInputError):
        read_source(dataset, "os:getcwd")
