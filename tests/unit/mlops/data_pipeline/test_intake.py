"""One pass from a source to a file: streamed, the same bytes each time, whole or not at all."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mlops.config import Workspace
from mlops.data_pipeline import Dataset, intake, steps
from mlops.data_pipeline.sources import text
from mlops.data_pipeline.tables import progress, table_file
from mlops.errors import BadDataError, BusyError, ConfigurationError
from mlops.files import lock, sha256_file

HEADER = "name,age,height,wage\n"


def take(dataset: Dataset, work: Path, source: Path | None = None) -> Any:
    given = str(source) if source else None
    return intake.ingest(dataset, work / "ingested.parquet", given, quarantined=work / "quarantine.parquet")


def test_the_file_holds_what_memory_would(dataset: Dataset, work: Path) -> None:
    record, raw = take(dataset, work), intake.read_source(dataset)
    assert pl.read_parquet(work / "ingested.parquet").equals(raw.table)
    assert record.fingerprint == raw.source.fingerprint and record.rows == 60
    assert record.table_sha256 == sha256_file(work / "ingested.parquet")


@pytest.mark.parametrize(("block", "rows"), [(64, 7), (999, 16), (1 << 24, 1 << 18)])
def test_neither_blocks_nor_row_groups_change_the_rows(
    dataset: Dataset, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int, rows: int
) -> None:
    path = tmp_path / "own.csv"
    lines = [f'"p, {n}",{n},{n / 7},{n}.5' if n % 5 else f"p{n},{n},,{n}.5" for n in range(700)]
    path.write_text(HEADER + "\n".join(lines) + "\n")
    whole = intake.read_source(dataset, str(path))
    monkeypatch.setattr(text, "BLOCK", block)
    monkeypatch.setattr("mlops.data_pipeline.sources.compressed.CHUNK", block)
    monkeypatch.setattr(table_file, "ROWS", rows)
    record = take(dataset, work, path)
    assert pl.read_parquet(work / "ingested.parquet").equals(whole.table)
    assert record.fingerprint == whole.source.fingerprint


def test_the_same_source_gives_the_same_bytes(dataset: Dataset, work: Path) -> None:
    one = take(dataset, work)
    content = (work / "ingested.parquet").read_bytes()
    (work / "ingested.parquet").unlink()
    assert take(dataset, work) == one and (work / "ingested.parquet").read_bytes() == content


def test_a_column_with_a_wrong_cell_stays_text_whole(dataset: Dataset, work: Path, tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text(HEADER + "".join(f"p,{n},1.5,{n}\n" for n in range(300)) + "p,many,1.5,2\np,7,,x\n")
    record = take(dataset, work, path)
    table = pl.read_parquet(work / "ingested.parquet")
    assert table.schema == {"name": pl.String, "age": pl.String, "height": pl.Float64, "wage": pl.String}
    assert table["age"][[0, 300]].to_list() == ["0", "many"] and record.wrong_cells == 2
    named = [(cell.row, cell.column, cell.value) for cell in record.wrong]
    assert named == [(301, "age", "'many'"), (302, "wage", "'x'")]


def test_a_declared_column_that_no_json_row_has_is_missing(dataset: Dataset, work: Path, tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl"
    path.write_text('{"name": "a", "age": 1, "hieght": 1.5, "wage": 2}\n' * 3)
    take(dataset, work, path)
    assert pl.read_parquet(work / "ingested.parquet").columns == ["name", "age", "wage", "hieght"]


@pytest.mark.parametrize("identity", ["rows", "order"])
def test_the_identity_is_by_rows_or_by_their_order(change: Any, tmp_path: Path, identity: str) -> None:
    dataset = change("identity: rows", f"identity: {identity}")
    lines = [f"p{n % 3},{n % 4},1.5,2\n" for n in range(24)]
    prints = []
    for seed in (None, 1):
        if seed is not None:
            random.Random(seed).shuffle(lines)
        (tmp_path / "own.csv").write_text(HEADER + "".join(lines))
        prints.append(intake.read_source(dataset, str(tmp_path / "own.csv")).source.fingerprint)
    assert (prints[0] == prints[1]) == (identity == "rows")


def test_what_fails_leaves_the_former_file(dataset: Dataset, work: Path, tmp_path: Path) -> None:
    take(dataset, work)
    before = {path.name: path.read_bytes() for path in work.iterdir()}
    path = tmp_path / "own.csv"
    path.write_text(HEADER + "p,1,1.5,2\n" * 900 + '"p')
    with pytest.raises(BadDataError):
        take(dataset, work, path)
    assert {path.name: path.read_bytes() for path in work.iterdir()} == before


def test_two_at_once_do_not_meet(dataset: Dataset, work: Path) -> None:
    with lock(work / ".ingested.parquet.lock"), pytest.raises(BusyError):
        take(dataset, work)


def _big(path: Path) -> Path:
    generator = random.Random(5)
    path.write_text(HEADER + "".join(f"p{n},{n},{generator.random()},{generator.random()}\n" for n in range(60_000)))
    return path


CHILD = """
import resource, signal, sys
from pathlib import Path
from mlops.data_pipeline import intake, read_dataset
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
tree, work, source, limit = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
dataset = read_dataset(tree, "people")
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
print("go", flush=True)
while True:
    intake.ingest(dataset, work / "ingested.parquet", source, quarantined=work / "quarantine.parquet")
    if not limit:
        print("done", flush=True)
