"""What a data set's file says of its source is checked as a whole; what is wrong is named with file, line and field."""

from __future__ import annotations

from typing import Any

import pytest

from mlops.errors import ConfigurationError

OLD = "source: data/raw/people.csv"


@pytest.mark.parametrize(("new", "line", "said"), [
    ("source: {path: x.csv, delimter: ';'}", 2, "'source.delimter': Object contains unknown field `delimter`, did you "
     "mean 'delimiter'?"),
    ("source: {path: x.csv, paths: [y.csv]}", 2, "needs one of path, paths and database, it has path and paths"),
    ("source: {encoding: utf-8}", 2, "it has none"),
    ("source: {database: 'sqlite:///x.db'}", 2, "database and query belong together"),
    ("source: {path: x.csv, query: SELECT 1}", 2, "database and query belong together"),
    ("source:\n  path: x.csv\n  delimiter: ';;'", 4, "';;' is not one ASCII character"),
    ("source:\n  path: x.csv\n  comment: '§'", 4, "not one ASCII character"),
    ("source: {path: x.csv, decimal: ',', thousands: ','}", 2, "'source.thousands': is the decimal mark"),
    ("source: {path: x.csv, decimal: ';'}", 2, "'source.decimal': Invalid enum value ';'"),
    ("source:\n  path: x.csv\n  encoding: utf-9", 4, "'utf-9' is no encoding"),
    ("source: {path: x.csv, sha256: abc}", 2, "is not 64 hexadecimal digits"),
    ("source: {path: x.csv, format: excel}", 2, "'source.format': Invalid enum value 'excel'"),
    ("source: 7", 2, "'source': Expected `str | object`, got `int`"),
    (f"{OLD}\nquarantine: {{maximum_share: 1.5}}", 3, "1.5 is not a share"),
    (f"{OLD}\nquarantine: {{maximum: 0.5}}", 3, "unknown field `maximum`, did you mean 'maximum_share'?"),
    (f"{OLD}\nidentiy: rows", 3, "did you mean 'identity'?"),
])
def test_a_wrong_source_is_named(change: Any, new: str, line: int, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        change(OLD, new)
    assert said in caught.value.message and (caught.value.where or "").endswith(f"people.yaml:{line}")


@pytest.mark.parametrize(("old", "new", "line", "said"), [
    ("age: {type: integer}", "age: {type: integer, nulable: true}", 10, "'columns.age.nulable'"),
    ("age: {type: integer}", "age: {type: intger}", 10, "'columns.age.type': Invalid enum value 'intger'"),
    ("age: {type: integer}", "age: {type: integer, format: '%Y'}", 10, "is for a datetime"),
    ("target: wage", "target: wages", 6, "'wages' is not among the columns, did you mean 'wage'?"),
    ("missing: {height", "missing: {hight", 16, "did you mean 'height'?"),
])
def test_a_wrong_column_is_named(change: Any, old: str, new: str, line: int, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        change(old, new)
    assert said in caught.value.message and (caught.value.where or "").endswith(f"people.yaml:{line}")


def test_a_query_in_any_order_needs_rows_as_identity(change: Any) -> None:
    source = "source: {database: 'sqlite:///x.db', query: SELECT * FROM t}"
    change(OLD, source)
    with pytest.raises(ConfigurationError, match="no ORDER BY"):
        change("identity: rows", "identity: order")
    change("FROM t}", "FROM t ORDER  BY a}")


def test_what_is_asked_of_a_source(change: Any) -> None:
    dataset = change(OLD, "source: {database: 'postgresql://me:word@host/db', query: SELECT 1}\nquarantine: true")
    assert dataset.location == "postgresql://me:***@host/db"
    assert dataset.maximum_quarantined == 0.01 and not dataset.ordered
