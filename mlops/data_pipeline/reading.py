"""What a data set's file says of its source: where the rows are, how they are written, what becomes of bad ones."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Literal

import msgspec


class Reading(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the rows are and how they are written; a short `source: TEXT` is this with `path` alone.

    Attributes:
        path: A file, a folder or a pattern (`data/raw/part-*.csv.gz`) in the repository, an address (http, https, s3),
            or `module:callable` that returns a Polars or pandas frame.
        paths: Several of them instead; their rows follow each other in this order.
        database: SQLAlchemy's URL instead; `${NAME}` stands for an environment variable, so that no password is here.
        query: The SQL query whose rows these are.
        format: What the files are; told from their first bytes when absent.
        encoding: Of a text file; a byte order mark tells UTF-8, UTF-16 and UTF-32, without one it is UTF-8.
        delimiter: Between cells; when absent, the one of `, ; tab |` that makes the declared columns out of the header.
        quote: Around cells; empty for a file that quotes nothing.
        decimal: The decimal mark of numbers.
        thousands: Between groups of three digits; none when absent, so that `1.234` is never guessed at.
        comment: A line that begins with it is no row.
        missing: Texts that stand for an empty cell, beside those of `types.EMPTY`.
        sha256: What the bytes of a single file must have, as 64 hexadecimal digits.
    """

    path: str = ""
    paths: tuple[str, ...] = ()
    database: str = ""
    query: str = ""
    format: Literal["", "csv", "jsonl", "parquet", "arrow"] = ""
    encoding: str = ""
    delimiter: str = ""
    quote: str = '"'
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", " ", "'", "_"] = ""
    comment: str = ""
    missing: tuple[str, ...] = ()
    sha256: str = ""

    @property
    def locations(self) -> tuple[str, ...]:
        """The paths; none where rows come from a database."""
        return self.paths or ((self.path,) if self.path else ())


class Quarantine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Bad rows are set aside, with the reason, while no more than `maximum_share` of the rows are bad."""

    maximum_share: float = 0.01


def reading_contradictions(reading: Reading, identity: str) -> Iterator[tuple[str, str]]:
    """What in `source` does not fit together, as the field and what is wrong with it."""
    ways = [name for name in ("path", "paths", "database") if getattr(reading, name)]
    if len(ways) != 1:
        yield "source", f"needs one of path, paths and database, it has {' and '.join(ways) or 'none'}"
    if bool(reading.query) != bool(reading.database):
        yield "source", "database and query belong together"
    if reading.query and identity == "order" and not re.search(r"\border\s+by\b", reading.query, re.IGNORECASE):
        yield "source.query", "has no ORDER BY, so its rows come in any order: add one, or say `identity: rows`"
    for name in ("delimiter", "quote", "comment"):
        if len(getattr(reading, name).encode()) > 1:
            yield f"source.{name}", f"{getattr(reading, name)!r} is not one ASCII character"
    if reading.thousands and reading.thousands == reading.decimal:
        yield "source.thousands", "is the decimal mark"
    if reading.encoding:
        try:
            codecs.lookup(reading.encoding)
        except LookupError:
            yield "source.encoding", f"{reading.encoding!r} is no encoding that Python knows"
    if reading.sha256 and not re.fullmatch(r"[0-9a-f]{64}", reading.sha256):
        yield "source.sha256", "is not 64 hexadecimal digits"
