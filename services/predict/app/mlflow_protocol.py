"""`POST /invocations`: MLflow's scoring protocol.

https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally/#local-inference-server-spec
Exactly one of `dataframe_split`, `dataframe_records`, `instances`, `inputs`, or a CSV. As there, a
column that the model does not know is left out, and an error is 400 with `error_code` and `message`.
"""

from __future__ import annotations

import csv
import io
from typing import Any

from mlops.serving import BundleManifest, Input, InvalidRowsError
from mlops.serving.inputs import parse_json

FORMATS = ("dataframe_split", "dataframe_records", "instances", "inputs")


class BadRequest(Exception):
    """The body is none of the protocol's forms."""


def rows_of(body: bytes, content_type: bytes, manifest: BundleManifest) -> list[dict[str, Any]]:
    """The rows in `body`, each with the model's columns only.

    Raises:
        BadRequest: it has none of the protocol's forms.
        InvalidRowsError: it is not JSON.
    """
    kind = content_type.partition(b";")[0].strip().lower()
    if kind == b"text/csv":
        rows = _from_csv(body, manifest)
    elif kind in (b"application/json", b""):
        rows = _from_json(body, manifest)
    else:
        raise BadRequest("content-type: send application/json or text/csv")
    names = {column.name for column in manifest.inputs}
    return [{name: value for name, value in row.items() if name in names} for row in rows]


def _from_json(body: bytes, manifest: BundleManifest) -> list[dict[str, Any]]:
    document = parse_json(body)
    given = [name for name in FORMATS if isinstance(document, dict) and name in document]
    if len(given) != 1:
        raise BadRequest(f"the body must be an object with exactly one of {', '.join(FORMATS)}")
    value = document[given[0]]
    if given[0] == "dataframe_split":
        return _from_split(value)
    if given[0] == "inputs" and isinstance(value, dict):
        return _from_columns(value)
    return _from_list(given[0], value, [column.name for column in manifest.inputs])


def _from_split(value: Any) -> list[dict[str, Any]]:
    columns, data = (value.get("columns"), value.get("data")) if isinstance(value, dict) else (None, None)
    if not isinstance(columns, list) or not isinstance(data, list) or not all(isinstance(c, str) for c in columns):
        raise BadRequest("dataframe_split must hold columns (a list of names) and data (a list of lists)")
    if len(set(columns)) < len(columns):
        raise BadRequest("dataframe_split: a column stands twice")
    for index, row in enumerate(data):
        if not isinstance(row, list) or len(row) != len(columns):
            raise BadRequest(f"dataframe_split: row {index} of data must be a list of {len(columns)} values")
    return [dict(zip(columns, row, strict=True)) for row in data]


def _from_columns(value: dict[str, Any]) -> list[dict[str, Any]]:
    lengths = {len(column) if isinstance(column, list) else -1 for column in value.values()}
    if len(lengths) != 1 or -1 in lengths:
        raise BadRequest("inputs: every column must be a list, all of the same length")
    return [dict(zip(value, row, strict=True)) for row in zip(*map(_flat, value.values()), strict=True)]


def _flat(column: list[Any]) -> list[Any]:
    """A column of shape [n, 1] as one of shape [n]."""
    return [item[0] if isinstance(item, list) and len(item) == 1 else item for item in column]


def _from_list(form: str, value: Any, names: list[str]) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise BadRequest(f"{form} must be a list of rows")
    rows = []
    for index, row in enumerate(value):
        if isinstance(row, list) and form != "dataframe_records" and len(row) == len(names):
            row = dict(zip(names, row, strict=True))
        if not isinstance(row, dict):
            raise BadRequest(f"{form}: row {index} must be an object with the columns {', '.join(names)}")
        rows.append(row)
    return rows


def _from_csv(body: bytes, manifest: BundleManifest) -> list[dict[str, Any]]:
    columns = {column.name: column for column in manifest.inputs}
    try:
        reader = csv.reader(io.StringIO(body.decode("utf-8-sig")), strict=True)
        header, *lines = [line for line in reader if line] or [[]]
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadRequest(f"the body is no CSV: {error}") from error
    if len(set(header)) < len(header):
        raise BadRequest("the CSV's header has a column twice")
    for index, line in enumerate(lines):
        if len(line) != len(header):
            raise BadRequest(f"row {index} of the CSV has {len(line)} fields, its header {len(header)}")
    return [
        {name: _from_text(columns[name], text) for name, text in zip(header, line, strict=True) if name in columns}
        for line in lines
    ]


def _from_text(column: Input, text: str) -> Any:
    """A CSV field as JSON would have it: nothing is null, what is no number stays a text and is refused as one."""
    if text == "":
        return None
    if column.type in ("float", "integer"):
        try:
            return float(text) if column.type == "float" else int(text)
        except ValueError:
            try:
                return float(text)
            except ValueError:
                return text
    if column.type == "boolean":
        return {"true": True, "false": False}.get(text.lower(), text)
    return text


def explain(error: InvalidRowsError) -> str:
    """The first problems in one text."""
    told = [
        f"row {problem.row}, column {problem.field!r}: {problem.message}" if problem.field
        else f"row {problem.row}: {problem.message}" if problem.row is not None else f"body: {problem.message}"
        for problem in error.problems
    ]
    more = error.count - len(told)
    return "; ".join(told) + (f"; and {more} more" if more else "")
