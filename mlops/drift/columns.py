"""One column of two sketches: what changed, how sure that is, and what could not have been seen.

A column drifted only where the change is large enough to count and, corrected for the number of tests,
too large for chance. The first alone calls small samples drifted, the second alone calls large ones so.
"""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Any, Literal

from msgspec.structs import replace

from mlops.data_pipeline.drift_rules import ColumnRule, DriftRules
from mlops.drift import statistics
from mlops.drift.layout import GROUPS, ColumnLayout
from mlops.drift.others import buckets_of
from mlops.drift.plots import bars
from mlops.drift.sketch import Sketch
from mlops.records.drift import ColumnDrift, DistributionDrift, MissingDrift

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

_SHOWN = 10
_SIZES = ((0.2, "large"), (0.05, "moderate"), (0.0, "slight"))
"""Of the effect that decides; a shift of a normal column by half, and by an eighth, of a standard deviation."""


@dataclasses.dataclass(frozen=True)
class Side:
    """A column on one side: values in its bins, of a column of names the cells by category (see `_by_name`), empty
    cells, values of another type, rows."""

    bins: Array
    by_name: Array
    empty: int
    unreadable: int
    rows: int

    @functools.cached_property
    def there(self) -> int:
        """How many cells are not empty."""
        return int(self.bins.sum())


@dataclasses.dataclass(frozen=True)
class Measured:
    """A column as far as it is known without the others."""

    column: ColumnDrift
    before: Side
    after: Side

    @property
    def categories(self) -> int:
        """How many categories, or buckets of them, there are on both sides together."""
        return int((self.before.by_name + self.after.by_name > 0).sum())


def measure(number: int, reference: Sketch, current: Sketch, rules: DriftRules) -> Measured:
    """A column's effects and p-values, not yet corrected; a column whose structure changed has drifted already."""
    layout = reference.layout.columns[number]
    rule = rules.columns.get(layout.name, ColumnRule())
    severity: Literal["block", "warn"] = "warn" if (rule.severity or rules.severity) != "block" else "block"
    base = ColumnDrift(
        column=layout.name, type=layout.type, verdict="same", severity=severity,
        threshold=rules.effect if rule.effect is None else rule.effect,
        missing_threshold=rules.missing if rule.missing is None else rule.missing,
    )
    before, after = _side(reference, number), _side(current, number)

    def told(**more: Any) -> Measured:
        return Measured(replace(base, **more), before, after)

    if rule.severity == "ignore":
        return told(verdict="ignored", reasons=["the data set's file says so"])
    broken = _broken(layout, before, after, current, number)
    if broken:
        return told(verdict="drifted", reasons=[broken], size="large")
    fewest = min(before.rows, after.rows)
    if fewest < rules.minimum_rows:
        return told(verdict="unjudged", reasons=[f"{fewest} rows are too few; {rules.minimum_rows} are needed"])
    missing = _missing(before, after)
    if layout.kind == "opaque" or min(before.there, after.there) < rules.minimum_rows:
        return told(missing=missing)
    compared = _ordered(layout, before, after) if layout.kind == "ordered" else _named(before.by_name, after.by_name)
    new, gone = _names(layout, reference, current, number)
    outside = float((after.bins[0] + after.bins[-1]) / after.there) if layout.edges else None
    return told(
        missing=missing, distribution=compared, new_names=new, gone_names=gone, outside=outside,
        bars=bars(layout, before.bins, after.bins),
    )


def _side(sketch: Sketch, number: int) -> Side:
    column, counts = sketch.layout.columns[number], sketch.counts[number]
    bins, unreadable = counts[:-1], int(sketch.unreadable[number])
    empty = int(counts[-1]) - unreadable
    if column.kind == "opaque":
        bins = bins[:0]
    return Side(bins, _by_name(sketch, number), empty, unreadable, sketch.rows - int(sketch.absent[number]))


def _broken(layout: ColumnLayout, before: Side, after: Side, current: Sketch, number: int) -> str | None:
    """What is wrong with the column's structure: that needs no statistics."""
    if current.rows and current.absent[number] == current.rows:
        return "the column is missing"
    if current.absent[number]:
        return f"the column is missing in {current.absent[number]} of {current.rows} rows"
    if after.unreadable > before.unreadable * max(after.rows, 1) / max(before.rows, 1):
        return f"{after.unreadable} of {after.rows} values are no {layout.type}"
    return None


def _missing(before: Side, after: Side) -> MissingDrift:
    first, second = before.empty / max(before.rows, 1), after.empty / max(after.rows, 1)
    p = statistics.share_p(before.empty, before.rows, after.empty, after.rows)
    return MissingDrift(
        reference=first, current=second, effect=abs(second - first), p=p, p_corrected=p, smallest=1.0
    )


def _ordered(layout: ColumnLayout, before: Side, after: Side) -> DistributionDrift:
    import numpy as np

    least, most = statistics.ks(before.bins, after.bins, discrete=layout.discrete)
    p = statistics.ks_p(least, before.there, after.there)
    whole, signed = statistics.wasserstein(
        before.bins, after.bins, layout.edges, layout.scale, discrete=layout.discrete
    )
    groups = np.zeros((2, GROUPS), np.int64)
    for row, side in zip(groups, (before, after), strict=True):
        np.add.at(row, layout.groups, side.bins)
    used = groups[:, groups.sum(axis=0) > 0]
    return DistributionDrift(
        test="Kolmogorov-Smirnov", effect=least, p=p, p_corrected=p, smallest=1.0, ks=least, ks_at_most=most,
        psi=statistics.psi(*used), js=statistics.js(*used), wasserstein=whole, shift=signed,
    )


