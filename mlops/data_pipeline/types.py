"""From text, or from whatever a file's types are, to the types that a data set declares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops.data_pipeline.dataset import ColumnType, Dataset

if TYPE_CHECKING:
    import polars

EMPTY = ("", "NA", "N/A", "NaN", "nan", "NULL", "null", "None")
"""Texts that stand for no value where a number, a truth or a time is expected; in a text column only the empty one."""


def to_declared_types(table: polars.DataFrame, dataset: Dataset, *, from_text: bool) -> polars.DataFrame:
    """`table` with each declared column in its declared type, where every value in it can be.

    A column with a value that cannot be is left as it is, for the suite to refuse: nothing is dropped
    or guessed. Not-a-number counts as no value.

    Args:
        from_text: Whether the cells are a text file's; in a typed file (Parquet) a number kept as text is wrong.
    """
    import polars as pl

    columns = []
    for name in table.columns:
        column = table[name]
        if isinstance(column.dtype, pl.Categorical | pl.Enum):
            column = column.cast(pl.String)
        if name in dataset.columns:
            wanted = dataset.columns[name].type
            if column.dtype != pl.String:
                column = _cast(column, wanted)
            elif from_text:
                column = _from_text(column, wanted)
        elif from_text:
            column = column.replace("", None)
        columns.append(column)
    return pl.DataFrame(columns)


def _from_text(column: polars.Series, wanted: ColumnType) -> polars.Series:
    import polars as pl

    if wanted == "string":
        return column.replace("", None)
    text = column.str.strip_chars()
    text = pl.select(pl.when(text.is_in(EMPTY)).then(None).otherwise(text).alias(column.name)).to_series()
    if wanted == "boolean":
        typed = text.str.to_lowercase().replace_strict(
            {"true": True, "false": False, "1": True, "0": False}, default=None, return_dtype=pl.Boolean
        )
    elif wanted == "datetime":
        typed = text.str.to_datetime(strict=False, time_unit="us")
    else:
        numbers = text.cast(pl.Float64, strict=False).fill_nan(None)
        typed = _whole(numbers) if wanted == "integer" else numbers
    return typed if typed.null_count() == text.null_count() else text


def _cast(column: polars.Series, wanted: ColumnType) -> polars.Series:
    import polars as pl

    kind = column.dtype
    if kind == pl.Null:
        return column.cast(_TYPES()[wanted])
    if wanted in ("float", "integer") and kind.is_numeric():
        numbers = column.cast(pl.Float64).fill_nan(None)
        whole = _whole(numbers)
        return numbers if wanted == "float" else whole if whole.null_count() == numbers.null_count() else numbers
    if wanted == "datetime" and kind in (pl.Date, pl.Datetime):
        return column.cast(pl.Datetime("us"))
    return column


def _whole(numbers: polars.Series) -> polars.Series:
    """Whole numbers as integers; None where one has a fraction or is beyond 64 bits."""
    import polars as pl

    fits = (numbers == numbers.round(0)) & (numbers.abs() < 2.0**63)
    return pl.select(pl.when(fits).then(numbers).otherwise(None).alias(numbers.name)).to_series().cast(pl.Int64)


def _TYPES() -> dict[str, polars.DataType]:  # a table, late because Polars is
    import polars as pl

    return {
        "string": pl.String(), "float": pl.Float64(), "integer": pl.Int64(), "boolean": pl.Boolean(),
        "datetime": pl.Datetime("us"),
    }
