"""Two sketches with the same bins compared: each column, then all together, then a verdict."""

from __future__ import annotations

from mlops.data_pipeline.drift_rules import DriftRules
from mlops.drift.columns import judge, measure
from mlops.drift.joint import compare_pairs
from mlops.drift.sketch import Sketch
from mlops.errors import UsageError
from mlops.records.drift import DriftReport, DriftSide

CORRECTION = "Holm"


def compare(
    reference: Sketch, current: Sketch, rules: DriftRules | None = None, *, dataset: str = "",
    names: tuple[str, str] = ("reference", "current"),
) -> DriftReport:
    """What changed from `reference` to `current`.

    Args:
        rules: When a change counts; the defaults when absent.
        names: Of the two sides, for people.

    Raises:
        UsageError: the two do not have the same bins.
    """
    if reference.layout.identity != current.layout.identity:
        raise UsageError(
            "the sketches have different bins", where="drift.compare",
            mend="make the current one with the reference: Sketch.of(data, like=reference)",
        )
    rules = rules or DriftRules()
    found = [measure(number, reference, current, rules) for number in range(len(reference.layout.columns))]
    columns, tests = judge(found, rules)
    joint = compare_pairs(reference, current, rules)
    severities = [(each.verdict, each.severity) for each in columns] + [(joint.verdict, joint.severity)]
    drifted = any(verdict == "drifted" for verdict, _ in severities)
    judged = any(each.verdict == "same" for each in columns)
    missing = [
        column.name for column, absent in zip(current.layout.columns, current.absent, strict=True)
        if absent and absent == current.rows
    ]
    return DriftReport(
        dataset=dataset, verdict="drifted" if drifted else "same" if judged else "unjudged",
        blocking=("drifted", "block") in severities, alpha=rules.alpha, correction=CORRECTION, tests=tests,
        reference=DriftSide(name=names[0], rows=reference.rows), current=DriftSide(name=names[1], rows=current.rows),
        columns=columns, joint=joint, missing_columns=missing, extra_columns=sorted(current.extra),
    )
