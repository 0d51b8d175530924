"""Bad rows set aside with the reason, where the data set's file asks for it.

A row is bad where a cell is not of its declared type, where one is empty that must not be, and where it breaks a
blocking rule that holds row by row. It is kept as it came: each cell as text, beside its number in the source, its file
and the reasons.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.data_pipeline import wrong_cells
from mlops.data_pipeline.dataset import Dataset, Rule
from mlops.data_pipeline.sources import Batch, Part
from mlops.data_pipeline.table_file import TableWriter, written
from mlops.errors import BadDataError

if TYPE_CHECKING:
    import polars

ROW, FILE, REASON = "quarantine_row", "quarantine_file", "quarantine_reason"
SHOWN = 5


class QuarantineWriter:
    """Takes the bad rows out of batches; a context manager around one pass over the source.

    Attributes:
        rows: How many rows were set aside; `total` is of all.
    """

    def __init__(self, dataset: Dataset, path: Path) -> None:
        self._dataset, self._path = dataset, path
        self._stack = ExitStack()
        self._writer: TableWriter | None = None
        self._columns: list[str] | None = None
        self._first: list[str] = []
        self.rows = self.total = 0

    def __enter__(self) -> QuarantineWriter:
        self._writer = self._stack.enter_context(written(self._path))
        self._columns, self._first = None, []
        self.rows = self.total = 0
        return self

    def __exit__(self, *error: Any) -> None:
        if self._writer and not self.rows:
            self._writer.abandon()
        self._stack.__exit__(*error)
        if not self.rows and error[0] is None:
            self._path.unlink(missing_ok=True)

    def sort_out(
        self, batch: Batch, part: Part, before: int
    ) -> polars.DataFrame:
        """The batch's good rows; the bad ones are written.

        Args:
            before: Rows of the source before this batch.
        """
        import polars as pl

        reasons: dict[int, list[str]] = {}
        for cell in wrong_cells.of_batch(batch, self._dataset, 0, limit=None):
            told = f"{cell.column}: {cell.value}{' ' if cell.value else ''}{cell.reason}"
            reasons.setdefault(cell.row - 1, []).append(told)
        for rule in self._dataset.checks.rules:
            for row in broken(rule, batch.table):
                reasons.setdefault(row, []).append(f"{rule.name}: {rule.message}")
        self.total += batch.table.height
        if not reasons:
            return batch.table
        bad = sorted(reasons)
        raw = batch.raw()[bad].with_columns(
            pl.Series(ROW, [before + row + 1 for row in bad], dtype=pl.Int64),
            pl.Series(FILE, [part.name] * len(bad), dtype=pl.String),
            pl.Series(REASON, ["; ".join(reasons[row]) for row in bad], dtype=pl.String),
        )
        self._columns = self._columns or raw.columns
        assert self._writer is not None
        self._writer.add(raw.select(self._columns))
        self.rows += len(bad)
        self._first += [f"row {before + row + 1}: {reasons[row][0]}" for row in bad[:SHOWN - len(self._first)]]
        return batch.table.with_row_index("\0row").filter(~pl.col("\0row").is_in(bad)).drop("\0row")

    def judge(self, where: str) -> None:
        """Refuse a source of which too much is bad.

        Raises:
            BadDataError: the share of rows set aside is beyond the data set's limit, or no row is left.
        """
        most, share = self._dataset.maximum_quarantined or 0.0, self.rows / max(self.total, 1)
        if share > most or self.rows == self.total:
            told = "".join(f"\n  - {line}" for line in self._first)
            raise BadDataError(
                f"{self.rows} of {self.total} rows are bad ({share:.2%}), {most:.2%} may be set aside{told}",
                where=where, mend=f"see {self._path} for all of them, with their reasons; correct the data, or raise "
                "`quarantine.maximum_share` in the data set's file",
            )


def broken(rule: Rule, table: polars.DataFrame) -> list[int]:
    """The rows (from 0) that break a blocking rule of rows; none for a rule of the whole table, or one that cannot be
    evaluated, which the checks refuse."""
    import polars as pl

    if rule.severity != "block" or not table.height:
        return []
    twice = pl.concat([table, table]) if table.height == 1 else table  # one answer for one row may be of the table
    try:
        holds = twice.select(pl.sql_expr(rule.rule).alias("holds"))["holds"]
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return []
    if holds.dtype != pl.Boolean or len(holds) != twice.height:
        return []
    return (~holds[:table.height]).fill_null(False).arg_true().to_list()
