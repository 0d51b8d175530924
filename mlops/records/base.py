"""The base of all records and their way in and out of JSON."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from mlops.errors import InvalidRecordError, MissingInputError


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """An immutable part of a document. Unknown fields are ignored, so that fields can be added."""

    def to_json(self) -> bytes:
        """The record as indented JSON with a line end."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"

    def to_dict(self) -> dict[str, Any]:
        """The record as plain dictionaries, lists, strings and numbers."""
        built: dict[str, Any] = msgspec.to_builtins(self)
        return built


class Document(Record, frozen=True, kw_only=True):
    """A record that stands alone in a file; `schema` is the version of its shape."""

    schema: int = 1


R = TypeVar("R", bound=Record)


def now() -> str:
    """This moment as records have it: ISO 8601 in UTC, with milliseconds."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


def decode(kind: type[R], content: bytes | str, *, where: str | Path) -> R:
    """The record of `kind` that `content` holds.

    Raises:
        InvalidRecordError: not JSON, or not of the record's shape; names `where` and the field.
    """
    try:
        record = msgspec.json.decode(content, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidRecordError(
            f"is no valid {kind.__name__}: {error}",
            where=where,
            mend="write the file again with the command that makes it; do not edit it by hand",
        ) from error
    if isinstance(record, Document) and record.schema != 1:
        raise InvalidRecordError(
            f"has schema {record.schema}, this program reads 1", where=where, mend="use the version that wrote it"
        )
    return record


def read(kind: type[R], path: Path) -> R:
    """The record of `kind` in the file at `path`.

    Raises:
        MissingInputError: there is no such file.
        InvalidRecordError: see `decode`.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise MissingInputError(f"cannot be read: {error.strerror or error}", where=path) from error
    return decode(kind, content, where=path)


def json_schema(kind: type[Record]) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a record."""
    return msgspec.json.schema(kind)
