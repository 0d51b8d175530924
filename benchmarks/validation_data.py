"""Rows for the benchmark of validation: 13 columns like those of the census, clean, or with a few broken rows.

Figures have the decimals that the census file has (degrees two, incomes four, dollars and counts none), since those
decide how long reading alone takes, which all contenders do.

`python benchmarks/validation_data.py FILE ROWS [broken]` writes them as Parquet.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CHUNK = 1_000_000
PLACES = ["<1H OCEAN", "INLAND", "ISLAND", "NEAR BAY", "NEAR OCEAN"]
STATES = ["new", "open", "closed"]


def _chunk(start: int, rows: int, broken: bool) -> Any:
    import numpy as np
    import polars as pl

    chance = np.random.default_rng(start + 1)
    households = chance.integers(1, 6000, rows)
    bedrooms = pl.Series(chance.integers(1, 6000, rows).astype(float))
    letters = chance.integers(65, 91, (rows, 2))
    digits = chance.integers(0, 100_000, rows)
    table = pl.DataFrame({
        "id": np.arange(start, start + rows), "longitude": chance.uniform(-124.3, -114.3, rows).round(2),
        "latitude": chance.uniform(32.5, 42.0, rows).round(2), "age": chance.integers(1, 53, rows),
        "rooms": (households * chance.uniform(1, 8, rows)).round() + 1.0,
        "bedrooms": bedrooms.scatter(np.flatnonzero(chance.random(rows) < 0.01), None),
        "population": households + chance.integers(0, 20_000, rows), "households": households,
        "income": chance.lognormal(1.2, 0.4, rows).clip(0.5, 15.0).round(4),
        "value": chance.uniform(15_000, 500_001, rows).round(),
        "proximity": np.array(PLACES)[chance.integers(0, 5, rows)],
        "state": np.array(STATES)[chance.integers(0, 3, rows)],
        "code": [f"{chr(a)}{chr(b)}-{number:05}" for (a, b), number in zip(letters, digits, strict=True)],
    })
    if not broken:
        return table
    # One row in a thousand breaks one of five rules.
    bad = pl.int_range(pl.len()) % 1000
    return table.with_columns(
        pl.when(bad == 1).then(-1.0).otherwise(pl.col("income")).alias("income"),
        pl.when(bad == 2).then(pl.lit("LAKE")).otherwise(pl.col("proximity")).alias("proximity"),
        pl.when(bad == 3).then(pl.lit("ab-1")).otherwise(pl.col("code")).alias("code"),
        pl.when(bad == 4).then(None).otherwise(pl.col("value")).alias("value"),
        pl.when(bad == 5).then(99).otherwise(pl.col("age")).alias("age"),
    )


def chunks(rows: int, *, broken: bool = False) -> Iterator[Any]:
    """The rows in frames of at most a million: the same ones again, with other keys."""
    import polars as pl

    first = _chunk(0, min(CHUNK, rows), broken)
    for start in range(0, rows, CHUNK):
        yield first.head(rows - start).with_columns(pl.col("id") + start)


def parquet(path: Path, rows: int, *, broken: bool = False) -> Path:
    """The rows as one Parquet file, written a chunk at a time."""
    import pyarrow.parquet as parquet

    writer = None
    for chunk in chunks(rows, broken=broken):
        table = chunk.to_arrow()
        writer = writer or parquet.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table, row_group_size=250_000)
    assert writer is not None
    writer.close()
    return path


if __name__ == "__main__":
    parquet(Path(sys.argv[1]), int(sys.argv[2]), broken=sys.argv[3:] == ["broken"])
