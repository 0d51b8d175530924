"""Cells that cannot be what the data set declares: where they are, what they hold, and what they look like."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops.data_pipeline.dataset import Column, Dataset
from mlops.data_pipeline.sources.opened import Batch
from mlops.records import CheckResult, Source, WrongCell

if TYPE_CHECKING:
    import polars

SHOWN = 100
"""How many wrong cells a record names."""
TOLD = 5
"""How many a message names."""
LENGTH = 40
"""How much of a cell is shown."""

_LOOKS = (
    (r"[+-]?\d{1,3}([.,' ]\d{3})+([.,]\d+)?",
     "marks between thousands? `thousands` and `decimal` under `source` say so"),
    (r"[+-]?\d*,\d+", "a decimal comma? `decimal` under `source` says so"),
    (r"[+-]?\d[\d.,]*\s*[^\d\s.,:/-]\S*|[$€£¥]\s*\d[\d.,]*", "a unit? keep numbers alone in the column"),
)


def of_batch(
    batch: Batch, dataset: Dataset, before: int, *, limit: int | None = SHOWN
) -> Iterator[WrongCell]:
    """The batch's cells that are not of their declared type, and those that are empty and must not be.

    Args:
        before: How many rows came before the batch.
        limit: How many cells of a column are named at most; all where None.
    """
    raw: polars.DataFrame | None = None
    for name, mask in batch.wrong.items():
        raw = batch.raw() if raw is None else raw
        for row in mask.arg_true()[:limit].to_list():
            text = raw[name][row] or ""
            yield WrongCell(row=before + row + 1, column=name, value=shown(text), reason=_reason(
                text, dataset.columns[name]))
    for name, mask in empty(batch, dataset).items():
        for row in mask.arg_true()[:limit].to_list():
            yield WrongCell(row=before + row + 1, column=name, value="", reason="is empty and must not be")


def result(source: Source) -> CheckResult:
    """Whether all cells of the rows that go on are what the data set declares, as a check that blocks."""
    count = 0 if source.quarantined else source.wrong_cells
    named = [cell.told() for cell in source.wrong[:TOLD]]
    more = f" and {count - len(named)} more" if count > len(named) else ""
    aside = f"; {source.quarantined} rows are set aside" if source.quarantined else ""
    message = f"{'; '.join(named)}{more}" if count else f"all cells are as declared{aside}"
    return CheckResult(
        name="types", success=not count, severity="block", message=message,
        details={"count": source.wrong_cells, "cells": [cell.to_dict() for cell in source.wrong[:SHOWN]],
                 "quarantined": source.quarantined},
    )


def empty(batch: Batch, dataset: Dataset) -> dict[str, polars.Series]:
    """For each column that must not be empty but is somewhere, where; a cell of the wrong type is not empty."""
    found = {}
    for name in batch.table.columns:
        if name in dataset.columns and not dataset.columns[name].nullable and batch.table[name].null_count():
            mask = batch.table[name].is_null()
            if name in batch.wrong:
                mask &= ~batch.wrong[name]
            if mask.any():
                found[name] = mask
    return found


def shown(text: str) -> str:
    """A cell's text fit to be printed: escaped, and cut where it is long."""
    return repr(text if len(text) <= LENGTH else text[:LENGTH] + "…")


def _reason(text: str, wanted: Column) -> str:
    plain = text.strip()
    if wanted.type in ("float", "integer"):
        kind = "number" if wanted.type == "float" else "whole number"
        try:
            number = float(plain if plain.isascii() and "_" not in plain else "none")
        except ValueError:
            look = next((hint for pattern, hint in _LOOKS if re.fullmatch(pattern, plain)), "")
            return f"is no {kind}" + (f" ({look})" if look else "")
        if wanted.type == "float":
            return "is beyond what a double holds" if number in (float("inf"), float("-inf")) else "is stored as text"
        if number != number or abs(number) >= 2.0**63:
            return "is beyond what 64 bits hold"
        return "has a fraction or is beyond what a double holds exactly" if number % 1 or abs(number) > 2**53 \
            else "is stored as text"
    if wanted.type == "datetime":
        form = f"in the form {wanted.format}" if wanted.format else "of ISO 8601 (2024-12-31T23:59:59)"
        ordered = re.fullmatch(r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}.*", plain)
        hint = " (day or month first? the column's `format` says so)" if ordered and not wanted.format else ""
        return f"is no time {form}{hint}"
    if wanted.type == "boolean":
        return "is neither true nor false"
    return "is no text"
