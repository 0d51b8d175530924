"""`DataPipeline`: the data pipeline's steps for data of one's own, asynchronous.

It has no steps of its own: a schema and a feature configuration become a declaration and a suite, and
`mlops.data_pipeline.steps` does with them what it does with a data set of the tree.
"""

from __future__ import annotations

import asyncio
import dataclasses
import re
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from msgspec import convert

from mlops.config import Workspace
from mlops.data_pipeline import steps
from mlops.data_pipeline.dataset import Dataset
from mlops.data_pipeline.interface import declaration
from mlops.data_pipeline.interface.records import (
    DataRun,
    DataSchema,
    FeatureEngineeringConfig,
    QualityReport,
    RunStatus,
)
from mlops.data_pipeline.interface.store import Store
from mlops.data_pipeline.quality import checks
from mlops.data_pipeline.versioning import versions
from mlops.data_pipeline.versioning.differences import expectation
from mlops.errors import UsageError
from mlops.records import CheckResult, DataVersion, Source
from mlops.records.base import now

R = TypeVar("R")


class DataPipeline:
    """Runs data through ingest, validate, process, check and version, and remembers it.

    Args:
        database_url: SQLAlchemy's; SQLite or PostgreSQL. Schemas, feature configurations, runs and quality are there.
        data_dir: Where the versions are kept; `mlops data version list PIPELINE --repository data_dir` shows them.
    """

    def __init__(self, database_url: str, data_dir: str | Path) -> None:
        self.places = Workspace(Path(data_dir).expanduser().resolve())
        self._store = Store(database_url)

    async def create_schema(self, schema: DataSchema) -> str:
        """Keep a schema and return its id; one is made where `schema_id` is "".

        Raises:
            UsageError: a type or a field is unknown, or another schema has the id.
        """
        kept = dataclasses.replace(schema, schema_id=schema.schema_id or uuid.uuid4().hex)
        declaration.check(kept)
        await _beside(self._store.add_schema, kept)
        return kept.schema_id

    async def create_feature_config(self, config: FeatureEngineeringConfig) -> str:
        """Keep a feature configuration and return its id; one is made where `config_id` is "".

        Raises:
            UsageError: a method is unknown, or another configuration has the id.
        """
        kept = dataclasses.replace(config, config_id=config.config_id or uuid.uuid4().hex)
        declaration.check_features(kept)
        await _beside(self._store.add_features, kept)
        return kept.config_id

    async def get_schema(self, schema_id: str) -> DataSchema:
        """A schema by its id. Raises MissingInputError where there is none."""
        return await _beside(self._store.schema, schema_id)

    async def get_feature_config(self, config_id: str) -> FeatureEngineeringConfig:
        """A feature configuration by its id. Raises MissingInputError where there is none."""
        return await _beside(self._store.features, config_id)

    async def run_pipeline(
        self, pipeline_id: str, input_data_path: str | Path, schema_id: str, feature_config_id: str = ""
    ) -> str:
        """Run the data at a path or address through the pipeline and return the run's id.

        A run that is cancelled ends after the step that it is in, and writes no version.

        Raises:
            UsageError: `pipeline_id` is no name.
            MissingInputError: there is no such file, schema or feature configuration.
            BadDataError: the data is not what the schema says; the run is kept as failed, with the reason.
        """
        _check_name(pipeline_id)
        schema = await self.get_schema(schema_id)
        features = await self.get_feature_config(feature_config_id) if feature_config_id else None
        run = DataRun(
            run_id=uuid.uuid4().hex, pipeline_id=pipeline_id, status=RunStatus.RUNNING, started=now(), finished=None,
            version=None, steps={}, input_data_path=str(input_data_path), schema_id=schema_id,
            feature_config_id=feature_config_id, error=None,
        )
        await _beside(self._store.put_run, run)
        done: dict[str, Any] = {}
        ended: tuple[RunStatus, str | None, str | None] = (RunStatus.FAILED, None, "stopped")
        try:
            version = await self._steps(run, schema, features, done)
            ended = RunStatus.SUCCESS, version.version, None
        except asyncio.CancelledError:
            ended = RunStatus.CANCELLED, None, "cancelled"
            raise
        except Exception as error:
            ended = RunStatus.FAILED, None, str(error)
            raise
        finally:
            await _beside(shutil.rmtree, self._work(run), True)  # what is wanted of it is in the store by now
            status, made, why = ended
            await _beside(self._store.put_run, dataclasses.replace(
                run, status=status, finished=now(), version=made, steps=done, error=why
            ))
        return run.run_id

    async def get_run(self, run_id: str) -> DataRun:
        """A run by its id. Raises MissingInputError where there is none."""
        return await _beside(self._store.run, run_id)

    async def list_runs(self, pipeline_id: str | None = None, limit: int = 50, offset: int = 0) -> list[DataRun]:
        """Runs of one pipeline, or all, the newest first."""
        return await _beside(self._store.runs, pipeline_id, limit, offset)

    async def get_quality(self, run_id: str) -> QualityReport:
        """The quality of what a run took in. Raises MissingInputError where it did not come so far."""
        return await _beside(self._store.quality, run_id)

    async def validate_data(self, input_data_path: str | Path, schema_id: str) -> QualityReport:
        """Judge the data at a path or address by a schema; nothing is kept.

        Bad data is no error here: `success` says so, `issues` why.

        Raises:
            MissingInputError: there is no such file or schema.
        """
        schema = await self.get_schema(schema_id)
        return await _beside(self._judge, schema, str(input_data_path))

    async def load(self, run_id: str, part: str = "train") -> Any:
        """The rows of one part (`train`, `test`) of the version that a run made, as a Polars frame.

        Raises:
            MissingInputError: there is no such run.
            UsageError: it made no version, or the version has no such part.
            IntegrityError: the bytes are not the version's.
        """
        run = await self.get_run(run_id)
        if run.version is None:
            raise UsageError(f"the run {run_id!r} made no version", mend="see its `error`")
        return await _beside(self._read, run.pipeline_id, run.version, part)

    async def _steps(
        self, run: DataRun, schema: DataSchema, features: FeatureEngineeringConfig | None, done: dict[str, Any]
    ) -> DataVersion:
        folder = self._work(run)
        dataset = await _beside(
            declaration.write, folder, self.places.repository, run.pipeline_id, _absolute(run.input_data_path), schema,
            features,
        )
        source = await _beside(self._ingest, dataset, folder)
        done["ingest"] = {"rows": source.rows, "sha256": source.sha256, "wrong_cells": source.wrong_cells}
        verdict = await _beside(steps.validate, self.places, dataset, folder)
        done["validate"] = {"evaluated": verdict.evaluated, "successful": verdict.successful}
        done["process"] = await _beside(steps.process, self.places, dataset, folder)
        results = await _beside(steps.check, self.places, dataset, folder)
        done["check"] = {each.name: each.message for each in results if not each.success}
        version = await _beside(steps.version, self.places, dataset, folder)
        await _beside(self._store.put_quality, run.run_id, _quality(version))
        done["version"] = {"version": version.version, "fingerprint": version.fingerprint}
        return version

    def _work(self, run: DataRun) -> Path:
        return self.places.data_work(run.pipeline_id, run.run_id)

    def _ingest(self, dataset: Dataset, folder: Path) -> Source:
        source = steps.ingest(self.places, dataset, folder)
        steps.refuse(dataset, [_cells(source)], source.location)
        return source

    def _judge(self, schema: DataSchema, path: str) -> QualityReport:
        import tempfile

        from mlops.data_pipeline.versioning import score
        from mlops.data_pipeline.judge import judge

        with tempfile.TemporaryDirectory(prefix="mlops-schema-") as top:
            dataset = declaration.write(Path(top), Path(top), schema.name, _absolute(path), schema, None)
            found = judge(dataset)
            results = [convert(each, CheckResult) for each in found.document["checks"]]
            rows, missing = 0, dict[str, float]()
            if found.source is not None:
                results.append(_cells(found.source))
                rows, missing = found.source.rows, found.missing
        aspects = score.parts(found.document["results"], results)
        failed = [f"{each.name}: {each.message}" for each in results if not each.success]
        failed += [expectation(each) for each in found.document["results"] if not each["success"]]
        return QualityReport(
            dataset=schema.name, version=None, rows=rows, score=score.whole(aspects),
            parts={each.name: each.score for each in aspects}, missing=missing, issues=failed,
            success=found.verdict == "pass" and not checks.blocking(results),
        )

    def _read(self, pipeline: str, version: str, part: str) -> Any:
        import polars as pl

        found = versions.find(self.places, pipeline, version)
        for split in found.record.splits:
            if split.name == part:
                found.verify()
                return pl.read_parquet(found.part(split))
        names = ", ".join(split.name for split in found.record.splits)
        raise UsageError(f"version {version} has no part {part!r}", mend=f"its parts are {names}")


