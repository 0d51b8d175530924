"""Figures of columns, held against the standard library's."""

from __future__ import annotations

import datetime
import statistics
from pathlib import Path
from typing import Any

import polars as pl

from mlops.data_pipeline.tables.fingerprint import column_type
from mlops.data_pipeline.tables.summaries import BINS, TOP, ColumnSummary, summarise
from mlops.records import ColumnShape


def summaries(folder: Path, columns: dict[str, Any]) -> dict[str, ColumnSummary]:
    table = pl.DataFrame(columns)
    files = [folder / "one.parquet", folder / "two.parquet"]
    table[: table.height // 3].write_parquet(files[0])
    table[table.height // 3:].write_parquet(files[1])
    shapes = [ColumnShape(name=name, type=column_type(name, kind)) for name, kind in table.schema.items()]
    return {each.name: each for each in summarise(files, shapes)}


def test_numbers(tmp_path: Path) -> None:
    values = [float(n * n % 97) for n in range(300)]
    found = summaries(tmp_path, {"x": [None, *values]})["x"]
    assert (found.rows, found.missing, found.distinct) == (301, 1, len(set(values)))
    assert found.mean is not None and abs(found.mean - statistics.mean(values)) < 1e-9
    assert found.deviation is not None and abs(found.deviation - statistics.stdev(values)) < 1e-9
    assert found.quantiles[2] == statistics.median(values)
    assert (found.minimum, found.maximum) == ("0", text_of(max(values)))
    assert len(found.bars) == BINS and sum(bar.rows for bar in found.bars) == 300 and found.others == 0
    width = max(values) / BINS
    assert found.bars[0].rows == sum(value < width for value in values)


def text_of(value: float) -> str:
    return str(int(value))


def test_texts_show_the_most_frequent(tmp_path: Path) -> None:
    values = [f"v{n % 12:02}" for n in range(100)] + ["v00", None]
    found = summaries(tmp_path, {"x": values})["x"]
    assert found.distinct == 12 and found.missing == 1 and found.mean is None and found.quantiles == []
    assert len(found.bars) == TOP and (found.bars[0].label, found.bars[0].rows) == ("v00", 10)
    assert found.others == 101 - sum(bar.rows for bar in found.bars)


def test_booleans_times_constants_and_nothing(tmp_path: Path) -> None:
    start = datetime.datetime(2026, 1, 1)
    found = summaries(tmp_path, {
        "flag": [True, False, True, None], "day": [start + datetime.timedelta(days=n) for n in range(4)],
        "one": [7, 7, 7, 7], "void": pl.Series([None] * 4, dtype=pl.Float64),
    })
    assert [(bar.label, bar.rows) for bar in found["flag"].bars] == [("true", 2), ("false", 1)]
    assert (found["day"].minimum, found["day"].maximum) == ("2026-01-01 00:00:00", "2026-01-04 00:00:00")
    assert sum(bar.rows for bar in found["day"].bars) == 4 and found["day"].bars[0].label == "2026-01-01 00:00:00"
    assert [(bar.label, bar.rows) for bar in found["one"].bars] == [("7", 4)]
    assert (found["void"].missing, found["void"].distinct, found["void"].bars) == (4, 0, [])
    assert found["void"].mean is None and found["void"].minimum is None
