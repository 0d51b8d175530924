"""Asking `predict`: what it says, what it may not do to us, and that nobody waits for it."""

from __future__ import annotations

import socket
import time

import pytest

from app.predict import Predict
from tests.neighbour import MODELS, SHA, Neighbour


def test_a_ready_predict(neighbour: Neighbour) -> None:
    state = Predict(neighbour.url).state(5)
    assert (state["ready"], state["problems"], state["models"]) == (True, [], MODELS)
    assert state["asked"] is not None
    assert neighbour.asked == ["/ready"]


def test_its_problems_are_handed_on(neighbour: Neighbour) -> None:
    neighbour.says(503, {"ready": False, "problems": ["housing 3: its bundle has another checksum"]})
    state = Predict(neighbour.url).state(5)
    assert state["ready"] is False
    assert state["problems"] == ["housing 3: its bundle has another checksum"]


@pytest.mark.parametrize(("status", "body", "said"), [
    (404, {"detail": "Not Found"}, "answers 404"),
    (200, {"hello": "world"}, "is not predict"),
    (200, [1], "is not predict"),
    (200, b"<html>", "cannot be read"),
    (200, b"\xff\xfe", "cannot be read"),
])
def test_what_is_not_predict(neighbour: Neighbour, status: int, body: object, said: str) -> None:
    neighbour.says(status, body)
    state = Predict(neighbour.url).state(5)
    assert state["ready"] is False
    assert said in state["problems"][0]


def test_models_of_another_shape_are_left_out(neighbour: Neighbour) -> None:
    neighbour.says(200, {"ready": True, "models": {"a": "1", "b": {"version": "2", "sha256": SHA}}})
    assert list(Predict(neighbour.url).state(5)["models"]) == ["b"]
    neighbour.says(200, {"ready": True, "models": ["a"]})
    assert Predict(neighbour.url).state(5)["models"] == {}


def test_nobody_is_there() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))  # bound and not listening: refused
        state = Predict(f"http://127.0.0.1:{probe.getsockname()[1]}").state(5)
    assert state["ready"] is False
    assert "does not answer at http://127.0.0.1" in state["problems"][0]


def test_an_address_that_is_none() -> None:
    assert "does not answer at nowhere" in Predict("nowhere").state(5)["problems"][0]


def test_a_slow_one_keeps_nobody_waiting_and_is_asked_once(neighbour: Neighbour) -> None:
    neighbour.hold.clear()
    predict = Predict(neighbour.url, timeout=10, fresh=0)
    started = time.monotonic()
    states = [predict.state(0.05) for _ in range(3)]
    assert time.monotonic() - started < 2
    assert [state["ready"] for state in states] == [None] * 3
    assert len(neighbour.asked) == 1
    neighbour.hold.set()
    assert predict.state(5)["ready"] is True


def test_an_answer_is_kept_for_a_moment_and_then_asked_again(neighbour: Neighbour) -> None:
    kept = Predict(neighbour.url, fresh=60)
    assert [kept.state(5)["ready"] for _ in range(3)] == [True] * 3
    assert len(neighbour.asked) == 1
    eager = Predict(neighbour.url, fresh=0)
    assert eager.state(5)["ready"] is True
    neighbour.says(503, {"ready": False, "problems": ["gone"]})
    assert eager.state(5)["ready"] is False


def test_one_that_never_answers_is_given_up(neighbour: Neighbour) -> None:
    neighbour.hold.clear()
    state = Predict(neighbour.url, timeout=0.2).state(5)
    assert state["ready"] is False
    assert "timed out" in state["problems"][0]
