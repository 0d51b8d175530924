"""Schemas, feature configurations, runs and quality in the platform's database. Synchronous; called in a thread."""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

from mlops import database
from mlops.data_pipeline.interface.records import (
    DataRun,
    DataSchema,
    FeatureEngineeringConfig,
    QualityReport,
    RunStatus,
)
from mlops.errors import MissingInputError, UsageError
from mlops.records.base import now

STEPS = ("ingest", "validate", "process", "check", "version")
T = TypeVar("T", DataSchema, FeatureEngineeringConfig)


class Store:
    """The tables of one database; made at the first use."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._ready = False

    def add_schema(self, schema: DataSchema) -> None:
        """Keep a schema.

        Raises:
            UsageError: another one has its id.
        """
        self._new("data_schemas", schema.schema_id, schema, name=schema.name, version=schema.version)

    def add_features(self, config: FeatureEngineeringConfig) -> None:
        """Keep a feature configuration.

        Raises:
            UsageError: another one has its id.
        """
        self._new("data_features", config.config_id, config, name=config.name)

    def schema(self, schema_id: str) -> DataSchema:
        """A schema by its id.

        Raises:
            MissingInputError: there is none.
        """
        return self._one("data_schemas", schema_id, DataSchema)

    def features(self, config_id: str) -> FeatureEngineeringConfig:
        """A feature configuration by its id.

        Raises:
            MissingInputError: there is none.
        """
        return self._one("data_features", config_id, FeatureEngineeringConfig)

    def put_run(self, run: DataRun) -> None:
        """Keep a run, in place of what was known of it."""
        database.add(self._url(), "data_runs", {
            "id": run.run_id, "pipeline": run.pipeline_id, "started": run.started, "finished": run.finished,
            "outcome": run.status.value, "version": run.version, "document": dataclasses.asdict(run),
        })

    def run(self, run_id: str) -> DataRun:
        """A run by its id.

        Raises:
            MissingInputError: there is none.
        """
        found = database.rows(self._url(), "data_runs", limit=1, id=run_id)
        if not found:
            raise MissingInputError(f"there is no run {run_id!r}", mend="`list_runs()` has all")
        return _run(found[0]["document"])

    def runs(self, pipeline_id: str | None, limit: int, offset: int) -> list[DataRun]:
        """Runs, the newest first."""
        wanted: dict[str, Any] = {} if pipeline_id is None else {"pipeline": pipeline_id}
        found = database.rows(self._url(), "data_runs", limit=limit + offset, **wanted)
        return [_run(row["document"]) for row in found[offset:]]

    def put_quality(self, key: str, report: QualityReport) -> None:
        """Keep a quality report under `key`, such as a run's id."""
        database.add(self._url(), "data_quality", {
            "id": key, "dataset": report.dataset, "version": report.version, "created": now(), "score": report.score,
            "success": report.success, "document": dataclasses.asdict(report),
        })

    def quality(self, key: str) -> QualityReport:
        """The quality report of a run.

        Raises:
            MissingInputError: there is none: the run did not come so far.
        """
        found = database.rows(self._url(), "data_quality", limit=1, id=key)
        if not found:
            raise MissingInputError(f"there is no quality report of {key!r}", mend="see `get_run` for how far it came")
        return QualityReport(**found[0]["document"])

    def _new(self, table: str, key: str, value: DataSchema | FeatureEngineeringConfig, **columns: str) -> None:
        document = dataclasses.asdict(value)
        if isinstance(value, DataSchema):  # PostgreSQL's JSONB keeps no order of keys, and columns have one
            document["columns"] = [[name, column] for name, column in value.columns.items()]
        found = database.rows(self._url(), table, limit=1, id=key)
        if found and found[0]["document"] != document:
            mend = 'give "" for an id of its own'
            raise UsageError(f"the id {key!r} is taken by another one", where=table, mend=mend)
        if not found:
            database.add(self._url(), table, {"id": key, "created": now(), "document": document, **columns})

    def _one(self, table: str, key: str, kind: type[T]) -> T:
        found = database.rows(self._url(), table, limit=1, id=key)
        if not found:
            raise MissingInputError(f"there is no {kind.__name__} {key!r}", where=table, mend="create it first")
        document = found[0]["document"]
        if kind is DataSchema:
            document = {**document, "columns": dict(document["columns"])}
        return kind(**document)

    def _url(self) -> str:
        if not self._ready:
            database.migrate(self.url)
            self._ready = True
        return self.url


def _run(document: dict[str, Any]) -> DataRun:
    steps = {name: document["steps"][name] for name in STEPS if name in document["steps"]}  # JSONB keeps no order
    return DataRun(**{**document, "status": RunStatus(document["status"]), "steps": steps})
