"""A suite's file is refused before it can be green for the wrong reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlops.errors import ConfigurationError, MissingInputError
from mlops.validation import read_suite

GOOD = {"type": "expect_column_to_exist", "kwargs": {"column": "a"}}


def write(folder: Path, content: object) -> Path:
    path = folder / "suite.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
    return path


def test_a_suite_keeps_its_order_and_knows_its_lines(tmp_path: Path) -> None:
    path = write(tmp_path, {"name": "n", "expectations": [GOOD, {**GOOD, "type": "expect_other"}]})
    suite = read_suite(path)
    assert [each["type"] for each in suite.expectations] == ["expect_column_to_exist", "expect_other"]
    line = int(suite.where(1).rpartition(":")[2])
    assert "expect_other" in path.read_text().splitlines()[line - 1]


def test_the_checksum_is_the_files(tmp_path: Path) -> None:
    first = read_suite(write(tmp_path, {"expectations": [GOOD]})).sha256
    assert first.startswith("sha256:")
    assert read_suite(write(tmp_path, {"expectations": [GOOD, GOOD]})).sha256 != first


@pytest.mark.parametrize(("content", "said"), [
    ("{", "not valid JSON"),
    ("[]", "no expectation"),
    ({"expectations": []}, "no expectation"),
    ({"expectations": {}}, "no expectation"),
    ({"expectation": [GOOD]}, "no expectation"),
    ({"expectations": ["expect_column_to_exist"]}, 'no object with a "type"'),
    ({"expectations": [GOOD, {"type": "x"}]}, 'no "kwargs"'),
    ({"expectations": [{"type": "x", "kwargs": {"mostly": 0}}]}, "mostly"),
    ({"expectations": [{"type": "x", "kwargs": {"mostly": 1.5}}]}, "mostly"),
    ({"expectations": [{"type": "x", "kwargs": {"mostly": True}}]}, "mostly"),
    ('{"expectations": [{"type": "x", "kwargs": {"min_value": 1, "min_value": 2}}]}', "twice"),
    (b"\xff\xfe".decode("latin1"), "not valid JSON"),
])
def test_a_suite_that_could_hide_bad_data_is_refused(tmp_path: Path, content: object, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_suite(write(tmp_path, content))
    assert said in caught.value.message
    assert "suite.json" in (caught.value.where or "")
    assert caught.value.mend


def test_a_missing_suite_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError) as caught:
        read_suite(tmp_path / "absent.json")
    assert "absent.json" in str(caught.value)
