"""Pages that need no other host, and show what the data says as text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from mlops.config import Workspace
from mlops.data_pipeline.drift_rules import ColumnRule, DriftRules
from mlops.drift import Sketch, compare
from mlops.drift.page import page
from mlops.drift.report import RECORD, write
from mlops.errors import ConfigurationError
from mlops.records import read
from mlops.records.drift import DriftReport

VOID = {"meta", "line", "rect", "wbr", "br"}


class Balanced(HTMLParser):
    """Fails on a tag that is not closed, and keeps what a browser would fetch or run."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("script", "link", "img", "iframe") or any(name in ("src", "href") or name.startswith("on")
                                                             for name, _ in attrs):
            self.loads.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def hostile_report() -> DriftReport:
    random = np.random.default_rng(1)
    names = ["<script>alert(1)</script>", "</title>", "&amp;\"'", "plain"]
    before = {"<b>x": random.normal(size=500), "c": random.choice(names[:3], 500), "gone</td>": [1.0] * 500}
    after = {"<b>x": random.normal(size=500) + 1, "c": random.choice(names, 500), "new<i>": [1.0] * 500}
    known = Sketch.of(before)
    rules = DriftRules(columns={"c": ColumnRule(severity="warn")})
    return compare(known, Sketch.of(after, like=known), rules, dataset="<people>", names=("<from>", "a&b"))


def test_the_page_is_whole_and_loads_nothing() -> None:
    text = page(hostile_report())
    parser = Balanced()
    parser.feed(text)
    assert parser.open == [] and parser.loads == []
    assert "http" not in re.sub(r"http-equiv", "", text) and "default-src 'none'" in text
    assert "<script" not in text and "&lt;script&gt;" in text and "light-dark(" in text
    assert "1 of 3 columns" not in text and "Missing: gone&lt;/td&gt;" in text and "new&lt;i&gt;" in text


def test_a_page_for_nothing_and_for_many_columns() -> None:
    empty = Sketch.of({"x": [1.0]})
    assert "unjudged" in page(compare(empty, Sketch.of({"x": [1.0]}, like=empty)))
    wide = {f"column{n}": [float(n), n + 1.0, n + 2.0] * 100 for n in range(70)}
    known = Sketch.of(wide)
    text = page(compare(known, Sketch.of(wide, like=known)))
    assert "The other 10 columns" in text and text.count("<section") == 60 and "column69" in text


def test_record_and_page_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    places, report = Workspace(tmp_path), hostile_report()
    written = write(places, report)
    assert written.report is not None and written.report.startswith(".mlops/reports/drift/")
    folder = (tmp_path / written.report).parent
    assert sorted(path.name for path in folder.iterdir()) == ["drift.json", "index.html"]
    assert read(DriftReport, folder / RECORD) == written
    assert write(places, report) == written  # the same sides: the same place
    places.reports = tmp_path / "file"
    places.reports.write_text("")
    with pytest.raises(ConfigurationError):
        write(places, report)
