"""The platform's database: one URL, SQLite on a laptop, PostgreSQL where several machines share it.

MLflow may live on the same URL. Our tables carry the prefix `mlops_` and their own Alembic version
table, so that neither sees the other. The functions take a URL, which `ConfigManager` has as
`settings.database.url`; only `test_connection` and `get_connection_info` read the settings themselves.

    migrate(url)                                            make or update the tables, once or many times
    add(url, "runs", {"id": "…", "started": "…"})           write a row; the same key again replaces it
    rows(url, "runs", limit=10, outcome="success")          read rows, the newest first
"""

from mlops.database.connections import dispose, engine, hidden
from mlops.database.information import get_connection_info, test_connection
from mlops.database.schema import HEAD, migrate, revision
from mlops.database.store import add, rows

__all__ = [
    "HEAD", "add", "dispose", "engine", "get_connection_info", "hidden", "migrate", "revision", "rows",
    "test_connection",
]
