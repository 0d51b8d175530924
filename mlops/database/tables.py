"""The tables as SQLAlchemy knows them. A test compares them with what the migrations make."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import MetaData, Table

PREFIX = "mlops_"

# table → the column that orders it in time
TIME: dict[str, str] = {
    "runs": "started", "releases": "created", "model_moves": "at", "data_versions": "created",
    "models": "created", "data_runs": "started", "data_quality": "created", "data_schemas": "created",
    "data_features": "created",
}
TIMES = frozenset({"started", "finished", "created", "at"})
"""Columns that hold a moment, as ISO 8601 text in UTC with microseconds: so text order is time order."""


@cache
def metadata() -> MetaData:
    """All tables; their names carry the prefix, here `tables()["runs"]` is `mlops_runs`."""
    from sqlalchemy import (
        JSON,
        BigInteger,
        Boolean,
        Column,
        Index,
        Integer,
        MetaData,
        String,
        Table,
        Text,
    )
    from sqlalchemy.dialects.postgresql import JSONB

    def document() -> Column[object]:
        return Column("document", JSON().with_variant(JSONB(), "postgresql"), nullable=False)

    def time(name: str, *, nullable: bool = False) -> Column[str]:
        return Column(name, String(32), nullable=nullable)

    known = MetaData()
    Table(
        "mlops_runs", known, Column("id", String(64), primary_key=True),
        time("started"), time("finished", nullable=True), Column("outcome", String(32)),
        Column("event", String(64)), Column("commit", String(64)), document(),
        Index("ix_mlops_runs_started", "started"),
    )
    Table(
        "mlops_releases", known, Column("id", String(64), primary_key=True),
        time("created"), Column("kind", String(32)), Column("commit", String(64)),
        Column("outcome", String(32)), document(),
        Index("ix_mlops_releases_created", "created"),
    )
    Table(
        "mlops_model_moves", known, Column("id", Integer, primary_key=True, autoincrement=True),
        Column("model", String(255), nullable=False), Column("version", String(64), nullable=False),
        Column("source", String(64)), Column("target", String(64)), Column("who", String(255)), time("at"),
        Column("why", Text), Column("verdict", String(32)),
        Index("ix_mlops_model_moves_model", "model", "at"),
    )
    Table(
        "mlops_data_versions", known, Column("dataset", String(255), primary_key=True),
        Column("version", String(64), primary_key=True), time("created"), Column("rows", BigInteger),
        Column("success", Boolean), Column("simulated", Boolean), document(),
        Index("ix_mlops_data_versions_created", "created"),
    )
    Table(
        "mlops_models", known, Column("model", String(255), primary_key=True),
        Column("version", String(64), primary_key=True), time("created"), Column("verdict", String(32)),
        Column("run_id", String(64)), document(),
        Index("ix_mlops_models_created", "created"),
    )
    _data_pipeline(known, time, document)
    return known


def _data_pipeline(known: MetaData, time: Any, document: Any) -> None:
    """What the data pipeline's library classes keep, and the quality of each version."""
    from sqlalchemy import Boolean, Column, Float, Index, String, Table

    Table(
        "mlops_data_schemas", known, Column("id", String(64), primary_key=True),
        Column("name", String(255), nullable=False), Column("version", String(64), nullable=False), time("created"),
        document(), Index("ix_mlops_data_schemas_created", "created"),
    )
    Table(
        "mlops_data_features", known, Column("id", String(64), primary_key=True),
        Column("name", String(255), nullable=False), time("created"), document(),
        Index("ix_mlops_data_features_created", "created"),
    )
    Table(
        "mlops_data_runs", known, Column("id", String(64), primary_key=True),
        Column("pipeline", String(255), nullable=False), time("started"), time("finished", nullable=True),
        Column("outcome", String(32)), Column("version", String(64)), document(),
        Index("ix_mlops_data_runs_started", "started"),
    )
    Table(
        "mlops_data_quality", known, Column("id", String(64), primary_key=True),
        Column("dataset", String(255), nullable=False), Column("version", String(64)), time("created"),
        Column("score", Float), Column("success", Boolean), document(),
        Index("ix_mlops_data_quality_created", "created"),
    )


def table(name: str) -> Table:
    """The table `name`, written without its prefix.

    Raises:
        UsageError: there is no such table.
    """
    from mlops.errors import UsageError

    found = metadata().tables.get(PREFIX + name)
    if found is None:
        raise UsageError(f"there is no table {name!r}", mend=f"the tables are {', '.join(TIME)}")
    return found
