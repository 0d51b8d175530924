"""From a source to typed rows in one streaming pass: into a file, or into memory where they are few.

A column with a cell that cannot be what the data set declares is left as text, whole, so that the suite says what is
wrong in it; this is found out in a first pass, and a second one reads with what was found. A data set with a
quarantine needs no second pass for that: its bad rows are set aside. It needs one where rows break the suite.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from mlops.data_pipeline.dataset import Dataset
from mlops.data_pipeline.quality import wrong_cells
from mlops.data_pipeline.sources import Batch, Opened, Part, Raw, open_source
from mlops.data_pipeline.sources.csv_file import MAXIMUM_COLUMNS
from mlops.data_pipeline.tables.fingerprint import Fingerprint
from mlops.data_pipeline.tables.progress import Progress
from mlops.data_pipeline.tables.table_file import written
from mlops.errors import BadDataError
from mlops.files import combine, lock, sha256_file
from mlops.records import Source, SourceFile, WrongCell

if TYPE_CHECKING:
    import polars

    from mlops.data_pipeline.quality.quarantine import QuarantineWriter

T = TypeVar("T")


class Pass:
    """One reading of all parts of a source.

    Attributes:
        loose: How columns were read that are not in their declared type.
        found: How further columns must be read; the rows are only right where there are none.
        wrong: The first wrong cells; `wrong_count` is of all.
        cut: Whether the first rows had columns that nothing told of, and nothing more was read.
    """

    def __init__(
        self, dataset: Dataset, opened: Opened, loose: dict[str, str], quarantine: QuarantineWriter | None, *,
        fingerprinted: bool = True,
    ) -> None:
        self.loose, self.found = dict(loose), dict[str, str]()
        self.wrong: list[WrongCell] = []
        self.wrong_count = 0
        self.cut = False
        self.files: list[SourceFile] = []
        self.fingerprint = Fingerprint(ordered=dataset.ordered)
        self.fingerprinted = fingerprinted
        self._dataset, self._opened, self._quarantine = dataset, opened, quarantine
        self._columns: dict[str, polars.DataType] | None = None
        self._seen: set[str] | None = None
        self._wrong_in: Counter[str] = Counter()
        self._rows = 0

    def tables(self) -> Iterator[polars.DataFrame]:
        """The good rows; none from where a column turned out to need another reading.

        Raises:
            BadDataError: the files have different columns, or no rows.
            BusyError: a file changed while it or the others were read, or files came or went.
        """
        progress = Progress(self._dataset.name, "read")
        for part in self._opened.parts:
            before = self._rows
            for batch in part.batches(self.loose):
                self._note(part, batch)
                if self.found and not self._rows:
                    self.cut = True
                    return
                self._agree(part, batch.table)
                table = self._taken(batch, part, before)
                self._rows += batch.table.height
                progress.say(self._rows)
                if table.height and not self.found:
                    if self.fingerprinted:
                        self.fingerprint.add(table)
                    else:
                        self.fingerprint.rows += table.height
                    yield table
            self.files.append(SourceFile(name=part.name, rows=self._rows - before, sha256=part.digest()))
        self._opened.expect_settled()
        if not self._rows:
            raise BadDataError(
                "the file has a header but no rows", where=self._opened.location, mend="give a file with rows"
            )
        for name in self._dataset.columns:
            if self._seen is not None and name not in self._seen and name not in self.loose:
                self.found[name] = "absent"

    def _note(self, part: Part, batch: Batch) -> None:
        """Where rows name their columns: which there are, and which of them nobody told of."""
        if batch.seen is None:
            return
        self._seen = (self._seen or set()) | set(batch.seen)
        known = {*self._dataset.columns, *self.loose}
        self.found.update((name, "string") for name in batch.seen if name not in known)
        width = len(known | self.found.keys())
        if width > MAXIMUM_COLUMNS:
            raise BadDataError(
                f"has {width} columns, more than {MAXIMUM_COLUMNS}", where=part.name,
                mend="leave out the columns that the data set does not name",
            )

    def _taken(self, batch: Batch, part: Part, before: int) -> polars.DataFrame:
        """The batch's rows that go on."""
        empty = wrong_cells.empty(batch, self._dataset)
        for name, mask in [*batch.wrong.items(), *empty.items()]:
            self.wrong_count += int(mask.sum())
        if (batch.wrong or empty) and len(self.wrong) < wrong_cells.SHOWN:
            several = len(self._opened.parts) > 1
            for cell in wrong_cells.of_batch(batch, self._dataset, self._rows):
                if several:
                    cell = _in_file(cell, part, before)
                self.wrong.append(cell)
        if self._quarantine is not None:
            return self._quarantine.sort_out(batch, part, self._rows).select(*self._columns or ())
        for name in batch.wrong:
            self.found[name] = "float" if name in batch.numeric and self.found.get(name) != "string" and \
                self._dataset.columns[name].type == "integer" else "string"
        return batch.table.select(*self._columns or ())

    def _agree(self, part: Part, table: polars.DataFrame) -> None:
        schema = dict(table.schema)
        if self._columns is None:
            self._columns = schema
            return
        first = self._opened.parts[0].name
        missing, more = [n for n in self._columns if n not in schema], [n for n in schema if n not in self._columns]
        if missing or more:
            told = "; ".join(f"{word} {', '.join(names[:5])}" for word, names in
                             (("it lacks", missing), ("it has also", more)) if names)
            raise BadDataError(
                f"has other columns than {first}: {told}", where=part.name, mend="give all files the same columns"
            )
        for name, kind in self._columns.items():
            if schema[name] != kind:
                raise BadDataError(
                    f"column {name!r} is {schema[name]}, in {first} it is {kind}", where=part.name,
                    mend="give the column one type in all files",
                )


