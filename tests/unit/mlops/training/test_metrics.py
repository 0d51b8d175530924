"""The metrics against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as peer

from mlops.training.metrics import Answers, evaluate


def test_regression_agrees_with_scikit_learn() -> None:
    random = np.random.default_rng(3)
    truth = random.normal(2e5, 1e5, 500)
    said = truth + random.normal(0, 3e4, 500)
    found = evaluate("regression", Answers(truth, said))
    assert found["rmse"] == pytest.approx(peer.root_mean_squared_error(truth, said))
    assert found["mae"] == pytest.approx(peer.mean_absolute_error(truth, said))
    assert found["r2"] == pytest.approx(peer.r2_score(truth, said))


def test_classification_agrees_with_scikit_learn() -> None:
    random = np.random.default_rng(3)
    truth = random.choice(["a", "b", "c"], 400).astype(object)
    chances = random.dirichlet([1, 1, 1], 400)
    chances[:3] = [[1.0, 0.0, 0.0]] * 3  # certain, perhaps wrongly: the logarithm is clipped
    said = np.array(["a", "b", "c"], dtype=object)[chances.argmax(axis=1)]
    found = evaluate("classification", Answers(truth, said, chances, ("a", "b", "c")))
    assert found["accuracy"] == pytest.approx(peer.accuracy_score(truth.astype(str), said.astype(str)))
    assert found["log_loss"] == pytest.approx(peer.log_loss(truth.astype(str), chances))


def test_what_has_no_value_is_left_out() -> None:
    same = np.full(5, 3.0)
    assert set(evaluate("regression", Answers(same, same + 1))) == {"rmse", "mae"}  # r2 of a constant
    labels = np.array(["a", "b"], dtype=object)
    assert evaluate("classification", Answers(labels, labels)) == {"accuracy": 1.0}  # no probabilities


def test_a_label_that_the_model_never_saw_costs_as_an_impossible_one() -> None:
    truth, said = np.array(["z"], dtype=object), np.array(["a"], dtype=object)
    found = evaluate("classification", Answers(truth, said, np.array([[0.5, 0.5]]), ("a", "b")))
    assert found["log_loss"] == pytest.approx(-np.log(np.finfo(float).eps))