def _by_name(sketch: Sketch, number: int) -> Array:
    """Cells by category.

    Where the reference had more categories than are counted by name, by bucket alone: the commonest of one sample
    are less common in the next by selection, which would look like drift.
    """
    import numpy as np

    layout, bins, others = sketch.layout.columns[number], sketch.counts[number][:-1], sketch.others.get(number)
    if layout.kind != "named" or others is None:
        return bins
    if layout.complete:
        return np.concatenate([bins[:-1], others.buckets])
    return buckets_of(layout.names, bins[:-1]) + others.buckets


def _named(before: Array, after: Array) -> DistributionDrift:
    import numpy as np

    counts = np.stack([before, after])
    used = counts[:, counts.sum(axis=0) > 0]
    p, _ = statistics.homogeneity_p(*used)
    change = statistics.total_variation(*used)
    return DistributionDrift(
        test="chi-square", effect=change, p=p, p_corrected=p, smallest=1.0, total_variation=change,
        psi=statistics.psi(*used), js=statistics.js(*used),
    )


def _names(
    layout: ColumnLayout, reference: Sketch, current: Sketch, number: int
) -> tuple[dict[str, float], dict[str, float]]:
    """The categories that only one side has, with their shares, the largest first; new ones only where the reference
    knows all of its own."""
    if layout.kind != "named":
        return {}, {}
    before, after = reference.counts[number], current.counts[number]
    n, m = max(int(before[:-1].sum()), 1), max(int(after[:-1].sum()), 1)
    new = {name: after[code] / m for code, name in enumerate(layout.names) if after[code] and not before[code]}
    gone = {name: before[code] / n for code, name in enumerate(layout.names) if before[code] and not after[code]}
    others, arrived = reference.others.get(number), current.others.get(number)
    if others is not None and arrived is not None and others.complete:
        new |= {name: count / m for name, count in arrived.names.items() if name not in others.names}
    return _largest(new), _largest(gone)


def _largest(shares: dict[str, Any]) -> dict[str, float]:
    order = sorted(shares, key=lambda name: (-shares[name], name))[:_SHOWN]
    return {name: float(shares[name]) for name in order}


def judge(found: list[Measured], rules: DriftRules) -> tuple[list[ColumnDrift], int]:
    """The columns with corrected p-values and verdicts, and how many tests there were."""
    tests = [
        (number, part) for number, each in enumerate(found) for part in ("distribution", "missing")
        if each.column.verdict == "same" and getattr(each.column, part) is not None
    ]
    corrected = statistics.holm([getattr(found[number].column, part).p for number, part in tests])
    by_test = dict(zip(tests, corrected, strict=True))
    # Holm's first step, which is Bonferroni's: what is seen at this level is seen whatever the other columns do.
    level = rules.alpha / max(len(tests), 1)
    judged = [
        _verdict(each, by_test.get((number, "distribution"), 1.0), by_test[number, "missing"], level, rules.alpha)
        if each.column.verdict == "same" else each.column for number, each in enumerate(found)
    ]
    return judged, len(tests)


def _verdict(measured: Measured, values_p: float, missing_p: float, level: float, alpha: float) -> ColumnDrift:
    column, before, after = measured.column, measured.before, measured.after
    reasons, effects, distribution, missing = [], [], column.distribution, column.missing
    assert missing is not None  # of a column that was measured
    if distribution is not None:
        distribution = replace(distribution, p_corrected=values_p, **_smallest(distribution, measured, level))
        if distribution.effect >= column.threshold and values_p < alpha:
            named = "KS distance" if distribution.ks is not None else "total variation"
            reasons.append(f"{named} {distribution.effect:.3f}, corrected p {statistics.p_text(values_p)}")
            effects.append(distribution.effect)
    missing = replace(missing, p_corrected=missing_p, smallest=statistics.share_smallest(
        missing.reference, before.rows, after.rows, level, column.missing_threshold
    ))
    if missing.effect >= column.missing_threshold and missing_p < alpha:
        reasons.append(
            f"empty cells {missing.reference:.2%} → {missing.current:.2%}, corrected p {statistics.p_text(missing_p)}"
        )
        effects.append(missing.effect)
    size = next((name for least, name in _SIZES if max(effects) >= least), None) if effects else None
    return replace(
        column, distribution=distribution, missing=missing, verdict="drifted" if reasons else "same",
        reasons=reasons, size=size,
    )


def _smallest(distribution: DistributionDrift, measured: Measured, level: float) -> dict[str, float | None]:
    n, m, threshold = measured.before.there, measured.after.there, measured.column.threshold
    if distribution.ks is not None:
        smallest = statistics.ks_smallest(n, m, level, threshold)
        return {"smallest": smallest, "smallest_shift": statistics.shift_of(smallest)}
    return {"smallest": statistics.total_variation_smallest(n, m, measured.categories - 1, level, threshold)}
