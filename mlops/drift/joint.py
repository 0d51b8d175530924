"""Whether columns still go together as they did: every pair's rank correlation, before and after.

Why correlations and not a classifier that tells the sides apart (D. Lopez-Paz and M. Oquab, "Revisiting
classifier two-sample tests", 2017): the sums that they need are small, add up exactly and are stored with
the reference, so that neither side's rows are needed again, and the answer names the pair. What is not
seen is a dependence that changes without any pair's rank correlation.
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

METHOD = "change of rank correlations, pair by pair; normal limit with a distribution-free variance; Holm"
FEWEST = 200
"""Rows from which the normal limit holds far enough out in the tail; measured in the benchmark."""
_SHOWN = 10
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
    (before, first), (after, second) = (each.pairs.correlations(each.counts) for each in (reference, current))
    one, other = _pairs(reference, current, rules)
    error = np.sqrt(first[one, other] / n + second[one, other] / m)
    change = after[one, other] - before[one, other]
    known = np.isfinite(change)
    one, other, change, error = one[known], other[known], change[known], error[known]
    if not change.size:
        return replace(base, verdict="unjudged", reasons=["there are no two columns to pair"])
    p = [_p(float(by), float(of)) for by, of in zip(change, error, strict=True)]
    corrected = statistics.holm(p)
    pairs = [
        PairDrift(
            first=layout.feature_name(layout.features[a]), second=layout.feature_name(layout.features[b]),
            reference=float(before[a, b]), current=float(after[a, b]), change=float(change[number]), p=p[number],
            p_corrected=corrected[number],
            drifted=abs(float(change[number])) >= rules.correlation and corrected[number] < rules.joint_alpha,
        )
        for number, (a, b) in enumerate(zip(one.tolist(), other.tolist(), strict=True))
    ]
    pairs.sort(key=lambda pair: (not pair.drifted, pair.p, -abs(pair.change), pair.first, pair.second))
    drifted = [pair for pair in pairs if pair.drifted]
    worst = float(np.median(error))
    critical = statistics.normal_quantile(rules.joint_alpha / (2 * len(pairs))) * worst
    power = statistics.normal_quantile(1 - statistics.POWER) * worst
    return replace(
        base, verdict="drifted" if drifted else "same", tested=len(pairs), pairs=pairs[:_SHOWN],
        smallest=min(2.0, max(critical, rules.correlation) + power), reasons=[_told(pair) for pair in drifted[:3]],
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


def _p(change: float, error: float) -> float:
    """Where each column says all of the other on both sides there is no error, and any change is one."""
    if error < _EXACT:
        return 1.0 if abs(change) < _EXACT else 0.0
    return statistics.normal_p(change / error)


def _told(pair: PairDrift) -> str:
    return (
        f"{pair.first} with {pair.second}: rank correlation {pair.reference:.3f} → {pair.current:.3f}, "
        f"corrected p {statistics.p_text(pair.p_corrected)}"
    )
