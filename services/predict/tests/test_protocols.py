from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Client
from tests.making import HOUSE

NAMES = list(HOUSE)
VALUES = list(HOUSE.values())


def invoke(client: Client, document: Any, query: str = "?model=houses", **options: Any) -> Any:
    return client.ask("POST", f"/invocations{query}", json=document, **options)


@pytest.mark.parametrize(
    "document",
    [
        {"dataframe_split": {"columns": NAMES, "data": [VALUES, VALUES]}},
        {"dataframe_split": {"index": [5, 6], "columns": [*NAMES, "more"], "data": [[*VALUES, 1], [*VALUES, 1]]}},
        {"dataframe_records": [HOUSE, HOUSE | {"unknown to the model": 1}]},
        {"instances": [HOUSE, HOUSE]},
        {"instances": [VALUES, VALUES]},
        {"inputs": {name: [value, value] for name, value in HOUSE.items()}},
        {"inputs": {name: [[value], [value]] for name, value in HOUSE.items()}},
        {"inputs": [HOUSE, HOUSE], "params": {}},
    ],
)
def test_every_form_of_mlflows_protocol(client: Client, document: Any) -> None:
    answer = invoke(client, document)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"predictions": [1023.0, 1023.0]}
    assert (answer.headers["x-model"], answer.headers["x-model-version"]) == ("houses", "3")
    assert answer.headers["x-request-id"]


def test_a_csv(client: Client) -> None:
    text = '\ufeffsize,age,rooms,where\r\n2.0,,3,"INLAND"\r\n2,1e1,3.0,ISLAND\r\n'
    headers = {"content-type": "text/csv"}
    answer = client.ask("POST", "/invocations?model=houses", content=text.encode(), headers=headers)
    assert answer.json() == {"predictions": [1023.0, 23.5]}


def test_labels_of_a_classifier(client: Client) -> None:
    assert invoke(client, {"instances": [{"radius": 3.0}]}, "?model=lab").json() == {"predictions": ["malignant"]}


def test_the_model_by_header_or_because_it_is_the_only_one(client: Client, serve: Callable[..., Client]) -> None:
    document = {"dataframe_records": [HOUSE]}
    assert invoke(client, document, "", headers={"X-Model": "houses"}).json() == {"predictions": [1023.0]}
    assert invoke(serve("houses"), document, "").json() == {"predictions": [1023.0]}
    answer = invoke(client, document, "")
    assert answer.status_code == 404 and "?model=" in answer.json()["message"]
    assert "houses, lab, slow" in invoke(client, document, "?model=nobody").json()["message"]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "exactly one of"), ([], "exactly one of"), ({"instances": [HOUSE], "inputs": [HOUSE]}, "exactly one of"),
        ({"dataframe_split": [1]}, "columns"), ({"dataframe_split": {"columns": NAMES, "data": [[1]]}}, "row 0"),
        ({"dataframe_split": {"columns": ["size", "size"], "data": []}}, "twice"),
        ({"dataframe_records": 5}, "list"), ({"dataframe_records": [VALUES]}, "row 0"), ({"instances": [[1]]}, "row 0"),
        ({"inputs": {"size": [1], "age": [1, 2]}}, "length"), ({"inputs": {"size": 5}}, "list"),
        ({"dataframe_records": []}, "at least one row"),
        ({"dataframe_records": [HOUSE, HOUSE | {"size": "x"}]}, "row 1, column 'size'"),
        ({"dataframe_records": [{}]}, "column 'size': is missing"),
    ],
)
def test_an_error_is_mlflows_400(client: Client, document: Any, said: str) -> None:
    answer = invoke(client, document)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error_code"] == "BAD_REQUEST"
    assert said in answer.json()["message"]


@pytest.mark.parametrize(
    ("content", "content_type"),
    [(b"{", "application/json"), (b"\xff", "application/json"), (b"size\n1,2\n", "text/csv"), (b"\xff", "text/csv"),
     (b'"', "text/csv"), (b"a,a\n1,2", "text/csv"), (b"", "text/csv"), (b"{}", "text/plain")],
)
def test_what_is_no_body_of_the_protocol_is_400_too(client: Client, content: bytes, content_type: str) -> None:
    answer = client.ask(
        "POST", "/invocations?model=houses", content=content, headers={"content-type": content_type}
    )
    assert (answer.status_code, answer.json()["error_code"]) == (400, "BAD_REQUEST")


def test_limits_hold_for_both_protocols(client: Client) -> None:
    assert invoke(client, {"dataframe_records": [HOUSE] * 51}).status_code == 413
    assert client.ask("POST", "/invocations?model=houses", content=b" " * 100_001).status_code == 413
    tensor = {"name": "radius", "shape": [51], "datatype": "FP64", "data": [1.0] * 51}
    assert infer(client, {"inputs": [tensor]}, "lab").status_code == 413
    assert client.ask("POST", "/v2/models/lab/infer", content=b" " * 100_001).status_code == 413


