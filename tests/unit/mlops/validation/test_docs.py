"""Data Docs: a page that needs no other host and that no value of the data can break out of."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mlops.errors import ConfigurationError
from mlops.validation import read_suite, validate, write_site

EVIL = "<img src=x onerror=alert(1)> $foo ${bar} $$"


@pytest.fixture
def document(tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "suite.json"
    path.write_text(json.dumps({"name": "words", "expectations": [
        {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "word", "value_set": ["<1H OCEAN"]}},
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "absent"}},
        {"type": "expect_column_mean_to_be_between", "kwargs": {"column": "n", "min_value": 0, "max_value": 9}},
        {"type": "expect_table_row_count_to_equal", "kwargs": {"value": 3}},
    ]}))
    table = pl.DataFrame({"word": ["<1H OCEAN", EVIL, "b"], "n": [1.0, 2.5, 3.25]})
    return validate(read_suite(path), table).document


def page(tmp_path: Path, document: dict[str, Any], **options: Any) -> str:
    settings = {"title": "Words & more", "notes": ["from <a>"], "simulated": False, **options}
    return write_site(tmp_path / "site", document, **settings).read_text(encoding="utf-8")


def test_the_page_shows_the_result(tmp_path: Path, document: dict[str, Any]) -> None:
    text = page(tmp_path, document)
    assert "Words &amp; more" in text and "is broken" in text and "from &lt;a&gt;" in text
    assert "values must belong to this set" in text and "1H OCEAN" in text and "2.25" in text


def test_nothing_is_loaded_from_elsewhere_and_nothing_runs(tmp_path: Path, document: dict[str, Any]) -> None:
    text = page(tmp_path, document)
    assert not re.search(r"https?:|\burl\(|<script|<link|@import|<[a-z][^>]*\bsrc\s*=", text, re.IGNORECASE)
    assert all(target.startswith("#") for target in re.findall(r"\bhref\s*=\s*[\"']([^\"']*)", text))
    assert "default-src 'none'" in text


def test_a_value_of_the_data_stays_a_value(tmp_path: Path, document: dict[str, Any]) -> None:
    text = page(tmp_path, document)
    assert "<img" not in text and "$foo" in text


def test_simulated_data_is_labelled(tmp_path: Path, document: dict[str, Any]) -> None:
    assert "Simulated data" in page(tmp_path, document, simulated=True)
    assert "Simulated data" not in page(tmp_path, document, simulated=False)


def test_writing_again_replaces_the_page(tmp_path: Path, document: dict[str, Any]) -> None:
    page(tmp_path, document, title="First")
    text = page(tmp_path, document, title="Second")
    assert "Second" in text and "First" not in text
    assert [path.name for path in (tmp_path / "site").iterdir()] == ["index.html"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, document: dict[str, Any]) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigurationError) as caught:
        write_site(tmp_path / "file" / "site", document, title="t", notes=[], simulated=False)
    assert "site" in str(caught.value)
