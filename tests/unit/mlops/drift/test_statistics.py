"""The figures beside SciPy's on the rows themselves, and what they promise."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
import scipy.stats
from scipy.spatial.distance import jensenshannon

from mlops.drift import Sketch, statistics
from mlops.drift.layout import GROUPS


def binned(first: np.ndarray, second: np.ndarray) -> tuple[Sketch, np.ndarray, np.ndarray]:
    known = Sketch.of({"x": first})
    return known, known.counts[0][:-1], Sketch.of({"x": second}, like=known).counts[0][:-1]


@pytest.mark.parametrize("shift", [0.0, 0.05, 0.5, 3.0])
@pytest.mark.parametrize("ties", [False, True])
def test_ks_and_its_bounds_hold_the_distance_of_the_rows(shift: float, ties: bool) -> None:
    random = np.random.default_rng(7)
    first, second = random.normal(size=4000), random.normal(size=3000) + shift
    if ties:
        first, second = np.round(first, 1), np.round(second, 1)
    known, one, other = binned(first, second)
    low, high = statistics.ks(one, other, discrete=known.layout.columns[0].discrete)
    exact = scipy.stats.ks_2samp(first, second)
    assert low <= exact.statistic + 1e-12 <= high + 2e-12
    assert high - low < (0.05 if ties else 2.1 / 128)
    assert statistics.ks_p(low, 4000, 3000) >= scipy.stats.ks_2samp(first, second, method="asymp").pvalue * 0.9


@pytest.mark.parametrize("ties", [False, True])
def test_wasserstein_is_near_that_of_the_rows(ties: bool) -> None:
    random = np.random.default_rng(8)
    first, second = random.normal(size=20_000), 0.3 + 1.1 * random.normal(size=20_000)
    if ties:
        first, second = np.round(first), np.round(second)
    known, one, other = binned(first, second)
    column = known.layout.columns[0]
    whole, signed = statistics.wasserstein(one, other, column.edges, column.scale, discrete=column.discrete)
    assert whole == pytest.approx(scipy.stats.wasserstein_distance(first, second) / first.std(), rel=0.05)
    assert signed == pytest.approx((second.mean() - first.mean()) / first.std(), rel=0.05)
    assert statistics.wasserstein(one, other, column.edges, 0.0, discrete=False) == (None, None)


def test_shares_beside_scipy() -> None:
    first, second = np.array([400, 300, 200, 100]), np.array([300, 300, 250, 150])
    p, degrees = statistics.homogeneity_p(first, second)
    assert p == pytest.approx(scipy.stats.chi2_contingency([first, second], correction=False).pvalue) and degrees == 3
    assert statistics.js(first, second) == pytest.approx(jensenshannon(first, second, base=2))
    assert statistics.total_variation(first, second) == pytest.approx(0.1)
    assert statistics.psi(first, first) == 0 < statistics.psi(first, second) < statistics.psi(first, second[::-1])
    assert statistics.js(np.array([1, 0]), np.array([0, 1])) == 1.0


def test_rare_categories_are_tested_as_one() -> None:
    first = np.array([900, *[1] * 100])
    assert statistics.homogeneity_p(first, np.array([900, *[0] * 100, ][:101]))[1] == 1
    assert statistics.homogeneity_p(np.array([3]), np.array([5])) == (1.0, 0)
    assert statistics.homogeneity_p(np.array([0, 0]), np.array([5, 1])) == (1.0, 0)


@pytest.mark.parametrize("counts", [(0, 1000, 0, 1000), (0, 1000, 9, 100), (3, 900, 0, 1000), (990, 1000, 960, 1000),
                                    (50, 1000, 90, 1000), (500, 1000, 560, 1000), (1000, 1000, 1000, 1000)])
def test_equal_shares_beside_fishers_test(counts: tuple[int, int, int, int]) -> None:
    hits, n, others, m = counts
    exact = scipy.stats.fisher_exact([[hits, n - hits], [others, m - others]]).pvalue
    found = statistics.share_p(*counts)
    assert found <= 1 and exact / 3 - 1e-9 <= found <= max(3 * exact, 1e-12)
    assert statistics.share_p(0, 0, 1, 5) == 1.0


def test_holm() -> None:
    assert statistics.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert statistics.holm([]) == [] and statistics.holm([0.9, 0.8]) == [1.0, 1.0]


def test_the_smallest_shift_that_is_seen_is_seen() -> None:
    """A true shift of that size is called in about 95 % of the runs; one of half the size far less often."""
    n, alpha = 2000, 0.01 / 20
    smallest = statistics.shift_of(statistics.ks_smallest(n, n, alpha, 0.01))
    random = np.random.default_rng(3)

    def called(shift: float) -> float:
        hits = 0
        for _ in range(100):
            _, one, other = binned(random.normal(size=n), random.normal(size=n) + shift)
            hits += statistics.ks_p(statistics.ks(one, other, discrete=False)[0], n, n) < alpha
        return hits / 100

    assert called(smallest) >= 0.85 and called(smallest / 2) < 0.5


def test_the_smallest_figures_shrink_with_rows_and_are_never_below_the_threshold() -> None:
    for function, more in ((statistics.ks_smallest, ()), (statistics.total_variation_smallest, (4,))):
        few, many = (function(n, n, *more, 1e-4, 0.01) for n in (500, 50_000))
        assert 1 >= few > many > 0.01 and function(0, 5, *more, 1e-4, 0.01) == 1.0
    few, many = (statistics.share_smallest(0.0, rows, rows, 1e-4, 0.01) for rows in (50, 500_000))
    assert 1 >= few > many > 0.01
    assert statistics.share_smallest(0.1, 0, 5, 1e-4, 0.01) == 1.0


def test_edges_are_those_of_the_reference() -> None:
    """Groups hold about a tenth of the reference each, and do not move with the other side."""
    values = np.random.default_rng(2).exponential(size=10_000)
    known, one, _ = binned(values, values * 3)
    column = known.layout.columns[0]
    shares = np.bincount(column.groups, weights=one, minlength=GROUPS) / one.sum()
    assert np.abs(shares - 0.1).max() < 0.01 and column.edges[0] == values.min()
    assert Sketch.of({"x": values * 3}, like=known).layout is known.layout
    assert column.edges[-1] == math.nextafter(values.max(), math.inf)
    capped = pl.Series(np.minimum(values, 1.0))  # a third of the rows at the cap: a bin of its own
    layout = Sketch.of({"x": capped}).layout.columns[0]
    assert layout.edges[-2:] == [1.0, math.nextafter(1.0, math.inf)]


def test_p_values_for_people() -> None:
    assert statistics.p_text(0.0) == "< 1e-300" and statistics.p_text(0.0123) == "0.012"
