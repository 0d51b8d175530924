"""Rows beyond memory, sorted or with equal ones brought together.

Rows that are few are taken as they are. Of more, each is dealt by the first bits of a hash into one of 64 files, and
then each file is taken by itself, its rows dealt by the next bits where they still are too many (distribution sort,
D. Knuth, "The Art of Computer Programming", volume 3, 5.2.5). What is in memory is `HELD` bytes and what one query
makes of them, however many rows there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.data_pipeline.tables.scratch import Scratch
from mlops.files import unwritable

if TYPE_CHECKING:
    import polars

HELD = 1 << 27
"""Bytes of rows that are taken at once: what is done to them copies them twice."""
_BESIDE = 64
"""Bytes that a row costs beside its cells: its hash, its number, its place in a table of hashes."""
_BITS = 6
_WORTH = 1 << 16
"""Cells that are worth a batch in a file."""
_HASH = "\x1fhash"
_PLACE = "\x1fplace"


def in_order(tables: Iterable[polars.DataFrame], words: Sequence[str], scratch: Scratch) -> Iterator[polars.DataFrame]:
    """All rows sorted by the columns `words`, which hold the words of a hash (64 bits, no empty cells), the first one
    first. Rows that agree in all words come in any order."""
    import polars as pl

    for pile in _dealt(tables, words, scratch, 0):
        if isinstance(pile, list):
            yield pl.concat(pile).sort(words)
        else:
            yield from pile  # one row, many times


def together(tables: Iterable[polars.DataFrame], keys: Sequence[str], scratch: Scratch) -> Iterator[polars.DataFrame]:
    """All rows, such that those which are equal in `keys` are in one table, in the order in which they came.

    Whoever gives tables in which few rows are equal gets tables of bounded size.
    """
    import polars as pl

    hashed = (table.with_columns(pl.struct(keys).hash().alias(_HASH)) for table in tables)
    for pile in _dealt(hashed, [_HASH], scratch, 0):
        yield pl.concat(pile, rechunk=True).drop(_HASH)


def _dealt(
    tables: Iterable[polars.DataFrame], words: Sequence[str], scratch: Scratch, level: int
) -> Iterator[list[polars.DataFrame] | Iterator[polars.DataFrame]]:
    """Piles of rows by the values of `words`, ascending: a list of few, or all that agree in them, however many."""
    held: list[polars.DataFrame] = []
    size, dealer = 0.0, None
    for table in tables:
        if dealer is None:
            held.append(table)
            size += table.estimated_size() + _BESIDE * table.height
            if size > HELD:
                dealer = _Dealer(words[0], level, scratch)
                while held:
                    dealer.add(held.pop(0))
        else:
            dealer.add(table)
    if dealer is None:
        if held:
            yield held
        return
    for pile in dealer.piles():
        if pile.low < pile.high:
            yield from _dealt(pile.tables(), words, scratch, level + 1)
        elif len(words) > 1:
            yield from _dealt(pile.tables(), words[1:], scratch, 0)
        else:
            yield pile.tables()
        pile.path.unlink()


class _Dealer:
    """Deals rows to files by `_BITS` bits of a column of 64-bit words, the highest first."""

    def __init__(self, by: str, level: int, scratch: Scratch) -> None:
        self._by, self._scratch = by, scratch
        self._step = 1 << max(0, 64 - _BITS * (level + 1))
        self._piles: dict[int, _Pile] = {}

    def add(self, table: polars.DataFrame) -> None:
        """Deal these rows."""
        import polars as pl

        place = pl.col(self._by) // pl.lit(self._step, pl.UInt64) % pl.lit(1 << _BITS, pl.UInt64)
        marked = table.with_columns(place.alias(_PLACE))
        dealt = marked.partition_by(_PLACE, maintain_order=True, include_key=False, as_dict=True)
        for (number,), rows in dealt.items():
            if number not in self._piles:
                self._piles[number] = _Pile(self._scratch.file(".arrows"), self._by)
            self._piles[number].add(rows)

    def piles(self) -> list[_Pile]:
        """All piles, closed, in the order of their words."""
        for pile in self._piles.values():
            pile.close()
        return [self._piles[number] for number in sorted(self._piles)]


class _Pile:
    """A file of rows, as an Arrow stream.

    Attributes:
        low: The least word among them; `high`: the greatest.
    """

    def __init__(self, path: Path, by: str) -> None:
        self.path, self._by = path, by
        self.low, self.high = 1 << 64, -1
        self._held: list[polars.DataFrame] = []
        self._writer: Any = None

    def add(self, rows: polars.DataFrame) -> None:
        """More rows, of the same columns; written when they are worth it."""
        words = rows[self._by].to_numpy()
        self.low, self.high = min(self.low, int(words.min())), max(self.high, int(words.max()))
        self._held.append(rows)
        if sum(each.height for each in self._held) * rows.width >= _WORTH:
            self._write()

    def close(self) -> None:
        """Write what is held, and the file's end."""
        try:
            self._write()
            self._writer.close()
        except OSError as error:
            raise unwritable(self.path, error) from error

    def tables(self) -> Iterator[polars.DataFrame]:
        """The rows in the order in which they came."""
        import polars as pl
        import pyarrow as pa

        with pa.OSFile(str(self.path)) as file, pa.ipc.open_stream(file) as reader:
            for batch in reader:
                table = pl.from_arrow(batch)
                assert isinstance(table, pl.DataFrame)
                yield table

    def _write(self) -> None:
        import polars as pl
        import pyarrow as pa

        if not self._held:
            return
        # The oldest form has texts of their own for each row: a view would bring all texts of the whole table along.
        rows = pl.concat(self._held, rechunk=True).to_arrow(compat_level=pl.CompatLevel.oldest())
        self._held = []
        try:
            if self._writer is None:
                options = pa.ipc.IpcWriteOptions(compression="lz4")
                self._writer = pa.ipc.new_stream(str(self.path), rows.schema, options=options)
            self._writer.write_table(rows)
        except OSError as error:
            raise unwritable(self.path, error) from error
