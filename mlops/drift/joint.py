"""Whether columns still go together as they did: every pair's rank correlation, before and after.

Why correlations and not a classifier that tells the sides apart (D. Lopez-Paz and M. Oquab, "Revisiting
classifier two-sample tests", 2017): the sums that they need are small, add up exactly and are stored with
the reference, so that neither side's rows are needed again, and the answer names the pair. A column is
paired by its ranks and by its middle half (see `pairs`), so that a pair's dependence is seen by direction and by
size. What is not seen is one that shows in neither, and one of three columns that no two of them have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from mlops.data_pipeline.drift_rules import DriftRules
from mlops.drift import statistics
from mlops.drift.sketch import Sketch
from mlops.records.drift import JointDrift, PairDrift

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

METHOD = (
    "change of the correlations of ranks, middle halves and categories, pair by pair; Student's t with a "
    "distribution-free variance; Holm"
)
FEWEST = 200
"""Rows from which the limit holds far enough out in the tail; measured in the benchmark."""
_SHOWN, _TOLD = 10, 3
_EXACT = 1e-7  # what rounding leaves


def compare_pairs(reference: Sketch, current: Sketch, rules: DriftRules) -> JointDrift:
    """The change of every pair's correlation, with a correction of its own.

    Pairs are left out where a column is constant on a side, is ignored by the data set's file, or where both are
    categories of one column.
    """
    import numpy as np

    layout = reference.layout
    base = JointDrift(
        verdict="same", method=METHOD, severity=rules.joint_severity, tested=0, alpha=rules.joint_alpha,
        threshold=rules.correlation, left_out=layout.left_out,
    )
    n, m = reference.pairs.rows, current.pairs.rows
    fewest = max(rules.minimum_rows, FEWEST)
    if min(n, m) < fewest:
        return replace(base, verdict="unjudged", reasons=[f"{min(n, m)} rows are too few; {fewest} are needed"])
    one, other = _pairs(reference, current, rules)
    (before, first, free), (after, second, free_after) = (
        [figure[one, other] for figure in each.pairs.correlations(each.counts)] for each in (reference, current)
    )
    change = after - before
    known = np.isfinite(change)
    one, other, change, before, after = (each[known] for each in (one, other, change, before, after))
    first, second, free, free_after = (each[known] for each in (first / n, second / m, free, free_after))
    error = np.sqrt(first + second)
    with np.errstate(invalid="ignore"):
        freedom = np.nan_to_num(error**4 / (first**2 / free + second**2 / free_after), nan=1.0)
    if not change.size:
        return replace(base, verdict="unjudged", reasons=["there are no two columns to pair"])
    p = _p(change, error, freedom)
    corrected = statistics.holm(p)
    found = (np.abs(change) >= rules.correlation) & (np.array(corrected) < rules.joint_alpha)
    shown = np.lexsort((-np.abs(change), p, ~found))[:_SHOWN]  # those that drifted come first
    pairs = [
        PairDrift(
            first=layout.feature_name(layout.features[one[each]]), p=p[each], p_corrected=corrected[each],
            second=layout.feature_name(layout.features[other[each]]), drifted=bool(found[each]),
            reference=float(before[each]), current=float(after[each]), change=float(change[each]),
        )
        for each in shown
    ]
    worst = float(np.median(error))
    level = rules.joint_alpha / (2 * change.size)
    critical = statistics.student_quantile(level, float(np.median(freedom))) * worst
    power = statistics.normal_quantile(1 - statistics.POWER) * worst
    return replace(
        base, verdict="drifted" if found.any() else "same", tested=change.size, pairs=pairs,
        smallest=min(2.0, max(critical, rules.correlation) + power),
        reasons=[_told(pair) for pair in pairs[:_TOLD] if pair.drifted],
    )


def _pairs(reference: Sketch, current: Sketch, rules: DriftRules) -> tuple[Array, Array]:
    """The numbers of the features of every pair that is compared."""
    import numpy as np

    layout = reference.layout
    ignored = {name for name, rule in rules.columns.items() if rule.severity == "ignore"}
    columns = [feature.column for feature in layout.features]
    usable = [
        layout.columns[column].name not in ignored and not current.absent[column] and not reference.absent[column]
        for column in columns
    ]
    found = [
        (a, b) for a in range(len(columns)) for b in range(a + 1, len(columns))
        if usable[a] and usable[b] and columns[a] != columns[b]
    ]
    both = np.array(found, np.intp).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _p(change: Array, error: Array, freedom: Array) -> list[float]:
    """Where each column says all of the other on both sides there is no error, and any change is one."""
    import numpy as np

    exact = error < _EXACT
    found = statistics.student_p(change / np.where(exact, 1.0, error), freedom)
    p: list[float] = np.where(exact, np.abs(change) < _EXACT, found).tolist()
    return p


def _told(pair: PairDrift) -> str:
    return (
        f"{pair.first} with {pair.second}: correlation {pair.reference:.3f} → {pair.current:.3f}, "
        f"corrected p {statistics.p_text(pair.p_corrected)}"
    )