async def _beside(function: Callable[..., R], *arguments: Any) -> R:
    """Call `function` in a thread, off the event loop.

    A cancelled caller is told when the function has ended, not before: after that nothing is written any more.
    """
    work = asyncio.ensure_future(asyncio.to_thread(function, *arguments))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.wait([work])
        if not work.cancelled():
            work.exception()  # seen: the cancellation is what the caller hears of
        raise


def _check_name(pipeline_id: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,100}", pipeline_id):
        raise UsageError(
            f"{pipeline_id!r} is no pipeline's name", mend="use letters, digits, hyphens, dots and underscores"
        )


def _absolute(path: str) -> str:
    return path if "://" in path else str(Path(path).expanduser().resolve())


def _cells(source: Source) -> CheckResult:
    """Whether every cell is of its declared type, and filled where it must be."""
    listed = "; ".join(cell.told() for cell in source.wrong)
    return CheckResult(
        name="readable cells", success=not source.wrong_cells, severity="block",
        message=f"{source.wrong_cells} cells are not what the schema says: {listed}" if listed else "as declared",
    )


def _quality(version: DataVersion) -> QualityReport:
    failed = [each for each in version.checks if not each.success]
    return QualityReport(
        dataset=version.dataset, version=version.version, rows=version.source.rows, score=version.quality,
        parts={each.name: each.score for each in version.quality_parts}, success=version.validation.success,
        missing=version.missing, issues=[f"{each.name}: {each.message}" for each in failed],
    )
