"""Streams whose drift is known, because it was put there: twelve columns of the kinds that tables have."""

from __future__ import annotations

from typing import Any

CHANGES = {
    "none": "the same stream again",
    "shift": "one normal column, its mean by 0.05 standard deviations",
    "spread": "one normal column, its standard deviation by 5 %",
    "missing": "one column, 5 % of the cells empty before, 6.5 % after",
    "category": "1.5 % of the rows have a category that was not there before",
    "together": "two columns, each as before, their correlation from 0.6 to 0.5",
}


def stream(rows: int, seed: int, change: str = "none") -> Any:
    """A Polars frame: seven correlated normal columns (one log-normal, one with empty cells, one rounded to whole
    numbers and capped), a uniform one, one of whole numbers, a category of five, one of three hundred, a truth."""
    import numpy as np
    import polars as pl

    random = np.random.default_rng([seed, rows])
    common = random.standard_normal(rows)
    normal = [0.6 * common + 0.8 * random.standard_normal(rows) for _ in range(5)]
    first = random.standard_normal(rows)
    correlation = 0.5 if change == "together" else 0.6
    second = correlation * first + np.sqrt(1 - correlation**2) * random.standard_normal(rows)
    if change == "shift":
        normal[0] += 0.05
    if change == "spread":
        normal[0] *= 1.05
    few = random.choice(5, rows, p=[0.44, 0.32, 0.13, 0.1, 0.01])
    if change == "category":
        few[random.random(rows) < 0.015] = 5
    many = np.minimum(random.zipf(1.5, rows), 300)
    empty = random.random(rows) < (0.065 if change == "missing" else 0.05)
    return pl.DataFrame({
        "normal": normal[0], "other": normal[1], "income": np.exp(normal[2]), "gaps": normal[3],
        "capped": np.minimum(np.round(30 + 12 * normal[4]), 52), "first": first, "second": second,
        "uniform": random.random(rows), "count": random.poisson(3.0, rows), "few": few, "many": many,
        "truth": random.random(rows) < 0.2,
    }).with_columns(
        pl.when(pl.Series(empty)).then(None).otherwise(pl.col("gaps")).alias("gaps"),
        pl.col("few").replace_strict(
            dict(enumerate(("coast", "inland", "ocean", "bay", "island", "lake"))), return_dtype=pl.String
        ),
        ("place " + pl.col("many").cast(pl.String)).alias("many"),
    )
