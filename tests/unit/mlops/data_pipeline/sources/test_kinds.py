"""The same rows from every kind of source: the same table, the same fingerprint."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

from mlops.data_pipeline import Dataset
from mlops.data_pipeline.intake import read_source
from mlops.errors import BadDataError, ConfigurationError, IntegrityError, MissingInputError, UnavailableError


@pytest.fixture
def table(dataset: Dataset) -> pl.DataFrame:
    return read_source(dataset).table.with_columns(pl.col("name") + " Łódź é")


def csv(table: pl.DataFrame, **options: Any) -> str:
    return table.write_csv(**options)


def zipped(content: bytes, *more: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/", "")
        archive.writestr("folder/rows.csv", content)
        for name in more:
            archive.writestr(name, "x")
    return buffer.getvalue()


def arrow(table: pl.DataFrame, opened: Callable[..., Any]) -> bytes:
    sink = io.BytesIO()
    with opened(sink, table.to_arrow().schema) as writer:
        writer.write_table(table.to_arrow(), max_chunksize=7)
    return sink.getvalue()


def parquet(table: pl.DataFrame, **options: Any) -> bytes:
    sink = io.BytesIO()
    table.write_parquet(sink, **options)
    return sink.getvalue()


def lines(table: pl.DataFrame) -> bytes:
    return b"".join(json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in table.iter_rows(named=True))


KINDS: dict[str, Callable[[pl.DataFrame], bytes]] = {
    "csv": lambda t: csv(t).encode(),
    "csv, quoted": lambda t: csv(t, quote_style="always").encode(),
    "csv, columns in another order": lambda t: csv(t.select(sorted(t.columns))).encode(),
    "csv, CRLF": lambda t: csv(t, line_terminator="\r\n").encode(),
    "csv, CR": lambda t: csv(t).replace("\n", "\r").encode(),
    "csv, mixed line ends": lambda t: csv(t).replace("\n", "\r\n", 5).replace("\n", "\r", 3).encode(),
    "csv, semicolons": lambda t: csv(t, separator=";").encode(),
    "csv, tabs": lambda t: csv(t, separator="\t").encode(),
    "csv, bars": lambda t: csv(t, separator="|").encode(),
    "csv, Excel's first line": lambda t: b"sep=;\r\n" + csv(t, separator=";").encode(),
    "csv, UTF-8 with a mark": lambda t: csv(t).encode("utf-8-sig"),
    "csv, UTF-16": lambda t: csv(t).encode("utf-16"),
    "csv, UTF-16 big endian": lambda t: b"\xfe\xff" + csv(t).encode("utf-16-be"),
    "csv, UTF-32": lambda t: csv(t).encode("utf-32"),
    "csv, blanks around names": lambda t: csv(t).replace("name,age", " name , age", 1).encode(),
    "csv, an index without a name": lambda t: csv(t.with_row_index("INDEX")).replace("INDEX", "", 1).encode(),
    "csv, empty lines": lambda t: b"\n\r\n" + csv(t).replace("\n", "\n\n", 9).encode() + b"\n\n",
    "csv.gz": lambda t: gzip.compress(csv(t).encode()),
    "csv.gz of two members": lambda t: gzip.compress(csv(t[:9]).encode()) + gzip.compress(
        csv(t[9:], include_header=False).encode()),
    "csv.bz2": lambda t: bz2.compress(csv(t).encode()),
    "csv.xz": lambda t: lzma.compress(csv(t).encode()),
    "csv.zst": lambda t: pa.compress(csv(t).encode(), codec="zstd", asbytes=True),
    "csv.zip": lambda t: zipped(csv(t).encode()),
    "jsonl": lines,
    "jsonl.gz": lambda t: gzip.compress(lines(t)),
    "jsonl, UTF-8 with a mark": lambda t: b"\xef\xbb\xbf" + lines(t),
    "parquet": parquet,
    "parquet, small groups, snappy": lambda t: parquet(t, row_group_size=7, compression="snappy"),
    "parquet, categories": lambda t: parquet(t.cast({"name": pl.Categorical, "age": pl.Float64})),
    "parquet, nested columns beside": lambda t: parquet(t.with_columns(pl.Series("list", [[1, 2]] * 60))),
    "arrow file": lambda t: arrow(t, pa.ipc.new_file),
    "arrow stream": lambda t: arrow(t, pa.ipc.new_stream),
    "feather": lambda t: (buffer := io.BytesIO(), t.write_ipc(buffer, compression="zstd"))[0].getvalue(),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_gives_the_same_rows(dataset: Dataset, table: pl.DataFrame, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "rows"
    path.write_bytes(KINDS[kind](table))
    raw = read_source(dataset, str(path))
    shown = raw.table.select(table.columns)
    assert shown.equals(table) and shown.schema == table.schema
    assert raw.source.fingerprint == read_source(dataset, plain(table, tmp_path)).source.fingerprint
    assert raw.source.rows == 60 and raw.source.wrong_cells == 0


def plain(table: pl.DataFrame, folder: Path) -> str:
    table.write_csv(folder / "plain.csv")
    return str(folder / "plain.csv")


def test_declared_ways_of_writing(dataset: Dataset, table: pl.DataFrame, tree: Path, change: Any) -> None:
    text = csv(table.with_columns(pl.col("wage") * 1000, pl.col("name").str.replace("Łódź", "Ñ")), separator=";",
               float_precision=2, decimal_comma=True)
    rows = text.splitlines()
    rows[1:] = [";".join([*row.split(";")[:3], f"{int(row.split(';')[3].partition(',')[0]):,}".replace(",", ".")
                          + ",00"]) for row in rows[1:]]
    rows.insert(7, "# a remark; with a delimiter")
    (tree / "data/raw/german.csv").write_bytes("\n".join(rows).encode("cp1252"))
    source = ('source: {path: data/raw/german.csv, encoding: cp1252, delimiter: ";", decimal: ",", thousands: ".", '
              'comment: "#"}')
    raw = read_source(change("source: data/raw/people.csv", source))
    assert raw.source.wrong_cells == 0, raw.source.wrong
    assert raw.table["wage"].to_list() == (table["wage"] * 1000).to_list()
    assert raw.table["height"].to_list() == pytest.approx(table["height"].to_list(), abs=0.0051)
    assert raw.table["name"][0] == "p0 Ñ é"


@pytest.mark.parametrize("way", ["data/raw/parts/*.csv", "data/raw/parts", "{paths: [data/raw/parts/a.csv, "
                                 "data/raw/parts/b.csv.gz, data/raw/parts/c.csv]}"])
def test_many_files_are_one_source(
    change: Any, table: pl.DataFrame, tree: Path, way: str, tmp_path: Path
) -> None:
    folder = tree / "data/raw/parts"
    folder.mkdir()
    table[:20].write_csv(folder / "a.csv")
    (folder / "b.csv.gz").write_bytes(gzip.compress(csv(table[20:31].select(reversed(table.columns))).encode()))
    table[31:].write_csv(folder / "c.csv")
    (folder / ".hidden.csv").write_text("x")
    dataset = change("source: data/raw/people.csv", f"source: {way}")
    raw = read_source(dataset)
    if "*" in way:
        table = pl.concat([table[:20], table[31:]])
    assert raw.table.equals(table) and len(raw.source.files) == (2 if "*" in way else 3)
    assert raw.source.fingerprint == read_source(dataset, plain(table, tmp_path)).source.fingerprint
    assert [each.rows for each in raw.source.files][0] == 20


@pytest.mark.parametrize(("second", "said"), [
    ("name,age,height\n", "it lacks wage"), ("name,age,height,wage,more\n", "it has also more"), ("", "empty"),
])
def test_files_that_do_not_agree_are_named(dataset: Dataset, tmp_path: Path, second: str, said: str) -> None:
    (tmp_path / "rows").mkdir()
    (tmp_path / "rows/a.csv").write_text("name,age,height,wage\nx,1,1,1\n")
    (tmp_path / "rows/b.csv").write_text(second)
    with pytest.raises(BadDataError, match=said) as caught:
        read_source(dataset, str(tmp_path / "rows"))
    assert "b.csv" in (caught.value.where or "")


def test_a_wrong_cell_in_one_of_many_files_is_named_there(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name,age,height,wage\nx,1,1,1\nx,2,1,1\n")
    (tmp_path / "b.csv").write_text("name,age,height,wage\nx,1,1,1\nx,2,1,x\n")
    source = read_source(dataset, str(tmp_path / "[ab].csv")).source
    assert source.wrong[0].row == 4 and source.wrong[0].file.endswith("b.csv row 2")


def test_a_checksum_is_held(change: Any, tree: Path) -> None:
    wrong = change("source: data/raw/people.csv", f"source: {{path: data/raw/people.csv, sha256: '{'0' * 64}'}}")
    with pytest.raises(IntegrityError, match="is declared"):
        read_source(wrong)
    right = read_source(change("0" * 64, _sha256(tree / "data/raw/people.csv")))
    assert right.source.rows == 60


def _sha256(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def database(tree: Path, table: pl.DataFrame) -> Path:
    path = tree / "data/raw/people.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE people (number INTEGER, name TEXT, age INTEGER, height REAL, wage REAL)")
    connection.executemany("INSERT INTO people VALUES (?, ?, ?, ?, ?)", [
        (number, *row) for number, row in enumerate(table.select("name", "age", "height", "wage").iter_rows())
    ])
    connection.commit()
    connection.close()
    return path


QUERY = 'source: {database: "sqlite:///data/raw/people.db", query: "SELECT name, age, height, wage FROM people"}'


def test_a_query_is_a_source(
    change: Any, database: Path, table: pl.DataFrame, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlops.data_pipeline.sources.query.ROWS", 7)
    raw = read_source(change("source: data/raw/people.csv", QUERY))
    assert raw.table.equals(table)
    assert raw.source.fingerprint == raw.source.sha256
    assert raw.source.fingerprint == read_source(dataset, plain(table, tmp_path)).source.fingerprint
    connection = sqlite3.connect(database)  # a column that holds what it likes
    connection.execute("UPDATE people SET wage = 'a lot' WHERE number = 40")
    connection.commit()
    again = read_source(change("title: People", "title: People again"))
    assert [(cell.row, cell.column, cell.value) for cell in again.source.wrong] == [(41, "wage", "'a lot'")]
    assert again.table["wage"].dtype == pl.String and again.table["wage"][40] == "a lot"
    connection.close()


@pytest.mark.parametrize(("old", "new", "kind", "said"), [
    ("FROM people", "FROM peple", UnavailableError, "no such table"),
    ("SELECT name", "SELECT age", BadDataError, "two columns 'age'"),
    ("people.db", "absent.db", MissingInputError, "no such database"),
    ("sqlite:///data", "sqlite:///${ABSENT_FOLDER}", ConfigurationError, "ABSENT_FOLDER is not set"),
    ("sqlite:", "nonsense:", ConfigurationError, "no database that can be opened"),
    ("FROM people", "FROM people WHERE age < 0", BadDataError, "no rows"),
])
def test_a_query_that_does_not_work(
    change: Any, database: Path, old: str, new: str, kind: type[Exception], said: str
) -> None:
    dataset = change("source: data/raw/people.csv", QUERY.replace(old, new))
    with pytest.raises(kind, match=said):
        read_source(dataset)
