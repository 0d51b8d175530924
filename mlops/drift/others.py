"""Categories beyond the named ones, in bounded memory: buckets by hash, and a sample of names with exact counts.

The sample keeps the names with the smallest hashes (K. Beyer et al., "On synopses for distinct-value estimation
under multiset operations", SIGMOD 2007). A name that is in the sample of all rows is in the sample of every
part that holds it, so samples merge exactly, in any order, and the counts of the kept names are exact.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from mlops.records.base import Record

if TYPE_CHECKING:
    import numpy
    import polars

BUCKETS = 64
SAMPLE = 256
_HASHES = 1 << 32


class OthersRecord(Record, frozen=True, kw_only=True):
    """The content as it is stored."""

    buckets: list[int]
    names: dict[str, int]
    complete: bool


class Others:
    """How often categories without a name of their own came.

    Attributes:
        buckets: Cells by hash of their category (int64, `BUCKETS` of them).
        names: The sampled categories with their counts.
        complete: Whether the sample is all there were.
    """

    def __init__(self, stored: OthersRecord | None = None) -> None:
        import numpy as np

        self.buckets = np.array(stored.buckets if stored else [0] * BUCKETS, np.int64)
        self.names = dict(stored.names) if stored else {}
        self.complete = stored.complete if stored else True

    def update(self, cells: polars.Series) -> None:
        """Count cells (strings, none empty)."""
        import numpy as np

        counted = cells.alias("name").value_counts(name="count")
        names, counts = counted["name"].to_list(), counted["count"].to_numpy().astype(np.int64)
        hashes = _hashes(names)
        self.buckets += in_buckets(hashes, counts)
        smallest = np.argpartition(hashes, SAMPLE)[:SAMPLE + 1] if len(names) > 2 * SAMPLE else np.arange(len(names))
        if smallest.size < len(names):  # equal hashes are told apart by name, so none of them may be cut off here
            smallest = np.flatnonzero(hashes <= hashes[smallest].max())
            self.complete = False
        self._take({names[each]: int(counts[each]) for each in smallest})

    def merge(self, other: Others) -> None:
        """Add what `other` counted."""
        self.buckets += other.buckets
        self.complete = self.complete and other.complete
        self._take(other.names)

    def distinct(self) -> float:
        """About how many categories there were (exact where `complete`)."""
        if self.complete:
            return float(len(self.names))
        return (SAMPLE - 1) * _HASHES / (float(_hashes(list(self.names)).max()) + 1)

    def record(self) -> OthersRecord:
        """What is stored: the names in a fixed order."""
        return OthersRecord(
            buckets=self.buckets.tolist(), names=dict(sorted(self.names.items())), complete=self.complete
        )

    def _take(self, more: dict[str, int]) -> None:
        for name, count in more.items():
            self.names[name] = self.names.get(name, 0) + count
        if len(self.names) > SAMPLE:
            names = list(self.names)
            order = sorted(zip(_hashes(names).tolist(), names, strict=True))[:SAMPLE]
            self.names = {name: self.names[name] for _, name in order}
            self.complete = False


def buckets_of(names: list[str], counts: numpy.ndarray[Any, Any]) -> numpy.ndarray[Any, Any]:
    """The counts of categories, added up by bucket."""
    return in_buckets(_hashes(names), counts)


def in_buckets(hashes: numpy.ndarray[Any, Any], counts: numpy.ndarray[Any, Any]) -> numpy.ndarray[Any, Any]:
    """Counts by the bucket of their hash, int64 (`BUCKETS`,)."""
    import numpy as np

    found = np.zeros(BUCKETS, np.int64)
    np.add.at(found, hashes % BUCKETS, counts)
    return found


def _hashes(names: list[str]) -> numpy.ndarray[Any, Any]:
    """32-bit hashes, the same everywhere: CRC-32, mixed (the finalizer of MurmurHash3) so that near names part."""
    import numpy as np

    mixed = np.fromiter((zlib.crc32(name.encode("utf-8", "surrogatepass")) for name in names), np.uint32, len(names))
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        mixed ^= mixed >> np.uint32(shift)
        mixed *= np.uint32(factor)
    mixed ^= mixed >> np.uint32(16)
    return mixed.astype(np.int64)
