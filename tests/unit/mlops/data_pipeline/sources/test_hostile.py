"""Files that mean ill or were treated ill: each is handled, or refused with file, row and column named."""

from __future__ import annotations

import gzip
import io
import os
import socket
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops.data_pipeline import Dataset
from mlops.data_pipeline.intake import ingest, read_source
from mlops.data_pipeline.sources import columnar, local_file
from mlops.errors import BadDataError, BusyError, ConfigurationError, MissingInputError, MlopsError

HEADER = "name,age,height,wage\n"
ROWS = "".join(f"p{n},{n},1.5,{n}.25\n" for n in range(50))


def refused(dataset: Dataset, folder: Path, content: bytes, kind: type[MlopsError] = BadDataError) -> MlopsError:
    path = folder / "own.csv"
    path.write_bytes(content)
    with pytest.raises(kind) as caught:
        read_source(dataset, str(path))
    assert "own.csv" in (caught.value.where or "") and caught.value.mend
    return caught.value


@pytest.mark.parametrize(("content", "place", "said"), [
    (b"", "", "is empty"),
    (b"\xef\xbb\xbf", "", "holds no text"),
    (HEADER.encode(), "", "header but no rows"),
    ((HEADER + "a,1,1.5\n").encode(), ":2", "row 1 has 3 cells, the header has 4"),
    ((HEADER + ROWS + "a,1,1.5,2,\n" + ROWS).encode(), ":52", "row 51 has 5 cells"),
    ((HEADER + 'a,1,1.5,2\n"b,1,1.5,2\n' + ROWS).encode(), ":3", "opens and never closes"),
    ((HEADER + '"a\nb",1,1.5,2\n"c,1').encode(), ":4", "opens and never closes"),
    ((HEADER + "a\0b,1,1.5,2\n").encode(), ":2", "NUL byte in column 2"),
    (HEADER.encode() + b"Caf\xe9,1,1.5,2\n", ":2", "not UTF-8: byte 0xe9 in column 4"),
    (HEADER.encode() + ROWS.encode() + b"a,\xff,1,2\n", ":52", "byte 0xff in column 3"),
    ((HEADER + ROWS).encode("utf-16-le"), ":1", "NUL byte"),
    (b"\xff\xfe" + (HEADER + ROWS).encode("utf-16-le")[:-1], ":51", "not utf-16-le"),
    (b"name,age,age,height,wage\n1,2,3,4,5\n", ":1", "names 'age' twice (columns 2 and 3)"),
    (b"nom,alter\nx,1\n", ":1", "none of the data set's columns"),
    (b"<html><body>404</body></html>", ":1", "looks like HTML"),
    (b'[{"name": "a"}]', ":1", "looks like JSON"),
    (b'{"name": "a"}\n{"name": ', ":2", "is no JSON"),
    (b'{"name": "a"}\n[1]\n', ":2", "holds list, not an object"),
    (b'{"name": "a", "age": NaN}\n', ":1", "NaN is no JSON value"),
    (b'{"name": "a\xff"}\n', ":1", "not UTF-8"),
    (b"PAR1", "", "Parquet file cannot be read"), (b"PAR1" + bytes(100) + b"PAR1", "", "Parquet file cannot be read"),
    (b"ARROW1\0\0" + bytes(64), "", "Arrow file cannot be read"),
    (b"\xff\xff\xff\xff" + bytes(64), "", "Arrow file cannot be read"),
    (gzip.compress((HEADER + ROWS).encode())[:-9], "", "gzip content is cut off"),
    (gzip.compress((HEADER + ROWS).encode())[:40] + b"garbage" * 9, "", "gzip content is cut off or damaged"),
    (gzip.compress((HEADER + ROWS).encode()) + b"more", "", "gzip content is cut off or damaged"),
    (gzip.compress(gzip.compress(HEADER.encode())), "", "gzip inside gzip"),
    (gzip.compress(b""), "", "gzip file is empty"),
    (b"BZh9garbage", "", "bzip2 content"), (b"\xfd7zXZ\0garbage", "", "xz content"),
    (b"(\xb5/\xfdgarbage", "", "zstd content"), (b"PK\x03\x04garbage", "", "zip content"),
    (b"SQLite format 3\0" + bytes(90), "", "a SQLite database"), (b"\xd0\xcf\x11\xe0" + bytes(90), "", "old Excel"),
    (bytes(257) + b"ustar" + bytes(250), "", "a tar archive"),
])
def test_a_file_that_is_no_table_is_named(
    dataset: Dataset, tmp_path: Path, content: bytes, place: str, said: str
) -> None:
    error = refused(dataset, tmp_path, content)
    assert said in error.message and (error.where or "").endswith(f"own.csv{place}")


def test_zips_hold_one_file(dataset: Dataset, tmp_path: Path) -> None:
    for names, said in ((("a.csv", "b.csv"), "2 files"), (("[Content_Types].xml", "x.xml"), "Excel"), ((), "0 files")):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name in names:
                archive.writestr(name, HEADER)
        assert said in refused(dataset, tmp_path, buffer.getvalue()).message


