"""The cells of a column that can be read, where others in it cannot: what else is wrong with them is found too.

A column with a cell that is not of its type stays text, whole, so that the suite says so. Held against numbers, text
gives no answer, or a wrong one; a second defect in the same column would hide behind the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mlops.data_pipeline import types
from mlops.data_pipeline.dataset import Dataset
from mlops.data_pipeline.tables.rows import Rows, gathered
from mlops.data_pipeline.tables.scratch import Scratch
from mlops.validation import Outcome, Suite, validate

if TYPE_CHECKING:
    import polars

_OF_TYPE = ("expect_column_values_to_be_of_type", "expect_column_values_to_be_in_type_list")


def readable(dataset: Dataset, rows: Rows, scratch: Scratch) -> Rows:
    """The rows with every declared column in its type; cells that cannot be it are empty. The same rows where all
    columns have their types already."""
    import polars as pl

    text = {
        name: column for name, column in dataset.columns.items()
        if column.type != "string" and rows.schema.get(name) == pl.String
    }

    def typed(table: polars.DataFrame) -> polars.DataFrame:
        return table.with_columns(
            types.from_text(table[name], column, dataset.reading)[0] for name, column in text.items()
        )

    read = gathered(map(typed, rows.batches(doing="read again")), scratch, name=dataset.name) if text else None
    return read or rows


def look_again(outcome: Outcome, suite: Suite, dataset: Dataset, rows: Rows, scratch: Scratch) -> Outcome:
    """The outcome with what the suite finds in the readable cells, in place of findings that only say that a column
    holds text, or that compare text with text. The results stay as they are: those of the table as it came."""
    again = readable(dataset, rows, scratch) if outcome.findings else rows
    if again is rows:
        return outcome
    second = {(each.where, each.expectation, each.column): each for each in validate(suite, again.data).findings}
    findings = []
    for each in outcome.findings:
        found = second.get((each.where, each.expectation, each.column))
        if each.expectation in _OF_TYPE or found is None and not each.rows:
            findings.append(each)
        elif found is not None:
            findings.append(found)
    return msgspec.structs.replace(outcome, findings=tuple(findings))
