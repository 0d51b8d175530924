"""Effect sizes and tests on binned counts. All take counts of the same bins, reference first.

Sizes say how much changed, tests how sure that is; none decides alone. Sources of the tests: A. N. Kolmogorov and
N. V. Smirnov (limit distribution; on the edges of bins it is conservative, since the largest distance at
the edges is no larger than the largest anywhere), K. Pearson (homogeneity), S. Holm, "A simple sequentially
rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

EXPECTED = 5.0
"""Categories of which fewer cells are expected on a side are tested as one."""
POWER = 0.95
_Z_POWER = 1.6448536269514722
"""The normal quantile of POWER."""


def harmonic(n: float, m: float) -> float:
    """n·m / (n + m): the rows that a comparison of n with m rows is worth; 0 where a side has none."""
    return n * m / (n + m) if n and m else 0.0


def ks(reference: Array, current: Array, *, discrete: bool) -> tuple[float, float]:
    """Distance of the distribution functions: exactly at the edges of the bins, and at most anywhere.

    Args:
        discrete: The reference's values are the edges alone, so that its function is flat between them.
    """
    import numpy as np

    before, after = _function(reference), _function(current)
    at_edges = float(np.abs(before - after).max(initial=0.0))
    low = before[1:] if discrete else before[:-1]
    most = np.maximum(before[1:] - after[:-1], after[1:] - low)
    return at_edges, float(max(at_edges, most.max(initial=0.0)))


def ks_p(distance: float, n: float, m: float) -> float:
    """The chance of such a distance, or a larger one, between samples of n and m rows of one distribution."""
    from scipy.special import kolmogorov  # type: ignore[import-untyped]

    return min(1.0, float(kolmogorov(distance * math.sqrt(harmonic(n, m)))))


def ks_smallest(n: float, m: float, alpha: float, threshold: float) -> float:
    """The smallest true distance that is called at level `alpha` and found with probability `POWER`, about: the
    critical one (the first term of the limit distribution), and what chance takes away."""
    worth = harmonic(n, m)
    if not worth:
        return 1.0
    critical = math.sqrt(math.log(2 / alpha) / (2 * worth))
    return min(1.0, max(critical, threshold) + _Z_POWER * 0.5 / math.sqrt(worth))


def shift_of(distance: float) -> float:
    """The shift, in standard deviations, of a normal column that makes a KS distance: D = 2·Φ(shift / 2) - 1."""
    from scipy.special import ndtri

    return float(2 * ndtri((1 + min(distance, 1 - 1e-12)) / 2))


def psi(reference: Array, current: Array) -> float:
    """Population stability index, Σ(q - p)·ln(q / p); half a row is added to each group, so that none is empty."""
    import numpy as np

    p, q = _smoothed(reference), _smoothed(current)
    return float(((q - p) * np.log(q / p)).sum())


def js(reference: Array, current: Array) -> float:
    """Jensen–Shannon distance, base 2: 0 for equal, 1 for disjoint (J. Lin, 1991; its root is a metric)."""
    import numpy as np

    p, q = _shares(reference), _shares(current)
    middle = (p + q) / 2
    total = 0.0
    for each in (p, q):
        there = each > 0
        total += float((each[there] * np.log2(each[there] / middle[there])).sum()) / 2
    return math.sqrt(min(max(total, 0.0), 1.0))


def wasserstein(
    reference: Array, current: Array, edges: Sequence[float], scale: float, *, discrete: bool
) -> tuple[float | None, float | None]:
    """Earth mover's distance and the change of the mean, in units of `scale`; None where the column has no spread.

    Values are taken as spread evenly over their bin (where `discrete`: at its lower edge), those beyond the
    outermost edges as lying there.
    """
    import numpy as np

    if scale <= 0 or len(edges) < 2:
        return None, None
    before, after = _function(reference), _function(current)
    gap = (before - after)[1:-1]  # at the edges
    width = np.diff(np.asarray(edges))
    # Between two edges the gap goes linearly; where the reference has its values at the edges alone, it is flat.
    left, right = (gap[1:], gap[1:]) if discrete else (gap[:-1], gap[1:])
    with np.errstate(over="ignore", invalid="ignore"):
        signed = float((width * (left + right) / 2).sum() / scale)
        crossing = left * right < 0
        bent = (left**2 + right**2) / (2 * np.where(crossing, np.abs(left) + np.abs(right), 1.0))
        area = np.where(crossing, bent, np.abs(left + right) / 2)
        whole = float((width * area).sum() / scale)
    return (whole, signed) if math.isfinite(whole) and math.isfinite(signed) else (None, None)


def total_variation(reference: Array, current: Array) -> float:
    """Half the sum of the differences of the shares: the share of rows that would have to change their category."""
    import numpy as np

    return float(np.abs(_shares(reference) - _shares(current)).sum() / 2)


def homogeneity_p(reference: Array, current: Array) -> tuple[float, int]:
    """Pearson's chi-square test that two rows of counts come from the same shares: p, and degrees of freedom.

    Cells with fewer than `EXPECTED` rows on either side are taken together.
    """
    import numpy as np
    from scipy.special import chdtrc

    n, m = float(reference.sum()), float(current.sum())
    if not n or not m:
        return 1.0, 0
    both = reference + current
    few = both * (min(n, m) / (n + m)) < EXPECTED
    first = np.append(reference[~few], reference[few].sum()).astype(float)
    second = np.append(current[~few], current[few].sum()).astype(float)
    kept = first + second > 0
    first, second = first[kept], second[kept]
    degrees = int(first.size) - 1
    if degrees < 1:
        return 1.0, 0
    expected = (first + second) / (n + m)
    sides = ((first, n), (second, m))
    chi = float(sum((((side - size * expected) ** 2) / (size * expected)).sum() for side, size in sides))
    return float(chdtrc(degrees, chi)), degrees


def total_variation_smallest(n: float, m: float, degrees: int, alpha: float, threshold: float) -> float:
    """The total variation that is surely found, however it is spread: a distance of v has at least the
    noncentrality 4·v²·nm/(n + m) (Cauchy–Schwarz), and that needed follows from the normal limit of chi-square."""
    from scipy.special import chdtri

    worth = harmonic(n, m)
    if not worth or degrees < 1:
        return 1.0
    critical = float(chdtri(degrees, alpha))
    needed = max(critical - degrees, 0.0)
    for _ in range(20):  # needed = critical - degrees + z·√(2·degrees + 4·needed), by iteration
        needed = critical - degrees + _Z_POWER * math.sqrt(2 * degrees + 4 * max(needed, 0.0))
    return min(1.0, max(math.sqrt(max(needed, 0.0) / (4 * worth)), threshold + _Z_POWER * 0.5 / math.sqrt(worth)))


def share_p(hits: int, n: int, others: int, m: int) -> float:
    """Two-sided test of equal shares: `hits` of n rows and `others` of m. The normal limit where every cell expects
    ten; else the binomial given the sum (the current side's part of all hits), which is exact for rare ones."""
    if not n or not m:
        return 1.0
    whole = hits + others
    if whole * 2 > n + m:
        hits, others = n - hits, m - others
        whole = hits + others
    if not whole:
        return 1.0
    if whole * min(n, m) / (n + m) >= 10:
        share = whole / (n + m)
        error = math.sqrt(share * (1 - share) * (1 / n + 1 / m))
        return math.erfc(abs(hits / n - others / m) / error / math.sqrt(2))
    from scipy.special import bdtr, bdtrc

    part = m / (n + m)
    at_most = float(bdtr(float(others), whole, part))
    at_least = float(bdtrc(float(others - 1), whole, part)) if others else 1.0
    return min(1.0, 2 * min(at_most, at_least))


def share_smallest(share: float, n: float, m: float, alpha: float, threshold: float) -> float:
    """The smallest change of a share that is called and found with probability `POWER`, by the normal limit."""
    worth = harmonic(n, m)
    if not worth:
        return 1.0
    # A share that begins at none has the spread that its change gives it: one more step of the iteration.
    change, z = threshold, normal_quantile(alpha / 2)
    for _ in range(20):
        middle = min(max(share + change / 2, 0.0), 1.0)
        error = math.sqrt(max(middle * (1 - middle), 1e-12) / worth)
        change = max(threshold, z * error) + _Z_POWER * error
    return min(1.0, change)


def normal_quantile(tail: float) -> float:
    """z with a chance of `tail` beyond it."""
    from scipy.special import ndtri

    return float(-ndtri(tail))


def student_quantile(tail: float, freedom: float) -> float:
    """t of so many degrees of freedom with a chance of `tail` beyond it."""
    from scipy.special import stdtrit

    return float(-stdtrit(freedom, tail))


def student_p(t: Array, freedom: Array) -> Array:
    """Two-sided chance of Student's t beyond each."""
    import numpy as np
    from scipy.special import stdtr

    found: Array = 2 * stdtr(freedom, -np.abs(t))
    return found


def p_text(p: float) -> str:
    """A p-value for people; one that is too small for a number is no zero."""
    return f"{p:.2g}" if p > 1e-300 else "< 1e-300"


def holm(values: Sequence[float]) -> list[float]:
    """Holm's corrected p-values, in the order given: the chance of any false call is at most the level that they are
    compared with, whatever depends on what."""
    found = [1.0] * len(values)
    largest = 0.0
    for rank, number in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        largest = max(largest, min(1.0, values[number] * (len(values) - rank)))
        found[number] = largest
    return found


def _function(counts: Array) -> Array:
    """The distribution function at minus infinity, the edges and infinity."""
    import numpy as np

    total = counts.sum()
    return np.concatenate([[0.0], np.cumsum(counts) / (total if total else 1)])


def _shares(counts: Array) -> Array:
    shares: Array = counts / max(int(counts.sum()), 1)
    return shares


def _smoothed(counts: Array) -> Array:
    smoothed: Array = (counts + 0.5) / (counts.sum() + 0.5 * counts.size)
    return smoothed
