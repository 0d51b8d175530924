"""Streams whose drift is known, because it was put there: twelve columns of the kinds that tables have.

No row, and no number, is shared between two streams: each has a generator of its own. It is a fast one (SFC64), and
what takes few values is drawn by a table of 65,536 equally likely entries, since a thousand runs at a million rows
are four billion cells.
"""

from __future__ import annotations

from typing import Any

CHANGES = {
    "none": "the same stream again",
    "shift": "one normal column, its mean by 0.05 standard deviations",
    "spread": "one normal column, its standard deviation by 5 %",
    "missing": "one column, 5 % of the cells empty before, 6.5 % after",
    "category": "1.5 % of the rows have a category that was not there before",
    "together": "two columns, each as before, their correlation from 0.6 to 0.5",
    "copula": "two columns, each as before and uncorrelated as before, their sizes now related",
    "conditional": "one column as before, its mean within one category of ten percent by 0.35 standard deviations",
}
_DRAWS = 1 << 16
_FEW = ("coast", "inland", "ocean", "bay", "island", "lake")


def stream(rows: int, seed: int, change: str = "none") -> Any:
    """A Polars frame: seven correlated normal columns (one log-normal, one with empty cells, one rounded to whole
    numbers and capped), a uniform one, one of whole numbers, a category of five, one of three hundred, a truth."""
    import numpy as np
    import polars as pl

    random = np.random.Generator(np.random.SFC64([seed, rows]))
    common = random.standard_normal(rows)
    normal = [0.6 * common + 0.8 * random.standard_normal(rows) for _ in range(5)]
    first = random.standard_normal(rows)
    correlation = 0.5 if change == "together" else 0.6
    second = correlation * first + np.sqrt(1 - correlation**2) * random.standard_normal(rows)
    uniform = _with_the_size_of(first, random) if change == "copula" else random.random(rows)
    if change == "shift":
        normal[0] += 0.05
    if change == "spread":
        normal[0] *= 1.05
    few = _drawn(random, rows, [0.44, 0.32, 0.13, 0.1, 0.01])
    if change == "category":
        few[random.random(rows) < 0.015] = 5
    if change == "conditional":
        normal[0] = _shifted_within(normal[0], few == 3, 0.35, 0.1)
    zipf = 1 / np.arange(1, 300) ** 1.5
    many = _drawn(random, rows, [*(zipf / 2.6123753486854883), 1 - zipf.sum() / 2.6123753486854883])
    poisson = [np.exp(-3.0) * 3.0**k / np.prod(np.arange(1.0, k + 1)) for k in range(15)]
    empty = pl.Series(random.integers(0, 1000, rows, np.uint16) < (65 if change == "missing" else 50))
    return pl.DataFrame({
        "normal": normal[0], "other": normal[1], "income": np.exp(normal[2]),
        "gaps": pl.select(pl.when(empty).then(None).otherwise(pl.Series(normal[3]))).to_series(),
        "capped": np.minimum(np.round(30 + 12 * normal[4]), 52), "first": first, "second": second,
        "uniform": uniform, "count": _drawn(random, rows, poisson).astype(np.int64),
        "few": pl.Series(_FEW).gather(few), "many": pl.Series([f"place {k}" for k in range(1, 301)]).gather(many),
        "truth": random.integers(0, 5, rows, np.uint8) == 0,
    })


def _drawn(random: Any, rows: int, shares: Any) -> Any:
    """Codes, uint16, with these shares, each rounded to 1 / `_DRAWS`."""
    import numpy as np

    ends = np.round(np.cumsum(shares) / np.sum(shares) * _DRAWS).astype(np.int64)
    table = np.repeat(np.arange(ends.size, dtype=np.uint16), np.diff(ends, prepend=0))
    return table[random.integers(0, _DRAWS, rows, np.uint16)]


def _with_the_size_of(first: Any, random: Any) -> Any:
    """A uniform column, uncorrelated with `first` (normal), that is far out where `first` is."""
    import numpy as np
    from scipy.special import ndtr

    sign = np.where(random.integers(0, 2, first.size, np.uint8) == 1, 1.0, -1.0)
    return ndtr(sign * 0.6 * first + 0.8 * random.standard_normal(first.size))


def _shifted_within(column: Any, chosen: Any, shift: float, share: float) -> Any:
    """A standard normal column, its mean within the chosen rows shifted; as a whole it is standard normal still."""
    import numpy as np
    from scipy.special import ndtr, ndtri

    moved = column + shift * chosen
    grid = np.linspace(-7.0, 8.0, 6001)
    mixed = ndtri((1 - share) * ndtr(grid) + share * ndtr(grid - shift))
    return np.interp(moved, grid, mixed)
