"""The first page: what it shows in each state, that it is safe, and that it needs no other host."""

from __future__ import annotations

import re
import shlex
from html.parser import HTMLParser
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from mlops import database
from tests.neighbour import MODELS, SHA, Neighbour

VOID = {"meta", "link", "br", "img", "input", "hr", "path"}


class Outline(HTMLParser):
    """Text, links and ids of a page; fails on an element that is closed wrongly."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.words: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(html)
        assert self.open == [], "an element is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.attributes += [(f"{tag} {name}", value) for name, value in attrs]
        self.links += [found["href"] or ""] if "href" in found else []
        self.ids += [found["id"] or ""] if "id" in found else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def look(client: TestClient) -> Outline:
    answer = client.get("/")
    assert answer.status_code == 200
    return Outline(answer.text)


def test_an_empty_database_says_what_to_run(client: TestClient, neighbour: Neighbour) -> None:
    neighbour.says(503, {"ready": False, "problems": ["no list of models yet"]})
    text = look(client).text
    assert "Nothing is released yet" in text and "make run" in text and "no list of models yet" in text


@pytest.mark.usefixtures("walked")
def test_what_is_served_and_what_it_is_tied_to(client: TestClient) -> None:
    page = look(client)
    for shown in ("Serving 1 model", "housing", "version 3", "simulated data", "48,123", "0.8312",
                  "1,000 held-out rows",
                  "200 rows of housing agree",
                  "fingerprint abababababab, simulated, rows 5,000", "r7",
                  "c0ffee000", "beef00000", "ababababab", "121212121",
                  "21 of 21 expectations hold", "reports/data_docs/census/index.html", "4 % of rows are capped",
                  "quality 0.97", "data/process/census", "data/validate/census failed", "it never ran here"):
        assert shown in page.text, shown
    assert "http://predict.example:8001/docs" in page.links
    assert {"/docs", "/metrics", "/api/releases/r7", "/api/runs"} <= set(page.links)


@pytest.mark.usefixtures("walked")
def test_without_an_example_there_is_no_line_to_try(client: TestClient) -> None:
    assert not [word for word in look(client).words if word.startswith("curl")]


def test_the_line_to_try_is_the_releases_own_example_as_a_shell_reads_it(client: TestClient, walked: str) -> None:
    (row,) = database.rows(walked, "releases")
    row["document"]["example"] = {"model": "housing", "rows": [{"name": "it's <b>"}]}
    database.add(walked, "releases", row)
    words = shlex.split(next(word for word in look(client).words if word.startswith("curl")))
    assert words[2] == "http://predict.example:8001/predict"
    assert words[-1] == '{"model": "housing", "rows": [{"name": "it\'s <b>"}]}'


@pytest.mark.usefixtures("walked")
def test_what_came_from_outside_is_text(client: TestClient) -> None:
    html = client.get("/").text
    assert "&lt;b&gt;the suite&lt;/b&gt;" in html and "<b>the suite" not in html


@pytest.mark.usefixtures("walked")
def test_another_version_than_released_is_told(client: TestClient, neighbour: Neighbour) -> None:
    neighbour.says(200, {"ready": True, "models": {"housing": {**MODELS["housing"], "version": "2"}}})
    text = look(client).text
    assert "Predict serves other versions than the last release names" in text
    assert "version 2" in text and "released: 3" in text


@pytest.mark.usefixtures("walked")
def test_predict_is_down(client: TestClient, neighbour: Neighbour) -> None:
    neighbour.says(500, {})
    text = look(client).text
    assert "Predict is not ready" in text and "answers 500 at /ready" in text and "not served" in text


def test_a_model_that_no_release_names(client: TestClient, url: str, neighbour: Neighbour) -> None:
    database.migrate(url)
    neighbour.says(200, {"ready": True, "models": {"lab": {"version": "1", "sha256": SHA}}})
    text = look(client).text
    assert "lab" in text and "version 1" in text
    assert "Try it" not in text, "there is no line that would work"


def test_the_database_does_not_answer(tmp_path: Path, neighbour: Neighbour) -> None:
    (tmp_path / "broken.db").write_bytes(b"This is no database, and longer than a header. " * 30)
    page = look(TestClient(create_app(Settings(f"sqlite:///{tmp_path}/broken.db", neighbour.url))))
    assert "The database does not answer" in page.text and "restore it from a backup" in page.text
    assert "housing" in page.text, "what predict says is shown all the same"


def test_records_with_holes_do_not_break_it(client: TestClient, url: str) -> None:
    database.migrate(url)
    database.add(url, "runs", {"id": "x", "started": "2026-01-01T00:00:00Z", "document": {"receipts": [1, {}]}})
    database.add(url, "runs", {"id": "y", "started": "2026-01-01T00:00:00Z", "document": ["no", "object"]})
    database.add(url, "releases", {"id": "r1", "created": "2026-01-01T00:00:00Z"})
    database.add(url, "models", {"model": "housing", "version": "3", "created": "2026-01-01T00:00:00Z"})
    database.add(url, "data_versions", {"dataset": "d", "version": "v", "created": "2026-01-01T00:00:00Z"})
    assert "r1" in look(client).text


@pytest.mark.usefixtures("walked")
def test_nothing_comes_from_another_host_and_nothing_runs(client: TestClient) -> None:
    answer = client.get("/")
    page = Outline(answer.text)
    assert "<script" not in answer.text
    loading = ("src", "srcset", "data", "poster")
    fetched = [value or "" for name, value in page.attributes
               if name.split()[1] in loading or name == "link href"]
    assert all(value.startswith("data:") for value in fetched)
    assert "url(" not in answer.text and "@import" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.usefixtures("walked")
def test_it_can_be_read_without_eyes_and_mouse(client: TestClient) -> None:
    html = client.get("/").text
    page = Outline(html)
    assert html.startswith("<!doctype html>") and '<html lang="en">' in html
    assert len(page.ids) == len(set(page.ids))
    assert html.count("<table>") == html.count("<caption") > 0
    assert html.count("<th ") == html.count("<th scope=")
    assert [link for link in page.links if link.startswith("#") and link[1:] not in page.ids] == []
    levels = [int(level) for level in re.findall(r"<h([1-6])", html)]
    assert levels[0] == 1 and all(later - former <= 1 for former, later in zip(levels, levels[1:], strict=False))


def test_quick_to_make(client: TestClient, walked: str) -> None:
    import time

    receipts = [{"pipeline": "data", "step": "x", "outcome": "cached", "seconds": 0.1}] * 30
    for number in range(60):
        row = {"id": f"n{number}", "started": "2026-01-01T00:00:00Z", "document": {"receipts": receipts}}
        database.add(walked, "runs", row)
    client.get("/")
    started = time.process_time()  # a busy machine is no reason to fail
    client.get("/")
    assert time.process_time() - started < 0.5
