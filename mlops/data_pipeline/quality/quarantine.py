"""Bad rows set aside with the reason, where the data set's file asks for it.

A row is bad where a cell is not of its declared type, where one is empty that must not be, where it breaks a blocking
rule that holds row by row, and where it breaks what the suite expects of rows (`broken_rows`). It is kept as it came:
each cell as text, beside its number in the source, its file and the reasons.

The suite is asked once all rows were read, because whether a value is unique only the whole can tell. Where rows break
it, the source is read once more: the cells as they came are nowhere else, and memory does not grow with the rows.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.data_pipeline.dataset import Dataset, Rule
from mlops.data_pipeline.quality import broken_rows, wrong_cells
from mlops.data_pipeline.quality.broken_rows import Breach
from mlops.data_pipeline.sources import Batch, Part
from mlops.data_pipeline.tables.table_file import TableWriter, written
from mlops.errors import BadDataError, BusyError
from mlops.files import sha256_file
from mlops.records import CheckResult, Source

if TYPE_CHECKING:
    import polars

    Reasons = dict[int, list[tuple[str, str]]]

ROW, FILE, REASON = "quarantine_row", "quarantine_file", "quarantine_reason"
SHOWN = 5
"""How many rows a message names; a record has the first `wrong_cells.SHOWN`."""


class QuarantineWriter:
    """Takes the bad rows out of batches; a context manager around each pass over the source.

    Args:
        refuses: Whether more bad rows than the data set allows are an error; else `beyond` tells of them.

    Attributes:
        rows: How many rows were set aside; `total` is of all.
        first: The first of them, each with its reasons.
        reasons: Reason → how many rows it set aside; a row may have several.
        again: Whether the suite named bad rows, so that the source has to be read once more.
    """

    def __init__(self, dataset: Dataset, path: Path, *, refuses: bool = True) -> None:
        self._dataset, self._path, self._refuses = dataset, path, refuses
        self._stack = ExitStack()
        self._writer: TableWriter | None = None
        self._breaches: list[Breach] | None = None
        self._judged = ""
        self.again = False
        self._begin()

    def _begin(self) -> None:
        self._columns: list[str] | None = None
        self.first: list[str] = []
        self._hash = hashlib.blake2b(digest_size=16)
        self._passed = self.rows = self.total = 0
        self.reasons: Counter[str] = Counter()
        self._settled = False

    def __enter__(self) -> QuarantineWriter:
        self._begin()
        self._writer = self._stack.enter_context(written(self._path))
        return self

    def __exit__(self, *error: Any) -> None:
        if self._writer and not (self.rows and self._settled):
            self._writer.abandon()
        self._stack.__exit__(*error)
        if self._settled and not self.rows and error[0] is None:
            self._path.unlink(missing_ok=True)

    def sort_out(self, batch: Batch, part: Part, before: int) -> polars.DataFrame:
        """The batch's good rows; the bad ones are written.

        Args:
            before: Rows of the source before this batch.
        """
        import polars as pl

        self._hash.update(batch.table.hash_rows().to_numpy().tobytes())
        reasons = self._cells_and_rules(batch)
        self._suite(batch, reasons)
        self.total += batch.table.height
        if not reasons:
            return batch.table
        bad = sorted(reasons)
        told = ["; ".join(dict.fromkeys(text for _, text in reasons[row])) for row in bad]
        raw = batch.raw()[bad].with_columns(
            pl.Series(ROW, [before + row + 1 for row in bad], dtype=pl.Int64),
            pl.Series(FILE, [part.name] * len(bad), dtype=pl.String), pl.Series(REASON, told, dtype=pl.String),
        )
        self._columns = self._columns or raw.columns
        assert self._writer is not None
        self._writer.add(raw.select(self._columns))
        self.rows += len(bad)
        left = wrong_cells.SHOWN - len(self.first)
        self.first += [f"row {before + row + 1}: {why}" for row, why in zip(bad[:left], told)]
        for row in bad:
            self.reasons.update({kind for kind, _ in reasons[row]})
        return batch.table.with_row_index("\0row").filter(~pl.col("\0row").is_in(bad)).drop("\0row")

    def _cells_and_rules(self, batch: Batch) -> Reasons:
        """Row of the batch → each reason in short and with its value, as far as the row alone tells."""
        reasons: Reasons = {}
        for cell in wrong_cells.of_batch(batch, self._dataset, 0, limit=None):
            told = f"{cell.column}: {cell.value}{' ' if cell.value else ''}{cell.reason}"
            reasons.setdefault(cell.row - 1, []).append((f"{cell.column} {cell.reason}", told))
        for rule in self._dataset.checks.rules:
            for row in broken(rule, batch.table):
                told = f"{rule.name}: {rule.message}"
                reasons.setdefault(row, []).append((told, told))
        return reasons

    def _suite(self, batch: Batch, reasons: Reasons) -> None:
        """Add what the suite found in the batch's rows; it counted those without another reason."""
        import polars as pl

        height = batch.table.height
        places = pl.Series(sorted(set(range(height)) - reasons.keys())) if reasons else pl.arange(height, eager=True)
        start, self._passed = self._passed, self._passed + len(places)
        raw: polars.DataFrame | None = None
        for breach in self._breaches or ():
            first, last = breach.rows.search_sorted(pl.Series([start, self._passed]), side="left")
            for place in (breach.rows[first:last] - start).to_list():
                raw = batch.raw() if raw is None else raw
                row, columns = places[place], ", ".join(breach.columns)
                cells = ", ".join(_shown(raw[name][row]) for name in breach.columns)
                reasons.setdefault(row, []).append(
                    (f"{columns} {breach.reason}", f"{columns}: {cells} {breach.reason}"))

    def ask(self, table: TableWriter) -> None:
        """Have the suite judge the rows that went on, once all were read.

        Raises:
            BusyError: the rows are not those of the reading before, which the suite judged.
        """
        self._settled = True
        if self._breaches is not None:
            self.again = False
            if self._judged != self._hash.hexdigest():
                raise BusyError(
                    "the rows changed between two readings", where=self._dataset.name,
                    mend="wait until they are written, then run the same command again",
                )
            return
        asked = table.rows and self.rows <= self._most
        self._breaches = broken_rows.find(self._dataset, table.finished(), self._most) if asked else []
        self._judged, self.again = self._hash.hexdigest(), bool(self._breaches)
        self._settled = not self.again

    def digest(self) -> str:
        """`sha256:…` of the file of rows set aside; empty where there are none."""
        return sha256_file(self._path) if self.rows else ""

    @property
    def _most(self) -> int:
        """How many rows may be set aside."""
        return int((self._dataset.maximum_quarantined or 0.0) * self.total + 1e-9)

    @property
    def beyond(self) -> bool:
        """Whether more rows are bad than may be set aside, or all of them."""
        return self._bad > self._most or self._bad == self.total

    @property
    def _bad(self) -> int:
        """How many rows are bad at least: of an expectation that too many break, only the first were set aside."""
        return max([self.rows, *(breach.count for breach in self._breaches or ())])

    def judge(self, where: str) -> None:
        """Refuse a source of which too much is bad.

        Raises:
            BadDataError: the share of rows set aside is beyond the data set's limit, or no row is left.
        """
        if not (self.beyond and self._refuses):
            return
        more = self._bad > self.rows
        told = "".join(f"\n  - {line}" for line in self.first[:SHOWN])
        raise BadDataError(
            f"{_share(self._dataset, self._bad, self.total, 'at least ' if more else '')}{told}", where=where,
            mend=f"see {self._path} for {'the first' if more else 'all'} of them, with their reasons; correct the "
            "data, or raise `quarantine.maximum_share` in the data set's file",
        )


