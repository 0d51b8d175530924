"""Writing and reading rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

from mlops.database.connections import hidden, reading, writing
from mlops.errors import InvalidRecordError, TerminalError, UsageError


def add(url: str, table: str, values: Mapping[str, Any]) -> None:
    """Write a row; one with the same primary key is replaced wholly.

    Args:
        url: The database, migrated.
        table: One of `tables.TIME`, such as `runs`.
        values: Column → value. Moments are ISO 8601 text with a zone, or aware datetimes; `document` is
            anything that JSON can hold, or a record. Columns left out are empty.

    Raises:
        UsageError: there is no such table or column, or a column that must be filled is not.
        InvalidRecordError: a moment is none, or has no zone.
        MissingInputError: the database has not been migrated.
        MlopsError: it cannot be written, see `connections.explained`.
    """
    from sqlalchemy.dialects import postgresql, sqlite

    from mlops.database import tables

    target = tables.table(table)
    _known(table, values)
    row = {name: _value(name, values[name], table) for name in values}
    if "document" in target.columns:
        row.setdefault("document", {})
    keys = [column.name for column in target.primary_key]
    for column in target.columns:
        if not column.nullable and row.get(column.name) is None and column.autoincrement is not True:
            raise UsageError(
                f"column {column.name!r} is empty", where=f"table {table}", mend=f"give {column.name}=…"
            )
    dialects: dict[str, Callable[..., Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
    with writing(url) as connection:
        if connection.dialect.name not in dialects:
            raise TerminalError(
                f"{connection.dialect.name} cannot hold the platform's tables", where=hidden(url),
                mend="use sqlite or postgresql",
            )
        statement = dialects[connection.dialect.name](target).values(row)
        rest = {name: statement.excluded[name] for name in target.columns.keys() if name not in keys}
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=rest))


def rows(
    url: str, table: str, *, limit: int | None = 100, newest_first: bool = True, **equal: Any
) -> list[dict[str, Any]]:
    """Rows as dictionaries, in the order of their time.

    Args:
        url: The database, migrated.
        table: See `add`.
        limit: At most so many rows; None for all.
        newest_first: Or the oldest first.
        equal: Column → the value that it must have; None finds empty ones.

    Raises:
        UsageError: there is no such table or column.
        MissingInputError: the database is not there, or has not been migrated.
        MlopsError: it cannot be read, see `connections.explained`.
    """
    from sqlalchemy import func, select

    from mlops.database import tables

    source = tables.table(table)
    _known(table, equal)
    query = select(source).where(*(source.c[name] == _value(name, equal[name], table) for name in equal))
    # Versions and ids are text that counts: r9 comes before r10.
    keys = [part for column in source.primary_key for part in
            ([column] if column.type.python_type is int else [func.length(column), column])]
    order = [source.c[tables.TIME[table]], *keys]
    query = query.order_by(*(part.desc() if newest_first else part.asc() for part in order)).limit(limit)
    with reading(url) as connection:
        return [dict(row._mapping) for row in connection.execute(query)]


def _known(table: str, values: Mapping[str, Any]) -> None:
    from mlops.database import tables

    columns = tables.table(table).columns.keys()
    unknown = [name for name in values if name not in columns]
    if unknown:
        raise UsageError(
            f"there is no column {unknown[0]!r}", where=f"table {table}",
            mend=f"its columns are {', '.join(columns)}",
        )


def _value(name: str, value: Any, table: str) -> Any:
    from mlops.database import tables

    if value is None or name not in tables.TIMES:
        return value
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError as error:
        raise InvalidRecordError(f"{value!r} is no moment", where=f"{table}.{name}", mend=_MOMENT) from error
    if moment.tzinfo is None:
        raise InvalidRecordError(f"{value!r} has no time zone", where=f"{table}.{name}", mend=_MOMENT)
    return moment.astimezone(timezone.utc).isoformat(timespec="microseconds")


_MOMENT = "write it like 2026-01-31T12:00:00+00:00"
