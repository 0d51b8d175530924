from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from app.models import Table
from tests.conftest import Client
from tests.making import HOUSE

JSON = {"content-type": "application/json"}


def details(answer: Any, status: int = 422) -> list[dict[str, Any]]:
    assert answer.status_code == status, answer.text
    document = answer.json()
    assert document["request_id"] == answer.headers["x-request-id"]
    found: list[dict[str, Any]] = document["detail"]
    return found


def test_a_regression_answers_numbers_in_the_order_of_the_rows(client: Client) -> None:
    rows = [HOUSE, HOUSE | {"age": 7.0, "where": "ISLAND"}, HOUSE | {"age": 7, "size": 1}]
    answer = client.predict(rows)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {
        "model": "houses", "version": "3", "predictions": [1023.0, 23.5, 13.0],
        "request_id": answer.headers["x-request-id"],
    }


def test_a_classifier_answers_labels_with_probabilities_and_confidence(client: Client) -> None:
    document = client.predict([{"radius": 2.0}, {"radius": -2.0}], "lab").json()
    assert document["predictions"] == ["malignant", "benign"]
    assert document["classes"] == ["benign", "malignant"]
    assert document["probabilities"][0] == pytest.approx([0.1192029, 0.8807971])
    assert document["confidence"] == pytest.approx([0.8807971, 0.8807971])


def test_a_model_that_could_not_be_exported_is_served_all_the_same(client: Client) -> None:
    assert client.predict([{"size": 2.5}], "slow").json()["predictions"] == [5.0]


def test_the_answer_is_the_bundles_own_to_the_bit(client: Client) -> None:
    rows = [HOUSE | {"size": 0.1 * index, "age": 1 / (index + 1)} for index in range(40)]
    own = client.app.models.table.slots["houses"].bundle.score(rows)
    assert client.predict(rows).json()["predictions"] == own.predictions


def test_a_nullable_column_may_be_left_out_and_an_unknown_category_is_the_pipelines_affair(client: Client) -> None:
    row = {name: value for name, value in HOUSE.items() if name != "age"} | {"where": "ON THE MOON"}
    assert client.predict([row]).json()["predictions"] == [1023.0]


@pytest.mark.parametrize(
    ("change", "field", "kind"),
    [
        ({"size": "large"}, "size", "type"), ({"size": None}, "size", "null"), ({"size": True}, "size", "type"),
        ({"rooms": 2.5}, "rooms", "type"), ({"where": 5}, "where", "type"), ({"colour": "red"}, "colour", "unknown"),
    ],
)
def test_a_wrong_value_is_422_with_row_and_field(client: Client, change: dict[str, Any], field: str, kind: str) -> None:
    [problem] = details(client.predict([HOUSE, HOUSE | change]))
    assert problem["loc"] == ["body", "rows", 1, field]
    assert (problem["row"], problem["field"], problem["type"]) == (1, field, kind)
    assert problem["msg"]


def test_all_problems_are_told_at_once_up_to_a_bound(client: Client) -> None:
    answer = client.predict([{}, {"size": 1}])
    assert [each["field"] for each in details(answer)] == ["size", "rooms", "where", "rooms", "where"]
    assert client.predict([{}] * 40).json()["count"] == 120
    assert len(client.predict([{}] * 40).json()["detail"]) == 20


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_number_that_is_not_finite_names_its_row_and_field(client: Client, number: str) -> None:
    content = json.dumps({"model": "houses", "rows": [HOUSE, HOUSE]})[::-1].replace("0.2", number[::-1], 1)[::-1]
    [problem] = details(client.ask("POST", "/predict", content=content, headers=JSON))
    assert (problem["row"], problem["field"], problem["type"]) == (1, "size", "finite")


@pytest.mark.parametrize(
    ("content", "location"),
    [
        (b"", ["body"]), (b"{", ["body"]), (b"\xff\xfe{}", ["body"]), (b'{"model": "houses", "rows": [}', ["body"]),
        (b"[" * 90_000, ["body"]), (b"[]", ["body"]), (b"null", ["body"]), (b"{}", ["body", "model"]),
        (b'{"model": "houses"}', ["body", "rows"]), (b'{"rows": []}', ["body", "model"]),
        (b'{"model": 3, "rows": []}', ["body", "model"]), (b'{"model": "houses", "rows": 3}', ["body", "rows"]),
        (b'{"model": "houses", "rows": []}', ["body", "rows"]),
        (b'{"model": "houses", "rows": [5]}', ["body", "rows", 0]),
        (b'{"model": "houses", "rows": [{"\\ud800": 1}]}', ["body", "rows", 0, "size"]),
        (b'{"model": "houses", "rows": [{"size": "\xc3\x28"}]}', ["body"]),
    ],
)
def test_what_is_no_request_is_422_and_never_500(client: Client, content: bytes, location: list[Any]) -> None:
    assert details(client.ask("POST", "/predict", content=content, headers=JSON))[0]["loc"] == location