def wrong(dataset: Dataset, folder: Path, text: str) -> list[str]:
    """The wrong cells of a file, each told in one line."""
    path = folder / "own.csv"
    path.write_text(text)
    return [cell.told() for cell in read_source(dataset, str(path)).source.wrong]


@pytest.mark.parametrize(("row", "told"), [
    ("x,many,1.5,2", "column age: 'many' is no whole number"),
    ("x,2.5,1.5,2", "column age: '2.5' has a fraction"),
    ("x,9223372036854775808,1.5,2", "column age: '9223372036854775808' is beyond what 64 bits hold"),
    ("x,1,1e400,2", "column height: '1e400' is beyond what a double holds"),
    ('x,1,"1,5",2', "column height: '1,5' is no number (a decimal comma?"),
    ('x,1,"1,234.5",2', "column height: '1,234.5' is no number (marks between thousands?"),
    ("x,1,180 cm,2", "column height: '180 cm' is no number (a unit?"),
    ("x,1,1.5,$20", "column wage: '$20' is no number (a unit?"),
    ("x,1,1.5,", "column wage: is empty and must not be"),
    (",1,1.5,2", "column name: is empty and must not be"),
    ("x,1,a\u202e\x1b[31m,2", r"column height: 'a\u202e\x1b[31m' is no number"),
    (f"x,1,{'y' * 500},2", f"column height: '{'y' * 40}…' is no number"),
])
def test_a_wrong_cell_is_named_with_row_column_and_value(
    dataset: Dataset, tmp_path: Path, row: str, told: str
) -> None:
    found = wrong(dataset, tmp_path, HEADER + ROWS + row + "\n" + ROWS)
    assert len(found) == 1 and found[0].startswith("row 51, " + told)


def test_dates_in_two_orders(change: Any, tmp_path: Path) -> None:
    dataset = change("name: {type: string}", "name: {type: datetime}")
    assert wrong(dataset, tmp_path, HEADER + "2024-05-06,1,1.5,2\n05/06/2024,1,1.5,2\n") == [
        "row 2, column name: '05/06/2024' is no time of ISO 8601 (2024-12-31T23:59:59) "
        "(day or month first? the column's `format` says so)"]
    declared = change("name: {type: datetime}", "name: {type: datetime, format: '%d/%m/%Y'}")
    assert wrong(declared, tmp_path, HEADER + "25/12/2024,1,1.5,2\n12/25/2024,1,1.5,2\n") == [
        "row 2, column name: '12/25/2024' is no time in the form %d/%m/%Y"]


