from __future__ import annotations

import pytest

from mlops.serving import Proof, Scores, disagreements

NUMBERS = Proof(rows=[{}, {}], predictions=[100000.0, 0.0])
LABELS = Proof(rows=[{}], predictions=["yes"], probabilities=[[0.25, 0.75]])


@pytest.mark.parametrize("answers", [[100000.0, 0.0], [100000.9, 0.0], [99999.1, 0.0]])
def test_numbers_within_the_tolerance_agree(answers: list[float]) -> None:
    assert disagreements(NUMBERS, Scores(answers)) == []


@pytest.mark.parametrize("answers", [[100001.1, 0.0], [100000.0, 1e-9], [float("nan"), 0.0], [-100000.0, 0.0], [1.0]])
def test_numbers_beyond_it_do_not(answers: list[float]) -> None:
    assert len(disagreements(NUMBERS, Scores(answers))) == 1


def test_labels_agree_exactly_and_probabilities_within_the_tolerance() -> None:
    assert disagreements(LABELS, Scores(["yes"], [[0.250009, 0.749991]], [0.75])) == []
    assert "says 'yes'" in disagreements(LABELS, Scores(["no"], [[0.25, 0.75]], [0.75]))[0]
    assert len(disagreements(LABELS, Scores(["yes"], [[0.2501, 0.7499]], [0.75]))) == 1
    assert len(disagreements(LABELS, Scores(["yes"], [[0.25]], [0.75]))) == 1
    assert disagreements(LABELS, Scores(["yes"])) == ["there are no probabilities"]


def test_a_label_of_another_type_is_another_label() -> None:
    proof = Proof(rows=[{}], predictions=[1], probabilities=[[0.0, 1.0]])
    assert disagreements(proof, Scores([True], [[0.0, 1.0]], [1.0]))
    assert disagreements(proof, Scores([1.0], [[0.0, 1.0]], [1.0]))