def infer(client: Client, document: Any, model: str = "houses") -> Any:
    return client.ask("POST", f"/v2/models/{model}/infer", content=json.dumps(document))


def tensors(rows: int = 2, **changes: Any) -> list[dict[str, Any]]:
    kinds = {"size": "FP64", "age": "FP32", "rooms": "INT64", "where": "BYTES"}
    return [
        {"name": name, "shape": [rows], "datatype": kinds[name], "data": [value] * rows} | changes.get(name, {})
        for name, value in HOUSE.items()
    ]


def test_the_open_inference_protocol(client: Client) -> None:
    answer = infer(client, {"id": "42", "inputs": tensors(size={"shape": [2, 1], "data": [[2.0], [4.0]]})})
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "model_name": "houses", "model_version": "3", "id": "42",
        "outputs": [{"name": "predictions", "datatype": "FP64", "shape": [2], "data": [1023.0, 1043.0]}],
    }


def test_a_classifiers_outputs(client: Client) -> None:
    tensor = {"name": "radius", "shape": [2, 1], "datatype": "FP64", "data": [0.0, 50.0]}
    outputs = {each["name"]: each for each in infer(client, {"inputs": [tensor]}, "lab").json()["outputs"]}
    assert outputs["predictions"]["data"] == ["benign", "malignant"]
    assert (outputs["probabilities"]["shape"], outputs["probabilities"]["data"][:2]) == ([2, 2], [0.5, 0.5])
    assert outputs["confidence"]["data"] == [0.5, 1.0]
    wanted = infer(client, {"inputs": [tensor], "outputs": [{"name": "confidence"}]}, "lab").json()["outputs"]
    assert [each["name"] for each in wanted] == ["confidence"]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "inputs"), ([], "inputs"), ({"inputs": []}, "inputs"), ({"inputs": [5]}, "inputs"),
        ({"inputs": tensors(), "id": 5}, "id"), ({"inputs": tensors(size={"name": "x"})}, "'x' is no input"),
        ({"inputs": tensors(size={"name": None})}, "no input"), ({"inputs": tensors() * 2}, "twice"),
        ({"inputs": tensors(size={"datatype": "BYTES"})}, "FP64"),
        ({"inputs": tensors(size={"shape": [3]})}, "2 values"),
        ({"inputs": tensors(size={"shape": [1, 2]})}, "shape"), ({"inputs": tensors(size={"shape": True})}, "shape"),
        ({"inputs": tensors(size={"data": 5})}, "data"), ({"inputs": tensors()[1:]}, "column 'size': is missing"),
        ({"inputs": tensors(size={"datatype": ["FP64"]})}, "FP64"),
        ({"inputs": tensors(size={"shape": [1], "data": [1.0]})}, "same number"),
        ({"inputs": tensors(size={"data": [None, 2.0]})}, "row 0, column 'size'"),
        ({"inputs": tensors(), "outputs": [{"name": "x"}]}, "predictions"),
        ({"inputs": tensors(), "outputs": 5}, "predictions"),
        ({"inputs": tensors(), "outputs": [{"name": []}]}, "pred"),
        ({"inputs": tensors(0)}, "at least one row"),
    ],
)
def test_an_error_is_the_protocols_400(client: Client, document: Any, said: str) -> None:
    answer = infer(client, document)
    assert answer.status_code == 400, answer.text
    assert said in answer.json()["error"]


def test_only_the_served_version_is_there(client: Client) -> None:
    body = {"inputs": tensors()}
    assert client.ask("POST", "/v2/models/houses/versions/3/infer", json=body).status_code == 200
    for path in ("/v2/models/houses/versions/2/infer", "/v2/models/nobody/infer"):
        answer = client.ask("POST", path, json=body)
        assert answer.status_code == 404 and "houses version 3" in answer.json()["error"]
    assert client.ask("GET", "/v2/models/houses/versions/3/ready").json() == {"name": "houses", "ready": True}
    assert client.ask("GET", "/v2/models/nobody/ready").status_code == 404


def test_a_model_says_what_it_takes_and_gives(client: Client) -> None:
    document = client.ask("GET", "/v2/models/houses").json()
    assert (document["name"], document["versions"], document["platform"]) == ("houses", ["3"], "onnx_runtime")
    assert [(each["name"], each["datatype"]) for each in document["inputs"]] == [
        ("size", "FP64"), ("age", "FP64"), ("rooms", "INT64"), ("where", "BYTES"),
    ]
    assert document["inputs"][1]["parameters"]["nullable"] is True
    assert document["inputs"][3]["parameters"]["categories"] == ["INLAND", "ISLAND"]
    assert document["parameters"]["simulated"] is True
    assert client.ask("GET", "/v2/models/nobody").status_code == 404
    assert client.ask("GET", "/v2/health/live").json() == {"live": True}
    assert client.ask("GET", "/v2/health/ready").json() == {"ready": True}
    assert client.ask("GET", "/v2").json()["name"]
