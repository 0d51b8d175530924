"""Making and updating our tables: Alembic under a lock, in one transaction, and nothing when up to date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mlops.database.connections import hidden, reading, writing
from mlops.errors import ConfigurationError, MissingInputError

if TYPE_CHECKING:
    from sqlalchemy import Connection

VERSION_TABLE = "mlops_alembic_version"
HEAD = "0002"
"""The newest migration. Written here, so that an up-to-date database needs no import of Alembic."""

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x6D6C6F7073  # "mlops": the key of PostgreSQL's advisory lock


def revision(url: str) -> str | None:
    """The migration that the database is at; None where our tables are not there.

    Raises:
        MlopsError: the database cannot be asked, see `connections.explained`.
    """
    try:
        with reading(url) as connection:
            return _current(connection)
    except MissingInputError:
        return None


def migrate(url: str) -> bool:
    """Bring our tables to the newest version; says whether there was anything to do.

    Two processes at once: the second waits, then finds nothing to do. A process that is killed
    leaves the database as it was. Tables of others, such as MLflow's, are not touched.

    Raises:
        ConfigurationError: the database cannot be written, or a newer program has made its tables.
        BusyError, IntegrityError, UnavailableError: see `connections.explained`.
    """
    found = revision(url)
    if found == HEAD:
        return False
    with writing(url) as connection:
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        found = _current(connection)
        if found == HEAD:  # another process was faster
            return False
        _upgrade(connection, found, url)
    return True


def _current(connection: Connection) -> str | None:
    from sqlalchemy import inspect, text

    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    versions = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # a constant
    found: str | None = versions.scalar()
    return found


def _upgrade(connection: Connection, found: str | None, url: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise ConfigurationError(
            f"its tables are at version {found}, which this program does not know",
            where=hidden(url), mend="a newer version has made them: use that one, or another database",
        )
    command.upgrade(config, "head")
