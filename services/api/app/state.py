"""The platform's state as the database knows it."""

from __future__ import annotations

from typing import Any

from mlops import database
from mlops.errors import MissingInputError, MlopsError

Row = dict[str, Any]


class State:
    """Reads rows. A database without tables is an empty one: it says so in `note`.

    Args:
        url: The database.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.note: str | None = None

    def rows(self, table: str, limit: int | None = 100, **equal: Any) -> list[Row]:
        """The newest rows of `table`, each with its columns beside those of its document.

        Raises:
            MlopsError: the database does not answer.
        """
        try:
            found = database.rows(self.url, table, limit=limit, **equal)
        except MissingInputError as missing:
            self.note = f"The database is empty: {missing.message}."
            return []
        return [_flat(row) for row in found]

    def problem(self) -> MlopsError | None:
        """Why the database cannot be read; None where it answers, also when it is empty."""
        try:
            self.rows("runs", limit=1)
        except MlopsError as error:
            return error
        return None

    def runs(self, limit: int = 20, outcome: str | None = None) -> list[Row]:
        """The last runs, without their inputs and outputs file by file."""
        equal = {"outcome": outcome} if outcome else {}
        return [_brief(row) for row in self.rows("runs", limit, **equal)]

    def models(self) -> list[Row]:
        """Each model with its versions and moves, the newest first, in the order of names."""
        versions, moves = self.rows("models", None), self.rows("model_moves", None)
        names = sorted({row["model"] for row in [*versions, *moves]})
        return [
            {
                "model": name,
                "versions": [row for row in versions if row["model"] == name],
                "moved": [row for row in moves if row["model"] == name],
            }
            for name in names
        ]

    def data(self) -> list[Row]:
        """Each data set with its versions, the newest first, in the order of names."""
        versions = self.rows("data_versions", None)
        names = sorted({row["dataset"] for row in versions})
        return [{"dataset": name, "versions": [row for row in versions if row["dataset"] == name]} for name in names]


def _flat(row: Row) -> Row:
    document = row.pop("document", None)
    return {**(document if isinstance(document, dict) else {}), **row}


_STEP = ("pipeline", "step", "subject", "outcome", "seconds", "reason", "error", "facts")


def _brief(row: Row) -> Row:
    """A run's receipts without the hash of every file that went in."""
    receipts = [
        {key: each.get(key) for key in _STEP}
        for each in row.get("receipts") or []
        if isinstance(each, dict)
    ]
    return {key: value for key, value in row.items() if key not in ("receipts", "changed")} | {"steps": receipts}
