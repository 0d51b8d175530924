"""The few shares that a small plot of a column shows."""

from __future__ import annotations

import bisect
from typing import TYPE_CHECKING, Any

from mlops.drift.layout import GROUPS, ColumnLayout
from mlops.records.drift import Bar

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

_NAMES = 7


def bars(layout: ColumnLayout, before: Array, after: Array) -> list[Bar]:
    """Shares of the values by group: ten of about equal share in the reference, or the commonest categories."""
    n, m = max(int(before.sum()), 1), max(int(after.sum()), 1)
    if layout.kind == "named":
        order = sorted(range(len(layout.names)), key=lambda code: (-(before[code] / n + after[code] / m), code))
        shown, rest = order[:_NAMES], order[_NAMES:]
        found = [
            Bar(label=layout.names[code], reference=float(before[code] / n), current=float(after[code] / m))
            for code in shown
        ]
        first = float((before[rest].sum() + before[-1]) / n)
        second = float((after[rest].sum() + after[-1]) / m)
        return found + ([Bar(label="others", reference=first, current=second)] if first or second else [])
    found = []
    so_far, so_far_after = ([0, *side.cumsum().tolist()] for side in (before, after))
    for group in range(GROUPS):  # ranks rise with the bins: those of a group lie side by side
        low, high = bisect.bisect_left(layout.groups, group), bisect.bisect_right(layout.groups, group)
        first, second = (so_far[high] - so_far[low]) / n, (so_far_after[high] - so_far_after[low]) / m
        if first or second:
            found.append(Bar(label=_range(layout, low, high - 1), reference=first, current=second))
    return found


def _range(layout: ColumnLayout, first: int, last: int) -> str:
    low = _value(layout, first - 1) if first else "below"
    high = _value(layout, last) if last < len(layout.edges) else "above"
    return f"{low} to {high}"


def _value(layout: ColumnLayout, edge: int) -> str:
    value = layout.edges[edge]
    if layout.type == "datetime":
        import datetime

        try:
            moment = datetime.datetime.fromtimestamp(0, datetime.UTC) + datetime.timedelta(microseconds=value)
        except OverflowError:
            return f"{value:,.6g}" if abs(value) < 1e7 else f"{value:.4g}"
        return moment.strftime("%Y-%m-%d %H:%M")
    return f"{value:,.6g}" if abs(value) < 1e7 else f"{value:.4g}"
