from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest

from mlops.training.comparison import DRAWS, below_floor, judge, paired_interval
from mlops.training.config import Metric, ModelConfig
from mlops.training.metrics import METRICS, Answers

CONFIG = ModelConfig(
    name="m", task="regression", dataset="d", target="t", features=["f"], trainer="a:b",
    metric=Metric(name="rmse", direction="lower", tolerance=0.05), floors={"r2": 0.5, "mae": 10.0}, seed=1,
)
RANDOM = np.random.default_rng(5)
TRUTH = RANDOM.normal(0, 10, 2000)
NOISE = RANDOM.normal(0, 1, 2000)


def verdict(ours: Any, theirs: Any, config: ModelConfig = CONFIG) -> str:
    return judge(config, Answers(TRUTH[: len(ours)], ours), Answers(TRUTH[: len(ours)], theirs), "1").verdict


@pytest.mark.parametrize(
    ("ours", "expected"),
    [
        (TRUTH + NOISE, "equal"),
        (TRUTH + 0.9 * NOISE, "better"),
        (TRUTH + 1.2 * NOISE, "worse"),
        (TRUTH + 1.03 * NOISE, "inconclusive"),  # surely worse, but within the tolerance
        (TRUTH + np.roll(NOISE, 1), "inconclusive"),  # as good, with other errors
    ],
)
def test_verdicts(ours: Any, expected: str) -> None:
    assert verdict(ours, TRUTH + NOISE) == expected


def test_a_loss_that_few_rows_cannot_tell_from_chance_is_inconclusive() -> None:
    random = np.random.default_rng(1)
    few = TRUTH[:12]
    ours, theirs = few + random.normal(0, 1.2, 12), few + random.normal(0, 1.0, 12)
    found = judge(CONFIG, Answers(few, ours), Answers(few, theirs), "1")
    assert found.difference is not None and found.interval is not None
    assert found.difference < -0.05 and found.interval[1] > 0
    assert found.verdict == "inconclusive"


def test_the_reason_tells_both_figures_and_the_tolerance() -> None:
    found = judge(CONFIG, Answers(TRUTH, TRUTH + 1.2 * NOISE), Answers(TRUTH, TRUTH + NOISE), "4")
    for said in ("rmse", "version 4", "lower is better", "worse by 20.0%", "5.0% tolerated", "excludes zero"):
        assert said in found.reason


def test_higher_is_better_turns_the_sign() -> None:
    config = msgspec.structs.replace(
        CONFIG, task="classification", metric=Metric(name="accuracy", direction="higher", tolerance=0.0)
    )
    truth = np.array(["a", "b"] * 500, dtype=object)
    wrong = np.where(RANDOM.random(1000) < 0.2, "c", truth).astype(object)
    assert judge(config, Answers(truth, truth), Answers(truth, wrong), "1").verdict == "better"
    assert judge(config, Answers(truth, wrong), Answers(truth, truth), "1").verdict == "worse"


def test_other_probabilities_with_the_same_labels_are_not_equal() -> None:
    config = msgspec.structs.replace(
        CONFIG, task="classification", metric=Metric(name="log_loss", direction="lower", tolerance=0.0)
    )
    truth = np.array(["a", "b"] * 200, dtype=object)
    sure = np.where(truth[:, None] == np.array(["a", "b"], dtype=object), 0.9, 0.1)
    timid = np.where(truth[:, None] == np.array(["a", "b"], dtype=object), 0.6, 0.4)
    ours, theirs = (Answers(truth, truth, chances, ("a", "b")) for chances in (timid, sure))
    assert judge(config, ours, theirs, "1").verdict == "worse"
    assert judge(config, ours, ours, "1").verdict == "equal"


@pytest.mark.parametrize("name", ["rmse", "mae", "r2"])
def test_the_interval_is_that_of_a_bootstrap_done_row_by_row(name: str) -> None:
    metric = METRICS["regression"][name]
    rows = 150
    ours, theirs = Answers(TRUTH[:rows], TRUTH[:rows] + NOISE[:rows]), Answers(TRUTH[:rows], TRUTH[:rows] * 0.9)
    low, high = paired_interval(metric, metric.rows(ours), metric.rows(theirs), 1.0, seed=2)
    random, drawn = np.random.default_rng(99), []
    for _ in range(4000):
        chosen = random.integers(0, rows, rows)
        one, other = (
            metric.reduce(metric.rows(each)[chosen].mean(axis=0)) for each in (ours, theirs)
        )
        drawn.append(one - other)
    wanted = np.percentile(drawn, [2.5, 97.5])
    assert [low, high] == pytest.approx(wanted, abs=0.15 * (wanted[1] - wanted[0]))


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    metric, covered = METRICS["regression"]["mae"], 0
    for trial in range(200):
        random = np.random.default_rng(trial)
        one, other = random.normal(0, 1, (100, 1)) ** 2, random.normal(0, 1, (100, 1)) ** 2 + 0.3
        low, high = paired_interval(metric, one, other, 1.0, seed=trial)
        covered += low <= -0.3 <= high
    assert 0.89 <= covered / 200 <= 0.99


def test_the_same_seed_gives_the_same_interval_whatever_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    metric = METRICS["regression"]["rmse"]
    rows = metric.rows(Answers(TRUTH[:100], TRUTH[:100] + NOISE[:100]))
    whole = paired_interval(metric, rows, rows * 1.1, -1.0, seed=3)
    monkeypatch.setattr("mlops.training.comparison._CELLS", 100 * (DRAWS // 7))
    assert paired_interval(metric, rows, rows * 1.1, -1.0, seed=3) == whole


def test_a_floor_is_a_bound_in_the_direction_of_its_metric() -> None:
    assert below_floor(CONFIG, {"r2": 0.6, "mae": 9.0}) is None
    assert "at least 0.5" in (below_floor(CONFIG, {"r2": 0.4, "mae": 9.0}) or "")
    assert "at most 10" in (below_floor(CONFIG, {"r2": 0.6, "mae": 11.0}) or "")
    assert "no value" in (below_floor(CONFIG, {"r2": 0.6}) or "")
