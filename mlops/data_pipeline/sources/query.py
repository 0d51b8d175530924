"""The rows of an SQL query, streamed from PostgreSQL, SQLite or another database that SQLAlchemy knows."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mlops import documents
from mlops.data_pipeline import types
from mlops.data_pipeline.dataset import Dataset
from mlops.data_pipeline.sources.json_lines import untyped
from mlops.data_pipeline.sources.opened import Batch, Loose
from mlops.errors import BadDataError, ConfigurationError, MissingInputError, UnavailableError
from mlops.logs import hide_secrets

if TYPE_CHECKING:
    import sqlalchemy

ROWS = 1 << 15
"""Rows taken from the database at a time."""


@dataclasses.dataclass(frozen=True)
class QueryPart:
    """The rows of the data set's query. Asked twice, it gives the rows that the database has then."""

    dataset: Dataset
    url: str
    name: str

    def digest(self) -> str:
        """Nothing: a query has no bytes."""
        return ""

    def batches(self, loose: Loose) -> Iterator[Batch]:
        """The rows, from one read-only transaction.

        Raises:
            UnavailableError: the database does not answer.
            ConfigurationError: it refuses the query; names file and line.
            BadDataError: two columns of the result have one name.
        """
        import sqlalchemy as sa

        engine = self._engine()
        try:
            with engine.connect() as connection:
                result = connection.execution_options(stream_results=True, yield_per=ROWS).execute(
                    sa.text(self.dataset.reading.query.replace(":", r"\:"))
                )
                names = list(result.keys())
                twice = next((name for number, name in enumerate(names) if name in names[:number]), None)
                if twice is not None:
                    raise BadDataError(
                        f"the query gives two columns {twice!r}", where=self._place, mend="name each with AS"
                    )
                yield self._batch(names, [], loose)
                for rows in result.partitions(ROWS):
                    yield self._batch(names, rows, loose)
        except sa.exc.OperationalError as error:
            raise UnavailableError(
                f"the database does not answer the query: {_reason(error)}", where=self.name,
                mend="check `source.database`, the server and your right to it, then try again",
            ) from error
        except sa.exc.SQLAlchemyError as error:
            raise ConfigurationError(
                f"the query is refused: {_reason(error)}", where=self._place, mend="correct `source.query`"
            ) from error
        finally:
            engine.dispose()

    @property
    def _place(self) -> str:
        return documents.place(self.dataset.file, "source.query")

    def _engine(self) -> sqlalchemy.Engine:
        import sqlalchemy as sa

        where = documents.place(self.dataset.file, "source.database")
        try:
            url = sa.make_url(self.url)
            if url.drivername in ("postgres", "postgresql"):
                url = url.set(drivername="postgresql+psycopg")
            if url.get_backend_name() == "sqlite":
                return self._sqlite(url)
            options: dict[str, Any] = {}
            if url.get_backend_name() == "postgresql":
                options = {"isolation_level": "REPEATABLE READ", "connect_args": {"connect_timeout": 10},
                           "execution_options": {"postgresql_readonly": True}}
            return sa.create_engine(url, poolclass=sa.pool.NullPool, **options)
        except (sa.exc.ArgumentError, ImportError) as error:
            raise ConfigurationError(
                f"is no database that can be opened: {_reason(error)}", where=where,
                mend="write it like postgresql://user:${PASSWORD}@host/name or sqlite:///path/in/the/repository.db",
            ) from error

    def _sqlite(self, url: sqlalchemy.URL) -> sqlalchemy.Engine:
        import sqlite3

        import sqlalchemy as sa

        path = self.dataset.repository / (url.database or "")
        if not path.is_file():
            raise MissingInputError("there is no such database", where=path, mend="check `source.database`")
        address = f"{path.resolve().as_uri()}?mode=ro"
        return sa.create_engine(
            "sqlite://", poolclass=sa.pool.NullPool, creator=lambda: sqlite3.connect(address, uri=True)
        )

    def _batch(self, names: list[str], rows: Any, loose: Loose) -> Batch:
        import polars as pl

        columns = self.dataset.columns
        values = dict(zip(names, zip(*rows))) if rows else {name: () for name in names}
        series, wrong = [], {}
        for name in names:
            if name in loose or name not in columns:
                made = untyped(name, values[name], loose.get(name, "string"))
            else:
                made, bad = types.from_objects(name, values[name], columns[name])
                if bad is not None:
                    wrong[name] = bad
            series.append(made)

        def raw() -> pl.DataFrame:
            return pl.DataFrame([untyped(name, cells) for name, cells in values.items()])

        return Batch(pl.DataFrame(series), wrong, raw)


def open_query(dataset: Dataset) -> QueryPart:
    """The data set's query with the secrets of its database's URL taken from the environment.

    Raises:
        ConfigurationError: a variable that the URL names is not set.
    """
    def value(found: re.Match[str]) -> str:
        if found[1] not in os.environ:
            raise ConfigurationError(
                f"the environment variable {found[1]} is not set",
                where=documents.place(dataset.file, "source.database"), mend=f"set {found[1]}, then try again",
            )
        return os.environ[found[1]]

    url = re.sub(r"\$\{(\w+)\}", value, dataset.reading.database)
    return QueryPart(dataset, url, hide_secrets(url))


def _reason(error: Exception) -> str:
    cause = getattr(error, "orig", None) or error
    text = str(cause).strip()
    return text.splitlines()[0][:200] if text else type(cause).__name__
