"""How columns go together: sums over pairs of ranks, and what two such sums say.

Each ordered column is taken as its rank in the reference (-7 to 7, an empty cell 0), so that the
correlation is Spearman's but for the coarse ranks: it sees the copula, not the scales. It is taken a second
time as whether a value lies in the middle half, which sees what goes together by size and not by sign: of
two columns whose large values come together in both directions the ranks are uncorrelated. The sums are of
integers, hence exact, and add up. The variance of a correlation needs no normality: it is that of its
influence function (J. H. Steiger and A. R. Hakstian, "The asymptotic distribution of elements of a correlation
matrix", British Journal of Mathematical and Statistical Psychology 35, 1982).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops.drift.layout import MIDDLE, Layout
from mlops.records.base import Record

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

_BLOCK = 1024
"""Rows whose products are added in single precision, exactly: 7⁴ · 1024 < 2²⁴."""
_WORK = 600_000
"""Multiplications of one block at most: beyond it the library starts threads, which here cost more than they give."""
_AT_ONCE = 1 << 14
"""Rows in hand at a time, in blocks: they stay in the processor's cache."""


class PairsRecord(Record, frozen=True, kw_only=True):
    """The sums as they are stored; see `PairSums`."""

    rows: int
    powers: list[list[int]]
    products: list[list[int]]


class PairSums:
    """Sums over rows of ranks a, b of each pair of features.

    Attributes:
        powers: int64, (3F, F): Σa·b, Σa²·b, Σa³·b.
        products: int64, (F, F): Σa²·b².

    Raises:
        ValueError: `stored` is not of this form.
    """

    def __init__(self, layout: Layout, stored: PairsRecord | None = None) -> None:
        import numpy as np

        size = len(layout.features)
        self.layout = layout
        self.rows = stored.rows if stored else 0
        self.powers = np.zeros((3 * size, size), np.int64)
        self.products = np.zeros((size, size), np.int64)
        if stored:
            self.powers = np.array(stored.powers, np.int64).reshape(self.powers.shape)
            self.products = np.array(stored.products, np.int64).reshape(self.products.shape)

    def tables(self) -> Array:
        """For each feature the rank of each code (0 or 1 for yes or no), float32 (F, 256)."""
        import numpy as np

        found = np.zeros((len(self.layout.features), 256), np.float32)
        for table, feature in zip(found, self.layout.features, strict=True):
            levels = np.array(self.layout.columns[feature.column].levels)
            if feature.code is not None:
                table[feature.code] = 1
            else:
                table[:levels.size] = np.abs(levels) <= MIDDLE if feature.middle else levels
        return found

    def update(self, codes: list[Array]) -> None:
        """Add rows.

        Args:
            codes: Of each feature, the codes of its column (uint8), as many as rows.
        """
        import numpy as np

        if not codes:
            return
        ranked = np.array([number for number, each in enumerate(self.layout.features) if each.ranked], np.intp)
        others = np.array([number for number, each in enumerate(self.layout.features) if not each.ranked], np.intp)
        order, wide = np.concatenate([ranked, others]), ranked.size
        sums, squares = self._sums([codes[number] for number in order], self.tables()[order], wide)
        size = order.size
        # A power of yes or no is itself, so that only ranks have rows of their own for it.
        first, higher = sums[:size], sums[size:].reshape(2, wide, size)
        for power, rows in enumerate((first[:wide], *higher)):
            self.powers[np.ix_(power * size + ranked, order)] += rows
            self.powers[np.ix_(power * size + others, order)] += first[wide:]
        self.products[np.ix_(ranked, ranked)] += squares
        self.products[np.ix_(ranked, others)] += higher[0][:, wide:]
        self.products[np.ix_(others, ranked)] += higher[0][:, wide:].T
        self.products[np.ix_(others, others)] += first[wide:, wide:]
        self.rows += codes[0].size

    def _sums(self, codes: list[Array], tables: Array, wide: int) -> tuple[Array, Array]:
        """The sums of the products of every feature, and of the second and third powers of the first `wide`, with
        every feature; and of those second powers with each other. int64."""
        import numpy as np

        size, rows = len(codes), codes[0].size
        tall = size + 2 * wide
        block = max(min(_BLOCK, _WORK // (tall * size)), 32)
        blocks = max(min(_AT_ONCE, rows) // block, 1)
        width = block * blocks
        powers = np.zeros((tall, width), np.float32)
        # The same memory as a stack of blocks: (blocks, features, rows of a block).
        stack = powers.reshape(tall, blocks, block).transpose(1, 0, 2)
        every, second = stack[:, :size].transpose(0, 2, 1), stack[:, size:size + wide]
        ranks, square, cube = powers[:wide], powers[size:size + wide], powers[size + wide:]
        sums, squares = np.zeros((tall, size), np.int64), np.zeros((wide, wide), np.int64)
        for start in range(0, rows, width):
            there = min(width, rows - start)
            for feature in range(size):
                tables[feature].take(codes[feature][start:start + there], out=powers[feature, :there], mode="clip")
            powers[:size, there:] = 0  # adds nothing
            np.multiply(ranks, ranks, out=square)
            np.multiply(square, ranks, out=cube)
            sums += (stack @ every).sum(axis=0, dtype=np.float64).astype(np.int64)
            squares += (second @ second.transpose(0, 2, 1)).sum(axis=0, dtype=np.float64).astype(np.int64)
        return sums, squares

    def merge(self, other: PairSums) -> None:
        """Add what `other` summed up."""
        self.rows += other.rows
        self.powers += other.powers
        self.products += other.products

    def record(self) -> PairsRecord:
        """What is stored."""
        return PairsRecord(rows=self.rows, powers=self.powers.tolist(), products=self.products.tolist())

    def correlations(self, counts: list[Array]) -> tuple[Array, Array, Array]:
        """(F, F) correlations, NaN where a feature is constant; the variance of √n times each; and of how many degrees
        of freedom that variance is (F. E. Satterthwaite, "An approximate distribution of estimates of variance
        components", Biometrics Bulletin 2, 1946; the kurtosis of a product taken as that of independent factors):
        few for a rare category.

        Args:
            counts: Of each column, the counts of its codes, from which come Σa, Σa², Σa³.
        """
        import numpy as np

        size = len(self.layout.features)
        moments = self.powers / max(self.rows, 1)
        (e11, e21, e31), e22 = moments.reshape(3, size, size), self.products / max(self.rows, 1)
        first, second, third = self._singles(counts) / max(self.rows, 1)
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
            freedom = 2 * self.rows / (np.outer(fourth, fourth) - 1)
        return r, np.maximum(variance, 0.0), np.maximum(freedom, 1.0)

    def _singles(self, counts: list[Array]) -> Array:
        """Σa, Σa², Σa³ of each feature, int64 (3, F)."""
        import numpy as np

        levels = self.tables().astype(np.int64)
        cells = np.zeros_like(levels)
        for row, feature in zip(cells, self.layout.features, strict=True):
            row[:counts[feature.column].size] = counts[feature.column]
        return np.stack([(cells * levels**power).sum(axis=1) for power in (1, 2, 3)])
