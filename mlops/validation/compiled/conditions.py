"""`row_condition`: Great Expectations' condition objects, its own strings, and the plain part of pandas' queries.

What it means is what `DataFrame.query` does with it: a missing value equals nothing, so `!=` and `not in` hold for it.
"""

from __future__ import annotations

import ast
import math
import re
from typing import TYPE_CHECKING, Any

from mlops.validation.compiled.columns import Column, Declined, Raised
from mlops.validation.compiled.table import Table, present

if TYPE_CHECKING:
    import polars

# Compiled at their first use: most suites have no condition.
_OWN = r'(?s:\s*col\("(?P<column>[^"]+)"\)\s*(?P<rest>.*?)\s*)'
_COMPARED = (
    r"""(?P<operator><=|>=|==|!=|<|>)\s*(?:(?P<number>[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)"""
    r"""|"(?P<double>[!#-&(-~][ !#-&(-~]*)"|'(?P<single>[!#-&(-~][ !#-&(-~]*)')"""
)
_PYTHON = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=",
           ast.In: "IN", ast.NotIn: "NOT_IN"}
_FLIPPED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_LIMIT = 100


def compile_condition(table: Table, condition: Any, parser: Any) -> polars.Expr | None:
    """The rows that `row_condition` selects, None for all.

    Raises:
        Declined: it is in a language that the engine does not read.
        Raised: it names a column that is not there.
    """
    if not condition:
        return None
    if isinstance(condition, dict):
        return _object(table, condition, 0)
    if not isinstance(condition, str):
        raise Declined("row_condition has a form that is not the engine's")
    if parser in ("great_expectations", "great_expectations__experimental__"):
        return _own(table, condition)
    if parser in (None, "pandas"):
        return _query(table, condition)
    raise Declined(f"row_condition is written for {parser}")


def _object(table: Table, condition: dict[str, Any], depth: int) -> polars.Expr:
    kind = condition.get("type")
    if kind == "pass_through" and depth == 0:
        return _query(table, str(condition.get("pass_through_filter")))
    if kind in ("and", "or"):
        parts = condition.get("conditions")
        if not isinstance(parts, list) or not 0 < len(parts) <= _LIMIT or depth > 1 or (depth and kind == "or"):
            raise Declined("row_condition is nested as the engine does not read it")
        return _joined(kind, [_object(table, part, depth + 1) for part in parts])
    named = condition.get("column")
    if not isinstance(named, dict) or not isinstance(named.get("name"), str):
        raise Declined("row_condition names no column")
    (column,) = _columns(table, [named["name"]])
    if kind == "nullity" and isinstance(condition.get("is_null"), bool):
        return _null(column, condition["is_null"])
    if kind == "comparison":
        return _compare(column, str(condition.get("operator")), condition.get("parameter"))
    raise Declined("row_condition has a form that is not the engine's")


def _own(table: Table, text: str) -> polars.Expr:
    found = re.fullmatch(_OWN, text)
    if found is None:
        raise Declined("row_condition has a form that is not the engine's")
    (column,) = _columns(table, [found["column"]])
    if found["rest"].lower() == ".notnull()":
        return _null(column, False)
    compared = re.fullmatch(_COMPARED, found["rest"])
    if compared is None:
        raise Declined("row_condition has a form that is not the engine's")
    if compared["number"] is None:
        return _compare(column, compared["operator"], compared["double"] or compared["single"])
    number = compared["number"]
    return _compare(column, compared["operator"], int(number) if re.fullmatch(r"[+-]?\d+", number) else float(number))


def _query(table: Table, text: str) -> polars.Expr:
    """The part of pandas' query language that compares columns with constants."""
    names: dict[str, str] = {}

    def quoted(found: re.Match[str]) -> str:
        names[f"_column{len(names)}_"] = found[1]
        return f"_column{len(names) - 1}_"

    plain = re.sub(r"`([^`]+)`", quoted, text)
    try:
        tree = ast.parse(plain.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        raise Declined("row_condition is no query that the engine reads") from None
    return _node(table, tree, names)


def _node(table: Table, node: ast.expr, names: dict[str, str]) -> polars.Expr:
    if isinstance(node, ast.BoolOp):
        kind = "and" if isinstance(node.op, ast.And) else "or"
        return _joined(kind, [_node(table, value, names) for value in node.values])
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return ~_node(table, node.operand, names)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args and not node.keywords:
        if node.func.attr in ("isnull", "isna", "notnull", "notna") and isinstance(node.func.value, ast.Name):
            (column,) = _columns(table, [names.get(node.func.value.id, node.func.value.id)])
            return _null(column, node.func.attr in ("isnull", "isna"))
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _PYTHON:
        operator, left, right = _PYTHON[type(node.ops[0])], node.left, node.comparators[0]
        if isinstance(right, ast.Name) and not isinstance(left, ast.Name) and operator in _FLIPPED:
            operator, left, right = _FLIPPED[operator], right, left
        if isinstance(left, ast.Name):
            try:
                value = ast.literal_eval(right)
            except ValueError:
                raise Declined("row_condition compares with more than a constant") from None
            (column,) = _columns(table, [names.get(left.id, left.id)])
            return _compare(column, operator, value)
    raise Declined("row_condition is no query that the engine reads")


def _joined(kind: str, parts: list[polars.Expr]) -> polars.Expr:
    import polars as pl

    return pl.all_horizontal(parts) if kind == "and" else pl.any_horizontal(parts)


def _columns(table: Table, names: list[str]) -> list[Column]:
    if names[0] not in table.schema:
        raise Raised(f"name {names[0]!r} is not defined")
    return present(table, names)


def _null(column: Column, wanted: bool) -> polars.Expr:
    values = column.values()
    return values.is_null() if wanted else values.is_not_null()


def _compare(column: Column, operator: str, value: Any) -> polars.Expr:
    if operator in ("IN", "NOT_IN"):
        inside = _inside(column, value)
        return inside if operator == "IN" else ~inside
    if operator not in _FLIPPED:
        raise Declined(f"row_condition uses {operator}")
    number = isinstance(value, int | float) and math.isfinite(value)
    if not (column.numeric and number) and not (column.family == "text" and isinstance(value, str)):
        raise Declined(f"row_condition compares {column.family} with {type(value).__name__}")
    if column.numeric and isinstance(value, bool) != (column.family == "boolean"):
        raise Declined("row_condition compares a truth with a number")
    values = column.values()
    result = {
        "==": values.eq, "!=": values.ne, "<": values.lt, "<=": values.le, ">": values.gt, ">=": values.ge,
    }[operator](value)
    return result.fill_null(operator == "!=")


def _inside(column: Column, value: Any) -> polars.Expr:
    import polars as pl

    if not isinstance(value, list | tuple):
        raise Declined("row_condition asks for membership in something that is no list")
    texts = all(isinstance(item, str) for item in value)
    numbers = all(isinstance(item, int | float) and not isinstance(item, bool) for item in value)
    if (column.family == "text" and texts) or (column.family in ("integer", "float") and numbers):
        known = pl.Series(list(value), dtype=pl.String if texts and column.family == "text" else pl.Float64)
        values = column.values() if column.family == "text" else column.numbers().cast(pl.Float64)
        return values.is_in(known.implode()).fill_null(False)
    raise Declined(f"row_condition compares {column.family} with a list of something else")