"""


def test_a_full_disk_is_an_error_and_nothing_is_lost(dataset: Dataset, work: Path, tree: Path, tmp_path: Path) -> None:
    take(dataset, work)
    before = {path.name: path.read_bytes() for path in work.iterdir()}
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(tree), str(work), str(_big(tmp_path / "big.csv")), "200000"],
        capture_output=True, text=True, check=False,
    )
    assert "ConfigurationError" in done.stderr and "cannot be written" in done.stderr and "room" in done.stderr
    assert "Exception ignored" not in done.stderr
    assert {path.name: path.read_bytes() for path in work.iterdir()} == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_small_disk_that_runs_full(dataset: Dataset, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=300k", "none", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine mounts nothing")
    try:
        with pytest.raises(ConfigurationError, match="No space left"):
            take(dataset, disk / "work", _big(tmp_path / "big.csv"))
        assert [path.name for path in (disk / "work").iterdir() if path.stat().st_size] == []
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_kill_in_the_middle_leaves_the_former_file_and_the_next_call_clears_up(
    dataset: Dataset, work: Path, tree: Path, tmp_path: Path
) -> None:
    big = _big(tmp_path / "big.csv")
    expected = take(dataset, work, big)
    content = (work / "ingested.parquet").read_bytes()
    for attempt in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(tree), str(work), str(big), "0"], stdout=subprocess.PIPE
        )
        assert child.stdout and [child.stdout.readline() for _ in range(2 + attempt)]
        while not [*work.glob(".ingested.parquet.*.part")]:  # in the middle of writing
            assert child.poll() is None
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        assert (work / "ingested.parquet").read_bytes() == content
    assert take(dataset, work, big) == expected
    assert not [*work.glob(".*.part")]


def test_long_work_tells_how_far_it_is(
    dataset: Dataset, work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "QUIET", 0.0)
    take(dataset, work)
    captured = capsys.readouterr()
    assert "people: 60 rows read" in captured.err and not captured.out


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(tree: Path, tmp_path: Path) -> None:
    """Ten times the rows take at most a few row groups more."""
    code = CHILD.replace("while True:\n", "for _ in (1,):\n") + (
        "\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)")
    peaks = []
    for million in (1, 10):
        path = tmp_path / f"{million}.csv"
        with path.open("w") as file:
            file.write(HEADER)
            for start in range(0, million * 1_000_000, 100_000):
                file.write("".join(f"p{n % 977},{n},{n / 7},{n}.5\n" for n in range(start, start + 100_000)))
        done = subprocess.run([sys.executable, "-c", code, str(tree), str(tmp_path / "work"), str(path), "0"],
                              capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout.split()[-1]) / 1024)
    assert peaks[1] < peaks[0] + 200, peaks
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def test_a_verdict_needs_the_table_that_its_source_tells_of(
    places: Workspace, dataset: Dataset, work: Path
) -> None:
    """A kill between the table and its record is noticed by the next step."""
    steps.ingest(places, dataset, work)
    content = (work / "ingested.parquet").read_bytes()
    table = pl.read_parquet(work / "ingested.parquet")
    table[1:].write_parquet(work / "ingested.parquet")
    with pytest.raises(BadDataError, match="mlops data ingest people"):
        steps.validate(places, dataset, work)
    (work / "ingested.parquet").write_bytes(content)
    assert steps.validate(places, dataset, work).success


def test_undeclared_columns_are_text_whatever_the_source(change: Any, tree: Path, tmp_path: Path) -> None:
    """CSV, JSON lines and a query agree on what the data set does not name; JSON may tell of a column late."""
    import sqlite3

    rows = [{"name": f"p{n}", "age": n, "height": 1.5, "wage": 2.0, "note": f"n{n}" if n % 3 else None, "flag": str(n)}
            for n in range(9)]
    table = pl.DataFrame(rows)
    table.write_csv(tmp_path / "own.csv")
    late = [{name: value for name, value in row.items() if value is not None} for row in rows]
    (tmp_path / "own.jsonl").write_text("\n".join(json.dumps({**row, "flag": int(row["flag"])}) for row in late))
    with sqlite3.connect(tree / "own.db") as connection:
        connection.execute("CREATE TABLE people (name, age, height, wage, note, flag)")
        connection.executemany("INSERT INTO people VALUES (:name, :age, :height, :wage, :note, :flag)", rows)
    connection.close()
    asked = "source: {database: 'sqlite:///own.db', query: SELECT * FROM people}"
    declared = change("source: data/raw/people.csv", asked)
    given = (str(tmp_path / "own.csv"), str(tmp_path / "own.jsonl"), None)
    found = [intake.read_source(declared, each) for each in given]
    columns = ["name", "age", "height", "wage", "note", "flag"]
    assert all(each.table.select(columns).equals(table) for each in found)
    assert len({each.source.fingerprint for each in found}) == 1


def test_a_key_that_turns_up_late_is_a_column_of_all_rows(
    dataset: Dataset, work: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlops.data_pipeline.sources import json_lines

    monkeypatch.setattr(json_lines, "_ROWS", 2)
    path = tmp_path / "own.jsonl"
    row = {"name": "a", "age": "x", "height": 1.5, "wage": 2}
    path.write_text("\n".join(json.dumps(row | more) for more in [{"b": 1}, {}, {}, {}, {"c": [1], "a": True}]))
    record = take(dataset, work, path)
    table = pl.read_parquet(work / "ingested.parquet")
    assert table.columns == ["name", "age", "height", "wage", "b", "c", "a"] and record.wrong_cells == 5
    assert table.select("b", "c", "a").rows() == [("1", None, None)] + [(None,) * 3] * 3 + [(None, "[1]", "true")]
