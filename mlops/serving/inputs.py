"""Rows in: decoded and checked at once in C where they are right, field by field where they are not.

`RowReader` has two ways to the same answer. The fast one is a msgspec struct made for the model's
columns; it takes what is plainly right. What it does not take goes through `_check_row`, which is
the authority: it takes the rest that is right (a nullable column left out of a Python row, 880.0 for
an integer) and names every row and field that is wrong.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import msgspec

from mlops.errors import InvalidRecordError
from mlops.serving.manifest import Input

Row = tuple[Any, ...]
"""A row's values in the order of the reader's columns; None where null."""

LARGEST_FLOAT64 = 1.7976931348623157e308
LARGEST_FLOAT32 = 3.4028234663852886e38
SMALLEST_INTEGER, LARGEST_INTEGER = -(2**63), 2**63 - 1
MOST_PROBLEMS = 20
"""How many problems one answer lists; the count says how many there are."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field of one row.

    Attributes:
        row: Index from 0, None where it concerns all rows.
        field: The column, None where it concerns the row as a whole.
        type: A stable word for programs: missing, unknown, type, null, finite, range, empty, row, json.
    """

    row: int | None
    field: str | None
    type: str
    message: str


class InvalidRowsError(InvalidRecordError):
    """Rows that the model cannot take.

    Attributes:
        problems: The first `MOST_PROBLEMS` of them.
        count: How many there are.
    """

    def __init__(self, problems: Sequence[Problem], count: int) -> None:
        first = problems[0]
        row = "rows" if first.row is None else f"row {first.row}"
        super().__init__(
            first.message if count == 1 else f"{first.message} (and {count - 1} more)",
            where=row if first.field is None else f"{row}, field {first.field!r}",
            mend="send each row as an object with the model's columns; "
            "GET /v2/models/NAME lists them with their types",
        )
        self.problems = list(problems)
        self.count = count


class RowReader:
    """Reads rows of one model.

    Args:
        inputs: The model's columns.
        order: Their names in the order that a `Row` has; as in `inputs` when absent.
        float32: Columns whose values end in single precision and must fit it.
    """

    def __init__(
        self, inputs: Sequence[Input], order: Sequence[str] | None = None, float32: Iterable[str] = ()
    ) -> None:
        by_name = {column.name: column for column in inputs}
        self.columns = [by_name[name] for name in order] if order is not None else list(inputs)
        self._names = {column.name for column in self.columns}
        self._largest = {name: LARGEST_FLOAT32 for name in float32}
        fields: list[Any] = []
        for position, column in enumerate(self.columns):
            # A column may be called anything, a struct's field may not: it is renamed on the way in.
            name, kind = f"c{position}", self._kind(column)
            fields.append((name, kind | None, None) if column.nullable else (name, kind))
        struct = msgspec.defstruct(
            "Row", fields, kw_only=True, frozen=True, gc=False, forbid_unknown_fields=True,
            rename={f"c{position}": column.name for position, column in enumerate(self.columns)},
        )
        self._list: Any = list[struct]  # type: ignore[valid-type]
        self._decode: Callable[[Any], list[Any]] = msgspec.json.Decoder(self._list).decode
        self._tuple = msgspec.structs.astuple
        self._texts = [index for index, column in enumerate(self.columns) if column.type == "string"]
        self._dates = any(column.type == "datetime" for column in self.columns)

    def _kind(self, column: Input) -> Any:
        if column.type == "float":
            largest = self._largest.get(column.name, LARGEST_FLOAT64)
            return Annotated[float, msgspec.Meta(ge=-largest, le=largest)]
        if column.type == "integer":
            return Annotated[int, msgspec.Meta(ge=SMALLEST_INTEGER, le=LARGEST_INTEGER)]
        return {"boolean": bool, "string": str, "datetime": str}[column.type]

    def from_json(self, content: bytes | msgspec.Raw) -> list[Row]:
        """The rows of a JSON array of objects.

        Raises:
            InvalidRowsError: not JSON, or a row or field is wrong; the first problems are named.
        """
        if not self._dates:
            try:
                rows = [self._tuple(row) for row in self._decode(content)]
            except (msgspec.DecodeError, UnicodeDecodeError):
                rows = []
            if rows:
                return rows
        return self._checked(parse_json(bytes(content)))

    def from_python(self, rows: Any) -> list[Row]:
        """The rows of a list of dictionaries.

        Raises:
            InvalidRowsError: a row or field is wrong; the first problems are named.
        """
        if rows and not self._dates:
            try:
                taken = [self._tuple(row) for row in msgspec.convert(rows, self._list)]
                "".join(row[index] or "" for index in self._texts for row in taken).encode()
                return taken
            except (msgspec.ValidationError, UnicodeEncodeError):
                pass
        return self._checked(rows)

    def _checked(self, rows: Any) -> list[Row]:
        if not isinstance(rows, list):
            raise InvalidRowsError([Problem(None, None, "row", "must be a list of objects, one a row")], 1)
        if not rows:
            raise InvalidRowsError([Problem(None, None, "empty", "must hold at least one row")], 1)
        problems: list[Problem] = []
        count = 0
        read = []
        for index, row in enumerate(rows):
            values, found = self._check_row(index, row)
            read.append(values)
            count += len(found)
            problems += found[: MOST_PROBLEMS - len(problems)]
        if problems:
            raise InvalidRowsError(problems, count)
        return read

    def _check_row(self, index: int, row: Any) -> tuple[Row, list[Problem]]:
        if not isinstance(row, dict):
            message = f"must be an object with the model's columns, not {_named(row)}"
            return (), [Problem(index, None, "row", message)]
        problems: list[Problem] = []
        values: list[Any] = []
        for column in self.columns:
            if column.name not in row:
                if not column.nullable:
                    problems.append(Problem(index, column.name, "missing", "is missing"))
                values.append(None)
                continue
            value = row[column.name]
            if value is None:
                if not column.nullable:
                    problems.append(Problem(index, column.name, "null", "must not be null"))
                values.append(None)
                continue
            taken, wrong = _take(column, value, self._largest.get(column.name, LARGEST_FLOAT64))
            values.append(taken)
            if wrong is not None:
                problems.append(Problem(index, column.name, *wrong))
        if len(row) > len(self.columns) or not row.keys() <= self._names:
            for name in row:
                if name not in self._names:
                    problems.append(Problem(index, _printable(name), "unknown", "is no column of this model"))
        return tuple(values), problems


def parse_json(content: bytes) -> Any:
    """The JSON value in `content`; NaN and numbers too large for a float come out as such.

    The standard library's reader takes them, so that the row and field they stand in can be named.

    Raises:
        InvalidRowsError: not JSON (or not UTF-8, or nested too deeply).
    """
    try:
        return json.loads(content.decode())
    except (ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, json.JSONDecodeError) else type(error).__name__
        raise InvalidRowsError([Problem(None, None, "json", f"is not JSON: {reason}")], 1) from error


Wrong = tuple[str, str] | None


def _take(column: Input, value: Any, largest: float) -> tuple[Any, Wrong]:
    """The value as the engine takes it, or the type and message of what is wrong with it."""
    if column.type == "float":
        return _take_float(value, largest)
    if column.type == "integer":
        return _take_integer(value)
    if column.type == "boolean":
        wrong = None if isinstance(value, bool) else ("type", f"must be true or false, not {_named(value)}")
        return value, wrong
    if not isinstance(value, str):
        return None, ("type", f"must be a text, not {_named(value)}")
    try:
        value.encode()
    except UnicodeEncodeError:
        return None, ("type", "must be a text of whole characters, not half a surrogate pair")
    if column.type == "datetime":
        try:
            datetime.fromisoformat(value)
        except ValueError:
            return None, ("type", "must be a date and time as in ISO 8601")
    return value, None


def _take_float(value: Any, largest: float) -> tuple[Any, Wrong]:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None, ("type", f"must be a number, not {_named(value)}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        return None, ("finite", "must be a finite number")
    if abs(number) > largest:
        return None, ("range", f"must lie between {-largest:g} and {largest:g}")
    return number, None


def _take_integer(value: Any) -> tuple[Any, Wrong]:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None, ("type", f"must be an integer, not {_named(value)}")
    if not math.isfinite(value):
        return None, ("finite", "must be a finite number")
    if value != int(value):
        return None, ("type", "must be an integer, not a number with a fraction")
    if not SMALLEST_INTEGER <= value <= LARGEST_INTEGER:
        return None, ("range", "must fit into 64 bits")
    return int(value), None


def _printable(name: Any) -> str:
    """A field's name as it came, safe to send back."""
    return str(name)[:100].encode(errors="replace").decode()


def _named(value: Any) -> str:
    """What a JSON value is called."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, (int, float)):
        return "a number"
    names: dict[type, str] = {str: "a text", list: "a list", dict: "an object"}
    kind: type = type(value)
    return names.get(kind, kind.__name__)
