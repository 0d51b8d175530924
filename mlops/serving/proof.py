"""Whether scores are those of the registered model: the one comparison that everybody uses."""

from __future__ import annotations

from typing import Any

from mlops.serving.manifest import Proof, Scores

RELATIVE = 1e-5
"""Largest relative difference of a predicted number. An export in single precision shows about 1e-6."""

ABSOLUTE = 1e-5
"""Largest absolute difference of a probability."""


def disagreements(proof: Proof, scores: Scores) -> list[str]:
    """What differs between the registered model's own answers and `scores`, a sentence for each row.

    Numbers may differ by `RELATIVE`, probabilities by `ABSOLUTE`, labels not at all.
    """
    if len(scores.predictions) != len(proof.rows):
        return [f"{len(scores.predictions)} answers to {len(proof.rows)} rows"]
    found = []
    for index, (expected, answer) in enumerate(zip(proof.predictions, scores.predictions, strict=True)):
        if proof.probabilities is None and not _close(expected, answer):
            found.append(f"row {index}: the registered model predicts {expected!r}, here it is {answer!r}")
        elif proof.probabilities is not None and not _same_label(expected, answer):
            found.append(f"row {index}: the registered model says {expected!r}, here it is {answer!r}")
    if proof.probabilities is None:
        return found
    if scores.probabilities is None:
        return [*found, "there are no probabilities"]
    for index, (wanted, given) in enumerate(zip(proof.probabilities, scores.probabilities, strict=True)):
        if len(wanted) != len(given) or any(abs(p - q) > ABSOLUTE for p, q in zip(wanted, given, strict=True)):
            found.append(f"row {index}: the registered model's probabilities are {wanted}, here they are {given}")
    return found


def _close(expected: Any, answer: Any) -> bool:
    return bool(abs(expected - answer) <= RELATIVE * abs(expected))


def _same_label(expected: Any, answer: Any) -> bool:
    return type(expected) is type(answer) and bool(expected == answer)
