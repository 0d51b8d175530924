"""Rows that are sorted and brought together on disk, and the folder that they are in."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mlops.data_pipeline.tables import on_disk, rows
from mlops.data_pipeline.tables.rows import Rows, gathered
from mlops.data_pipeline.tables.scratch import Scratch
from mlops.errors import BadDataError, ConfigurationError
from mlops.files import sha256_file

CHANCE = np.random.default_rng(3)
WORDS = CHANCE.integers(0, 2**64, 3000, dtype=np.uint64)
TABLE = pl.DataFrame({
    "one": np.concatenate([WORDS, np.full(2000, 7, np.uint64), np.arange(64, dtype=np.uint64)]),
    "two": np.concatenate([WORDS[::-1], np.full(2000, 9, np.uint64), np.arange(64, dtype=np.uint64)[::-1]]),
    "text": [f"a text that is no view {n % 50}" for n in range(5064)],
    "kind": pl.Series([None if n % 3 else "b" for n in range(5064)], dtype=pl.Enum(["a", "b"])),
}).sample(fraction=1, shuffle=True, seed=1)


@pytest.fixture(autouse=True)
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only some rows are held, so that a pile is dealt again, and one row many times goes through."""
    monkeypatch.setattr(on_disk, "HELD", 9000)
    monkeypatch.setattr(on_disk, "_WORTH", 40)


def parts(table: pl.DataFrame) -> list[pl.DataFrame]:
    return [table[start:start + 97] for start in range(0, table.height, 97)]


def test_rows_are_sorted_in_pieces(tmp_path: Path) -> None:
    with Scratch(tmp_path) as scratch:
        found = list(on_disk.in_order(parts(TABLE), ["one", "two"], scratch))
        assert len(found) > 64 and not [path for path in (tmp_path.glob(".*/*")) if path.name != "lock"]
    whole, wanted = pl.concat(found), TABLE.sort("one", "two")
    assert whole.select("one", "two").equals(wanted.select("one", "two")) and whole.schema == TABLE.schema
    assert whole.sort(TABLE.columns).equals(TABLE.sort(TABLE.columns)) and not [*tmp_path.iterdir()]


def test_equal_rows_come_together_in_their_order(tmp_path: Path) -> None:
    numbered = TABLE.with_row_index("row").unique(["text", "one"], keep="first", maintain_order=True)
    with Scratch(tmp_path) as scratch:
        found = list(on_disk.together(parts(numbered), ["text"], scratch))
    places = [set(each["text"]) for each in found]
    assert sum(map(len, places)) == 50 and all(each["row"].is_sorted() for each in found)
    assert pl.concat(found).sort("row").equals(numbered)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_disk_that_runs_full_is_a_clear_error(tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=60k", "none", str(tmp_path)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine mounts nothing")
    try:
        with pytest.raises(ConfigurationError, match="No space left"), Scratch(tmp_path) as scratch:
            list(on_disk.in_order(parts(TABLE), ["one", "two"], scratch))
        assert not [*tmp_path.iterdir()]
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_what_a_killed_process_left_is_removed_and_what_another_holds_is_not(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path\nfrom mlops.data_pipeline.tables.scratch import Scratch\n"
        "Scratch(Path(sys.argv[1])).file().write_text('x')\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False).returncode == -signal.SIGKILL
    [left] = tmp_path.iterdir()
    with Scratch(tmp_path) as one:
        one.file().write_text("x")
        assert not left.exists()
        [held] = tmp_path.iterdir()
        with Scratch(tmp_path) as two:
            two.file().write_text("x")
            assert held.exists() and len([*tmp_path.iterdir()]) == 2
    assert not [*tmp_path.iterdir()]


def test_a_scratch_folder_that_nobody_needs_is_not_made(tmp_path: Path) -> None:
    with Scratch(tmp_path):
        assert not [*tmp_path.iterdir()]
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match="cannot be written"), Scratch(tmp_path / "file") as scratch:
        scratch.file()


def test_rows_are_the_same_in_memory_and_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    TABLE.write_parquet(tmp_path / "rows.parquet")
    small = Rows(tmp_path / "rows.parquet")
    monkeypatch.setattr(rows, "IN_MEMORY", 1000)
    monkeypatch.setattr(rows, "group_rows", lambda width: 500)
    large = Rows(tmp_path / "rows.parquet")
    assert isinstance(small.data, pl.DataFrame) and isinstance(large.data, Path)
    assert small.digest == large.digest == sha256_file(tmp_path / "rows.parquet")
    assert (small.schema, small.height, small.nulls()) == (large.schema, large.height, large.nulls())
    assert [each.height for each in large.batches()] == [500] * 10 + [64]
    assert pl.concat(large.batches(["two", "kind"])).equals(next(small.batches(["two", "kind"])))
    with Scratch(tmp_path) as scratch:
        again = gathered(parts(TABLE), scratch)
        assert again and isinstance(again.data, Path) and pl.read_parquet(again.data).equals(TABLE)
        assert gathered([], scratch) is None


def test_a_file_that_is_replaced_while_it_is_read_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "IN_MEMORY", 1000)
    monkeypatch.setattr(rows, "group_rows", lambda width: 500)
    TABLE.write_parquet(tmp_path / "rows.parquet")
    batches = Rows(tmp_path / "rows.parquet").batches()
    next(batches)
    TABLE.write_parquet(tmp_path / "other.parquet")
    (tmp_path / "other.parquet").replace(tmp_path / "rows.parquet")
    with pytest.raises(BadDataError, match="replaced while it was read"):
        next(batches)