@pytest.mark.parametrize("name", ["nobody", "", "houses\0", "\ud800", "x" * 10_000])
def test_an_unknown_model_is_404_with_those_that_are_served(client: Client, name: str) -> None:
    answer = client.ask("POST", "/predict", content=json.dumps({"model": name, "rows": [HOUSE]}), headers=JSON)
    assert details(answer, 404)[0]["field"] == "model"
    assert answer.json()["models"] == ["houses", "lab", "slow"]


def test_too_many_rows_are_413(client: Client) -> None:
    assert client.predict([HOUSE] * 50).status_code == 200
    assert "50" in details(client.predict([HOUSE] * 51), 413)[0]["msg"]


def test_too_large_a_body_is_413_before_all_of_it_is_read(client: Client) -> None:
    padded = json.dumps({"model": "houses", "rows": [HOUSE]}).encode() + b" " * 100_000
    answer = client.ask("POST", "/predict", content=padded, headers=JSON)
    assert details(answer, 413)[0]["type"] == "too_large"
    taken = 0

    async def endless() -> dict[str, Any]:
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": b" " * 60_000, "more_body": True}

    statuses = []

    async def send(message: dict[str, Any]) -> None:
        statuses.append(message.get("status"))

    scope = {"type": "http", "path": "/predict", "method": "POST", "headers": []}
    asyncio.run(client.app(scope, endless, send))
    assert statuses[0] == 413 and taken == 2


def test_a_body_may_come_in_pieces_and_a_client_may_go_away(client: Client) -> None:
    content = json.dumps({"model": "houses", "rows": [HOUSE]}).encode()
    scope = {"type": "http", "path": "/predict", "method": "POST", "headers": []}

    def asked(messages: list[dict[str, Any]]) -> list[Any]:
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return messages.pop(0)

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        asyncio.run(client.app(scope, receive, send))
        return sent

    parts = [content[at:at + 7] for at in range(0, len(content), 7)]
    pieces = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    end = {"type": "http.request", "body": b"", "more_body": False}
    assert json.loads(asked([*pieces, end])[1]["body"])["predictions"] == [1023.0]
    assert asked([*pieces[:2], {"type": "http.disconnect"}]) == []


@pytest.mark.parametrize(
    ("content_type", "status"),
    [("application/json; charset=utf-8", 200), ("Application/JSON", 200), ("application/vnd.x+json", 200), (None, 200),
     ("text/plain", 415), ("application/x-www-form-urlencoded", 415), ("application/jsonx", 415)],
)
def test_the_content_type_must_be_json(client: Client, content_type: str | None, status: int) -> None:
    content = json.dumps({"model": "houses", "rows": [HOUSE]}).encode()
    headers = {"content-type": content_type} if content_type else {}
    answer = client.ask("POST", "/predict", content=content, headers=headers)
    assert answer.status_code == status
    if status == 415:
        assert "application/json" in answer.json()["detail"][0]["msg"]


def test_other_methods_are_405(client: Client) -> None:
    answer = client.ask("GET", "/predict")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_a_clients_request_id_is_taken_over_and_else_one_is_made(client: Client) -> None:
    assert client.predict([HOUSE], headers={"X-Request-ID": "abc-1.2"}).json()["request_id"] == "abc-1.2"
    made = [client.predict([HOUSE]).json()["request_id"] for _ in range(3)]
    assert len(set(made)) == 3
    for odd in ("x" * 129, 'a"b', "a b", "é".encode()):
        answer = client.predict([HOUSE], headers={"X-Request-ID": odd})
        assert answer.json()["request_id"] == answer.headers["x-request-id"] not in (odd, "")


def test_a_model_that_fails_is_500_without_its_secrets(client: Client) -> None:
    def fail(_: Any) -> None:
        raise RuntimeError("secret")

    slots = client.app.models.table.slots
    client.app.models.table = Table({**slots, "houses": replace(slots["houses"], score=fail)})
    answer = client.predict([HOUSE])
    assert answer.status_code == 500 and "secret" not in answer.text
    assert client.metric('predict_requests_total{code="500",model="houses",version="3"}') == 1


def test_requests_and_rows_are_counted(client: Client) -> None:
    client.predict([HOUSE] * 5)
    client.predict([{}])
    client.predict([HOUSE], "nobody")
    labels = 'model="houses",version="3"'
    assert client.metric(f'predict_requests_total{{code="200",{labels}}}') == 1
    assert client.metric(f'predict_requests_total{{code="422",{labels}}}') == 1
    assert client.metric('predict_requests_total{code="404",model="",version=""}') == 1
    assert client.metric(f"predict_rows_total{{{labels}}}") == 5
    assert client.metric(f'predict_latency_seconds_bucket{{le="+Inf",{labels}}}') == 1
    assert 0 < client.metric(f"predict_latency_seconds_sum{{{labels}}}") < 5
