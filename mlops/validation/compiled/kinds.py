"""Rules about types, by the names that NumPy, pandas and Python have for them.

Great Expectations asks a column of Python objects (texts, truths beside missing values) value by value, and every
other column once. The tables below are what NumPy's and pandas' own look-ups answer for each name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops.validation.compiled.asks import Steps
from mlops.validation.compiled.case import Case
from mlops.validation.compiled.columns import Column, Declined, Raised
from mlops.validation.compiled.rowwise import judge

if TYPE_CHECKING:
    import polars

_OBJECT = ("object", "object_", "O")
_NUMPY = {
    **{name: name for name in (
        "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64",
        "bool", "datetime64", "datetime64[s]", "datetime64[ms]", "datetime64[us]", "datetime64[ns]",
    )},
    "int": "int64", "int_": "int64", "long": "int64", "i8": "int64", "float": "float64", "double": "float64",
    "f8": "float64", "single": "float32", "half": "float16", "bool_": "bool",
    **dict.fromkeys(_OBJECT, "object"),
}
_NO_COLUMN = frozenset({
    "str", "str_", "unicode", "bytes", "complex", "datetime", "date", "Timestamp", "timedelta64[ns]",
    "CategoricalDtype", "DatetimeTZDtype", "StringDtype", "Int64Dtype", "none", "list", "dict", "string_types",
})
"""Types that exist, and that no column of the engine's has as its own."""
_NO_TYPE = frozenset({
    "Int64", "Int32", "Float64", "Float32", "string", "String", "STRING", "INTEGER", "Integer", "integer", "number",
    "NUMBER", "TEXT", "VARCHAR", "DOUBLE", "BIGINT", "BOOLEAN", "boolean", "Boolean", "TIMESTAMP", "IntegerType",
    "LongType", "DoubleType", "FloatType", "StringType", "BooleanType", "TimestampType", "Utf8", "float_", "Date",
    "category",
})
"""Names of other systems, which mean nothing here."""
_PYTHON = {
    "bool": "boolean", "int": "integer", "long": "integer", "float": "float", "str": "text", "string_types": "text",
}
"""Python's own types (in any case) by what they hold."""


def of_type(case: Case) -> Steps:
    """`to_be_of_type`: the column's scalar type, or each of its Python objects."""
    column, name = case.column(), case.given["type_"]
    _known(name)
    if column.as_object and name not in _OBJECT:
        return (yield from _each(case, column, [name]))
    wanted = _NUMPY.get(name, "").partition("[")[0].replace("object", "object_")
    return _answer(column.scalar == wanted, column.scalar)


def in_type_list(case: Case) -> Steps:
    """`to_be_in_type_list`: the column's own type, unit of time included, or each of its Python objects."""
    column, names = case.column(), case.given["type_list"]
    for name in names:
        _known(name)
    if column.as_object:
        return (yield from _each(case, column, names))
    python = {"integer": "int64", "float": "float64", "boolean": "bool"}
    wanted = {_NUMPY[name] for name in names if name in _NUMPY}
    wanted |= {python[kind] for kind in _natives(names) if kind in python}
    return _answer(column.pandas in wanted, column.scalar)


def type_is(case: Case) -> Steps:
    """`column_type_to_be`: the column's own type; of a time, without a unit, any unit."""
    yield from ()  # nothing is asked: the type is known
    column, name = case.column(), case.given["type_"]
    if name not in _NUMPY:
        raise Declined(f"the type {name!r} is pandas' to read")
    wanted = _NUMPY[name]
    own = column.pandas.partition("[")[0] if wanted == "datetime64" else column.pandas
    return _answer(own == wanted, column.pandas)


def _each(case: Case, column: Column, names: list[str]) -> Steps:
    import polars as pl

    if not any(name in _NUMPY or name in _NO_COLUMN for name in names) and not _natives(names):
        raise Raised(f"No recognized numpy/python type in list: {names}")
    kinds = _natives(names)
    held = column.family in kinds or (column.family == "boolean" and "integer" in kinds)  # a bool is an int
    bad: polars.Expr = pl.when(column.values().is_not_null()).then(not held)
    return (yield from judge(case, column, bad))


def _natives(names: list[str]) -> set[str]:
    return {_PYTHON[name.lower()] for name in names if name.lower() in _PYTHON}


def _known(name: str) -> None:
    """Raises Declined for a name that is in no table."""
    if not (name in _NUMPY or name in _NO_COLUMN or name in _NO_TYPE or name.lower() in _PYTHON):
        raise Declined(f"the type {name!r} is not one of the engine's")


def _answer(success: bool, observed: str) -> dict[str, Any]:
    return {"success": success, "result": {"observed_value": observed}}
