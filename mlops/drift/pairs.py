"""How columns go together: sums over pairs of ranks, and what two such sums say.

Each ordered column is taken as its rank in the reference (-7 to 7, an empty cell 0), so that the
correlation is Spearman's but for the coarse ranks: it sees the copula, not the scales. The sums are of
integers, hence exact, and add up. The variance of a correlation needs no normality: it is that of its
influence function (J. H. Steiger and A. R. Hakstian, "The asymptotic distribution of elements of a correlation
matrix", British Journal of Mathematical and Statistical Psychology 35, 1982).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops.drift.layout import Layout
from mlops.records.base import Record

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

_BLOCK = 2048
"""Rows at a time at most: 7⁴ · 2048 < 2²⁴, so single precision adds the products of a block exactly."""
_WORK = 1_000_000
"""Multiplications at a time at most: beyond it the library starts threads, which here cost more than they give."""


class PairsRecord(Record, frozen=True, kw_only=True):
    """The sums as they are stored; see `PairSums`."""

    rows: int
    powers: list[list[int]]
    products: list[list[int]]


class PairSums:
    """Sums over rows of ranks a, b of each pair of features.

    Attributes:
        powers: int64, (3F, F + 1): Σa·b, Σa²·b, Σa³·b, and in the last column Σa, Σa², Σa³.
        products: int64, (F, F): Σa²·b².
    """

    def __init__(self, layout: Layout, stored: PairsRecord | None = None) -> None:
        import numpy as np

        size = len(layout.features)
        self.layout = layout
        self.rows = stored.rows if stored else 0
        self.powers = np.zeros((3 * size, size + 1), np.int64)
        self.products = np.zeros((size, size), np.int64)
        if stored and size:
            self.powers[:] = stored.powers
            self.products[:] = stored.products

    def tables(self) -> Array:
        """For each feature the rank of each code, float32 (F, 256)."""
        import numpy as np

        found = np.zeros((len(self.layout.features), 256), np.float32)
        for table, feature in zip(found, self.layout.features, strict=True):
            if feature.code is None:
                levels = self.layout.columns[feature.column].levels
                table[:len(levels)] = levels
            else:
                table[feature.code] = 1
        return found

    def update(self, codes: list[Array]) -> None:
        """Add rows.

        Args:
            codes: Of each feature, the codes of its column (uint8), as many as rows.
        """
        import numpy as np

        if not codes:
            return
        size, rows = len(codes), codes[0].size
        tables = self.tables()
        block = max(min(_BLOCK, _WORK // (3 * size * (size + 1))), 64)
        left, right = np.empty((3 * size, block), np.float32), np.ones((size + 1, block), np.float32)
        for start in range(0, rows, block):
            width = min(block, rows - start)
            ranks, squares, cubes = (left[part * size:(part + 1) * size, :width] for part in range(3))
            for feature in range(size):
                tables[feature].take(codes[feature][start:start + width], out=ranks[feature], mode="clip")
            np.multiply(ranks, ranks, out=squares)
            np.multiply(squares, ranks, out=cubes)
            right[:size, :width] = ranks
            self.powers += (left[:, :width] @ right[:, :width].T).astype(np.int64)
            self.products += (squares @ squares.T).astype(np.int64)
        self.rows += rows

    def merge(self, other: PairSums) -> None:
        """Add what `other` summed up."""
        self.rows += other.rows
        self.powers += other.powers
        self.products += other.products

    def record(self) -> PairsRecord:
        """What is stored."""
        return PairsRecord(rows=self.rows, powers=self.powers.tolist(), products=self.products.tolist())

    def correlations(self) -> tuple[Array, Array]:
        """(F, F) correlations, NaN where a feature is constant, and the variance of √n times each."""
        import numpy as np

        size = len(self.layout.features)
        moments = self.powers / max(self.rows, 1)
        (e11, e21, e31), e22 = moments[:, :size].reshape(3, size, size), self.products / max(self.rows, 1)
        first, second, third = moments[:, size].reshape(3, size)
        a, b = first[:, None], first[None, :]
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = np.sqrt(second - first**2)
            spread[spread < 1e-9] = np.nan
            both = np.outer(spread, spread)
            c11 = e11 - a * b
            # Central moments from raw ones; `x.T` exchanges the two features of a pair.
            c31 = (e31 - third[:, None] * b) - 3 * a * (e21 - second[:, None] * b) + 3 * a**2 * c11
            c22 = (
                e22 - 2 * b * e21 + b**2 * second[:, None] - 2 * a * e21.T + 4 * a * b * e11 + a**2 * second[None, :]
                - 3 * a**2 * b**2
            )
            fourth = np.diagonal(c31) / spread**4
            r = c11 / both
            m31, m22 = c31 / (spread**3)[:, None] / spread[None, :], c22 / both**2
            variance = m22 - r * (m31 + m31.T) + r**2 / 4 * (fourth[:, None] + fourth[None, :] + 2 * m22)
        return r, np.maximum(variance, 0.0)