def read_source(dataset: Dataset, given: str | None = None, *, fingerprinted: bool = True) -> Raw:
    """The rows of the data set's own source, or of what `given` names, in memory.

    Args:
        fingerprinted: Whether to compute the rows' fingerprint, which takes NumPy and as long as reading.

    Raises:
        MissingInputError, UnavailableError, BadDataError, ConfigurationError, BusyError: see `sources.open_source`.
    """
    import polars as pl

    tables, source = taken(dataset, given, list, fingerprinted=fingerprinted)
    return Raw(pl.concat(tables, rechunk=True), source)


def taken(
    dataset: Dataset, given: str | None, take: Callable[[Iterator[polars.DataFrame]], T], *, fingerprinted: bool
) -> tuple[T, Source]:
    """What `take` makes of the source's rows, given in batches, and what is known of the source.

    Where a column turns out to need another reading, the rows end early and are given once more, from the first.

    Raises:
        MissingInputError, UnavailableError, BadDataError, ConfigurationError, BusyError: see `sources.open_source`.
    """
    with open_source(dataset, given) as opened:
        first = one = Pass(dataset, opened, {}, None, fingerprinted=fingerprinted)
        made = take(one.tables())
        while one.found:
            one = Pass(dataset, opened, {**one.loose, **one.found}, None, fingerprinted=fingerprinted)
            made = take(one.tables())
            first = one if first.cut else first
        return made, _record(dataset, opened, one, first=first)


def ingest(dataset: Dataset, target: Path, given: str | None = None, *, quarantined: Path) -> Source:
    """Write the rows of the source to the Parquet file `target`, and those set aside to `quarantined`.

    A data set with a quarantine has its suite asked here, for the rows that break it. Memory does not grow with the
    rows. Each file is replaced whole or not at all; an interrupted fetch goes on.

    Raises:
        MissingInputError, UnavailableError, BadDataError, ConfigurationError, BusyError: see `sources.open_source`.
        BadDataError: more rows are bad than the data set's quarantine takes; they are in `quarantined` all the same.
    """
    aside = None
    if dataset.maximum_quarantined is not None:
        from mlops.data_pipeline.quality.quarantine import QuarantineWriter

        aside = QuarantineWriter(dataset, quarantined)
    with lock(target.with_name(f".{target.name}.lock"), what="another `mlops data ingest`"):
        record = take_in(dataset, target, given, aside)
        if aside is None:
            quarantined.unlink(missing_ok=True)
    return record


def take_in(dataset: Dataset, target: Path, given: str | None, aside: QuarantineWriter | None) -> Source:
    """`ingest` into a folder that nobody else writes to.

    Args:
        aside: Takes the bad rows; None where a column with one is left as text.
    """
    with open_source(dataset, given, fetched=target.parent / ".fetched") as opened:
        first = one = _write(dataset, opened, {}, target, aside)
        while one.found or (aside and aside.again):
            one = _write(dataset, opened, {**one.loose, **one.found}, target, aside)
            first = one if first.cut else first
        return _record(dataset, opened, one, first=first, table=target, aside=aside)


def _write(
    dataset: Dataset, opened: Opened, loose: dict[str, str], target: Path, aside: QuarantineWriter | None
) -> Pass:
    """One pass, written to `target` unless the rows must be read again."""
    one = Pass(dataset, opened, loose, aside)
    with written(target) as writer:
        with aside or nullcontext():
            for table in one.tables():
                writer.add(table)
            if aside and not one.found:
                aside.ask(writer)
        if one.found or (aside and aside.again):
            writer.abandon()
        elif aside:
            aside.judge(opened.location)
    return one


def _record(
    dataset: Dataset, opened: Opened, one: Pass, *, first: Pass, table: Path | None = None,
    aside: QuarantineWriter | None = None,
) -> Source:
    """What is known of the source after the last pass; the first one saw the wrong cells."""
    print_ = one.fingerprint.digest() if one.fingerprinted else ""
    digests = [(f"{number:09}", each.sha256) for number, each in enumerate(one.files) if each.sha256]
    digest = print_ if not digests else digests[0][1] if len(digests) == 1 else combine(digests)
    return Source(
        location=opened.location, sha256=digest, rows=one.fingerprint.rows, fingerprint=print_,
        simulated=dataset.simulated and (opened.own or _is_own(dataset, digest)),
        table_sha256=sha256_file(table) if table else "", files=one.files if len(one.files) > 1 else [],
        wrong_cells=first.wrong_count, wrong=first.wrong[:wrong_cells.SHOWN],
        quarantined=aside.rows if aside else 0, quarantine_sha256=aside.digest() if aside else "",
        reasons=dict(aside.reasons.most_common()) if aside else {}, aside=aside.first if aside else [],
    )


def _is_own(dataset: Dataset, digest: str) -> bool:
    """Whether a user's file is the data set's own one, byte for byte."""
    paths = [dataset.repository / location for location in dataset.reading.locations if "://" not in location]
    return len(paths) == 1 and paths[0].is_file() and sha256_file(paths[0]) == digest


def _in_file(cell: WrongCell, part: Part, before: int) -> WrongCell:
    return WrongCell(row=cell.row, column=cell.column, value=cell.value, reason=cell.reason,
                     file=f"{part.name} row {cell.row - before}")