@pytest.mark.parametrize("kind", ["csv", pytest.param("parquet", marks=pytest.mark.slow), "jsonl"])
def test_ten_thousand_columns_are_read_and_more_are_refused(dataset: Dataset, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"wide.{kind}"
    row = {"name": "a", "age": 1, "height": 1.5, "wage": 2.5}
    for count in (10_000, 10_001):
        wide = pl.DataFrame([row | {f"c{n}": n for n in range(count - 4)}])
        wide = pl.concat([wide] * 3)
        {"csv": wide.write_csv, "parquet": wide.write_parquet, "jsonl": wide.write_ndjson}[kind](path)
        if count == 10_000:
            raw = read_source(dataset, str(path))
            assert raw.table.height == 3 and raw.table.width == count
        else:
            with pytest.raises(BadDataError, match="10001 columns, more than 10000"):
                read_source(dataset, str(path))


@pytest.mark.parametrize("make", [
    lambda path: path.mkdir(), os.mkfifo, lambda path: path.symlink_to(path), lambda path: path.symlink_to("absent"),
    lambda path: socket.socket(socket.AF_UNIX).bind(str(path)), lambda path: path.symlink_to("/dev/zero"),
    lambda path: None,
], ids=["folder", "pipe", "loop of links", "dangling link", "socket", "device", "nothing"])
def test_what_is_no_file_is_said(
    dataset: Dataset, tmp_path: Path, make: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's path may not be long
    make(Path("own.csv"))
    with pytest.raises(MissingInputError) as caught:
        read_source(dataset, "own.csv")
    assert "own.csv" in str(caught.value) and caught.value.mend


@pytest.mark.parametrize("location", ["a" * 5000, "x/" * 3000, "gopher://x/y", "s3:/x", "~nobody-here/x.csv", "*.csv"])
def test_what_is_no_place_is_said(dataset: Dataset, location: str) -> None:
    with pytest.raises((MissingInputError, ConfigurationError)) as caught:
        read_source(dataset, location)
    assert caught.value.exit_code == 2 and caught.value.mend


@pytest.mark.parametrize("kind", ["csv", "parquet", "csv.gz"])
@pytest.mark.parametrize("change_", ["longer", "shorter", "other bytes", "replaced"])
def test_a_file_that_changes_while_it_is_read_is_not_taken(
    dataset: Dataset, tmp_path: Path, kind: str, change_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "own"
    table = pl.DataFrame({"name": [f"p{n}" for n in range(5000)], "age": range(5000), "height": 1.5, "wage": 2.5})
    table.write_parquet(path) if kind == "parquet" else path.write_text(table.write_csv())
    if kind == "csv.gz":
        path.write_bytes(gzip.compress(path.read_bytes()))
    content = path.read_bytes()
    facts = path.stat()

    def change(part: Any, before: Any = local_file.LocalFile.digest) -> str:
        if change_ == "longer":
            path.write_bytes(content + b"x")
        elif change_ == "shorter":
            path.write_bytes(content[:-9])
        elif change_ == "other bytes":  # as many, and the time put back
            path.write_bytes(content[:-20] + b"0" + content[-19:])
            os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
        else:
            (tmp_path / "new").write_bytes(content)
            os.replace(tmp_path / "new", path)
        return before(part)

    monkeypatch.setattr(local_file.LocalFile, "digest", change)
    with pytest.raises(BusyError, match="changed while it was read"):
        read_source(dataset, str(path))


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_a_change_that_makes_no_sense_of_the_rest_is_no_fault_of_the_data(
    dataset: Dataset, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "own"
    table = pl.DataFrame({"name": [f"p{n}" for n in range(900)], "age": range(900), "height": 1.5, "wage": 2.5})
    getattr(table, {"csv": "write_csv", "jsonl": "write_ndjson", "parquet": "write_parquet"}[kind])(path)
    size = path.stat().st_size

    def cut(file: local_file.LocalFile, wanted: int = -1, before: Any = local_file.LocalFile.read) -> Any:
        if file.tell() == 0 and wanted > 64:
            os.truncate(path, size // 2 + 3)
        return before(file, wanted)

    monkeypatch.setattr(local_file.LocalFile, "read", cut)
    if kind == "parquet":  # whose end is read first
        monkeypatch.setattr(local_file.LocalFile, "seek", lambda file, to, whence=0, before=local_file.LocalFile.seek: (
            os.truncate(path, size // 2 + 3), before(file, to, whence))[1])
    with pytest.raises(BusyError, match=f"it had {size} bytes, it has {size // 2 + 3}"):
        read_source(dataset, str(path))


@pytest.mark.parametrize("change_", ["rows of one that was read", "one that comes is cut off", "one more", "one less"])
def test_a_folder_that_changes_while_it_is_read_is_not_taken(
    dataset: Dataset, tmp_path: Path, change_: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    for name in "abc":
        (folder / name).write_text("name,age,height,wage\n" + "p,20,1.5,2.5\n" * 9)
    opened = []

    def change(path: Path, shown: str, before: Any = local_file._open) -> Any:
        opened.append(path.name)
        if opened == ["a", "b"]:
            if change_.startswith("rows"):
                (folder / "a").write_text("name,age,height,wage\n" + "p,20,1.5,3.5\n" * 10)
            elif "cut off" in change_:
                os.truncate(folder / "c", 30)
            else:
                (folder / "d").write_text("") if "more" in change_ else (folder / "a").unlink()
        return before(path, shown)

    monkeypatch.setattr(local_file, "_open", change)
    target = tmp_path / "table.parquet"
    with pytest.raises(BusyError, match="changed while it was read|came or went"):
        ingest(dataset, target, str(folder), quarantined=tmp_path / "aside.parquet")
    assert opened == ["a", "b", "c"] and not target.exists()


def test_every_truncation_of_a_columnar_file_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    table = pl.DataFrame({"name": ["a"] * 90, "age": range(90), "height": 1.5, "wage": 2.5})
    path = tmp_path / "own"
    for write in (table.write_parquet, table.write_ipc):
        write(path)
        content = path.read_bytes()
        for length in range(5, len(content), 61):
            path.write_bytes(content[:length])
            with pytest.raises(BadDataError):
                read_source(dataset, str(path))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["csv", "parquet", "arrow", "jsonl", "csv.gz"]), st.lists(
    st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=4)), min_size=1, max_size=4))
def test_damage_anywhere_is_rows_or_a_clear_refusal(
    dataset: Dataset, tmp_path: Path, kind: str, damage: list[tuple[float, bytes]]
) -> None:
    table = pl.DataFrame({"name": ["ä"] * 40, "age": range(40), "height": [1.5, None] * 20, "wage": 2.5})
    sink = io.BytesIO()
    {"parquet": table.write_parquet, "arrow": table.write_ipc, "jsonl": table.write_ndjson}.get(
        kind, table.write_csv)(sink)
    content = bytearray(gzip.compress(sink.getvalue()) if kind == "csv.gz" else sink.getvalue())
    for place, noise in damage:
        start = int(place * len(content))
        content[start:start + len(noise)] = noise
    path = tmp_path / "own"
    path.write_bytes(content)
    try:
        read_source(dataset, str(path))
    except MlopsError as error:
        assert error.mend and "own" in (error.where or "")


def test_arrow_of_nonsense_types_is_left_out(dataset: Dataset) -> None:
    import datetime

    table = pl.DataFrame({
        "name": ["a"], "age": [1], "time": [datetime.time(1)], "span": [datetime.timedelta(1)], "bytes": [b"x"],
        "struct": [{"a": 1}], "nothing": [None],
    })
    assert columnar.batch_of(table, dataset.columns, {}).table.columns == ["name", "age"]