def result(dataset: Dataset, source: Source, *, aside: QuarantineWriter | None = None) -> list[CheckResult]:
    """How many rows were set aside and why, as a check that warns; nothing where the data set asks for no quarantine.

    Args:
        aside: Who took them, where it refused nothing: the check blocks where too many are bad.
    """
    if dataset.maximum_quarantined is None:
        return []
    beyond = aside is not None and aside.beyond
    count, total = source.quarantined, aside.total if aside else source.rows + source.quarantined
    first = "; first: " + "; ".join(source.aside[:SHOWN])
    return [CheckResult(
        name="rows set aside", success=not count, severity="block" if beyond else "warn",
        message=f"{_share(dataset, count, total)}: {source.why_aside()}{first}" if count else "no row is bad",
        details={"count": count, "reasons": source.reasons, "rows": source.aside,
                 "maximum_share": dataset.maximum_quarantined},
    )]


def _share(dataset: Dataset, bad: int, total: int, more: str = "") -> str:
    most = dataset.maximum_quarantined or 0.0
    return f"{more}{bad} of {total} rows are bad ({bad / max(total, 1):.2%}), {most:.2%} may be set aside"


def matches(path: Path, source: Source) -> bool:
    """Whether the file of rows set aside is the one that the record of the source tells of."""
    return (sha256_file(path) if path.is_file() else "") == source.quarantine_sha256


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


def _shown(cell: str | None) -> str:
    return "an empty cell" if cell is None or cell == "" else wrong_cells.shown(cell)
