"""MLflow's files after their folder was moved, or restored into another checkout.

MLflow writes absolute addresses of its artifacts into its tables. Where a SQLite store and its artifacts
come back under another path (a cache of CI, a clone that was moved), these lead to where the files were:
to nothing, or worse, into the folder of somebody else. They are brought to the present place in one
transaction, all or none.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

_COLUMNS = (
    ("experiments", "artifact_location"), ("runs", "artifact_uri"), ("logged_models", "artifact_location"),
    ("model_versions", "storage_location"), ("model_versions", "source"),
)
_BUSY_SECONDS = 30.0


def follow(database: Path, artifacts: Path) -> list[str]:
    """Make the addresses of a store lead into `artifacts` where its files have moved there; the roots left behind.

    A root was left when it is gone, or when every model that the store knows below it is in `artifacts` too
    (a copy). Another one stays what it is: files may be kept in several places.

    Args:
        database: SQLite's file; nothing is done where it, or MLflow's tables, are not there.
        artifacts: The folder that the settings name.

    Raises:
        sqlite3.Error: the file is no database, or cannot be written.
    """
    if not database.is_file():
        return []
    here = artifacts.resolve().as_uri()
    with closing(sqlite3.connect(database, timeout=_BUSY_SECONDS, isolation_level=None)) as connection:
        left = [root for root in _roots(connection) if root != here and _was_left(connection, root, artifacts)]
        if left:
            connection.execute("BEGIN IMMEDIATE")
            for root in left:
                for table, column in _COLUMNS:
                    connection.execute(
                        f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?",
                        (here, len(root) + 1, len(root) + 1, f"{root}/"),
                    )
            connection.execute("COMMIT")
    return left


def _roots(connection: sqlite3.Connection) -> set[str]:
    """The folders that hold the experiments' folders."""
    known = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not known.issuperset(table for table, _ in _COLUMNS):
        return set()
    rows = connection.execute("SELECT DISTINCT artifact_location FROM experiments").fetchall()
    return {row[0].rpartition("/")[0] for row in rows if row[0] and row[0].startswith("file:///")}


def _was_left(connection: sqlite3.Connection, root: str, artifacts: Path) -> bool:
    old = Path(unquote(urlsplit(root).path))
    if not os.path.exists(old):  # nor readable: somebody else's
        return old.name == artifacts.name
    rows = connection.execute(
        "SELECT artifact_location FROM logged_models WHERE substr(artifact_location, 1, ?) = ?",
        (len(root) + 1, f"{root}/"),
    ).fetchall()
    tails = [unquote(row[0][len(root) + 1:]) for row in rows]
    return bool(tails) and all((artifacts / tail).is_dir() for tail in tails)
