"""The steps of the data pipeline: ingest, validate, process, check, version.

Each reads what the step before left in the work folder and leaves its own files there, each whole
or not at all. What a step was run on is written down by checksum and compared by the next, so that a
verdict on other rows is never taken for one on these.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.config import Workspace
from mlops.data_pipeline import intake, process as processing
from mlops.data_pipeline.dataset import Dataset
from mlops.data_pipeline.quality import checks, history, quarantine, wrong_cells
from mlops.data_pipeline.tables import parts
from mlops.data_pipeline.tables.parts import Parts
from mlops.data_pipeline.tables.rows import Rows
from mlops.data_pipeline.tables.scratch import Scratch
from mlops.data_pipeline.tables.table_file import TableWriter, written
from mlops.errors import BadDataError, MissingInputError
from mlops.features.kept import PLAN, sources_file
from mlops.files import sha256_file, write_atomic
from mlops.records import CheckResult, DataVersion, Document, Source, Validation
from mlops.records import read as read_record

if TYPE_CHECKING:
    import polars

INGESTED = "ingested.parquet"
SOURCE = "source.json"
QUARANTINE = "quarantine.parquet"
VALIDATION = "validation.json"
VALIDATION_RECORD = "validation-record.json"
PROCESSED = "processed.parquet"
TRAIN, TEST = parts.FILES
PARTS = "parts.json"
CHECKS = "checks.json"
VERSION = "version.json"


class Checked(Document, frozen=True, kw_only=True):
    """The content of `checks.json`: the results, and the checksums of the files that were checked."""

    dataset: str
    inputs: dict[str, str]
    checks: list[CheckResult]
    missing: dict[str, float] = {}
    categories: dict[str, dict[str, int]] = {}


def ingest(places: Workspace, dataset: Dataset, folder: Path, source: str | None = None) -> Source:
    """Read the source (the data set's own, or the path or address `source`) into `ingested.parquet` and `source.json`.

    Rows that are set aside go to `quarantine.parquet`.

    Raises:
        MissingInputError, UnavailableError, BadDataError, ConfigurationError, BusyError: see `intake.ingest`.
    """
    record = intake.ingest(dataset, folder / INGESTED, source, quarantined=folder / QUARANTINE)
    write_atomic(folder / SOURCE, record.to_json())
    return record


def validate(places: Workspace, dataset: Dataset, folder: Path, engine: str = "compiled") -> Validation:
    """Run the suite on `ingested.parquet`; write `validation.json` and its record.

    Both are written for bad data too, and the Data Docs page, before the error is raised. For good data the page is
    a step of its own, `docs`: Great Expectations, which draws it, takes seconds to start.

    Args:
        engine: The setting `validation.engine`.

    Raises:
        BadDataError: the data breaks the suite; names expectations, columns, rows and values.
        ConfigurationError: the suite is not valid or could not be evaluated.
    """
    from mlops import validation

    suite = validation.read_suite(dataset.suite_path)
    source = read_record(Source, _need(folder / SOURCE, "ingest", dataset))
    ingested = _need(folder / INGESTED, "ingest", dataset)
    digest = sha256_file(ingested)
    if source.table_sha256 != digest or not quarantine.matches(folder / QUARANTINE, source):  # a kill came in between
        raise _stale("ingest", dataset, folder / SOURCE)
    meta = {"dataset": dataset.name, "source": source.location, "simulated": source.simulated}
    outcome = validation.validate(suite, ingested, meta=meta, engine=engine)
    typed = wrong_cells.result(source)
    report = _relative(docs_folder(places, dataset, folder) / "index.html", places.repository)
    record = Validation(
        suite=dataset.suite, suite_sha256=suite.sha256, success=outcome.success and typed.success,
        evaluated=outcome.evaluated, successful=outcome.successful, engine=outcome.engine, report=report,
        data_sha256=digest,
    )
    write_atomic(folder / VALIDATION, _json(outcome.document))
    write_atomic(folder / VALIDATION_RECORD, record.to_json())
    refusal = outcome.refusal(source.location, suite=dataset.suite, report=report)
    if refusal:
        docs(places, dataset, folder)
        raise refusal
    refuse(dataset, [typed], source.location)
    return record


def docs(places: Workspace, dataset: Dataset, folder: Path) -> Path:
    """Write the Data Docs page of the suite's result, drawn by Great Expectations; returns the page.

    Raises:
        MissingInputError: the suite has not been run.
    """
    from mlops import validation

    source = read_record(Source, _need(folder / SOURCE, "ingest", dataset))
    document = json.loads(_need(folder / VALIDATION, "validate", dataset).read_bytes())
    return validation.write_site(
        docs_folder(places, dataset, folder), document, title=dataset.title,
        notes=[f"{source.rows} rows from {source.location}, {source.sha256}."], simulated=source.simulated,
    )


def docs_folder(places: Workspace, dataset: Dataset, folder: Path) -> Path:
    """Where the page of a work folder is: `NAME` for the data set's own data, `NAME.given` for a user's file."""
    name = dataset.name if folder.name == "default" else f"{dataset.name}.{folder.name}"
    return places.reports / "data_docs" / name


def process(places: Workspace, dataset: Dataset, folder: Path) -> dict[str, Any]:
    """Process the validated rows and split them: `processed.parquet`, `train.parquet`, `test.parquet`.

    `parts.json` says what the parts hold. With declared features, both parts hold them; beside them is what the
    training rows taught, and what the features were made of (see `mlops.features.kept`).

    Returns:
        Facts: rows, columns, rows of each part, the fingerprint that the version will have.

    Raises:
        BadDataError: the rows were not validated, or broke the suite.
    """
    rows = _rows(folder / INGESTED, "ingest", dataset)
    _validated(dataset, folder, rows.digest)
    for name in (PARTS, PLAN):  # neither ever stands beside tables that it is not about
        (folder / name).unlink(missing_ok=True)
    with Scratch(folder) as scratch:
        with written(folder / PROCESSED) as whole, parts.writing(dataset, folder) as writer:
            made = processing.split(dataset, _kept(processing.processed(dataset, rows), whole), scratch)
            if dataset.features:
                from mlops.data_pipeline.engineering import engineer

                plan, engineered = engineer(dataset, made, folder, scratch)
                writer.take(engineered)
            else:
                writer.take(made)
        if dataset.features:
            write_atomic(folder / PLAN, plan.to_json())
    record = writer.made(beside=_beside(dataset))
    write_atomic(folder / PARTS, record.to_json())
    return {
        "rows": whole.rows, "columns": whole.width, **{split.name: split.rows for split in record.splits},
        "fingerprint": record.fingerprint,
    }


def _kept(tables: Iterable[polars.DataFrame], writer: TableWriter) -> Iterator[polars.DataFrame]:
    for table in tables:
        writer.add(table)
        yield table


def check(places: Workspace, dataset: Dataset, folder: Path) -> list[CheckResult]:
    """Run the quality checks on the ingested rows and on the two parts; write `checks.json`.

    Raises:
        BadDataError: a check of severity `block` failed.
    """
    rows = _rows(folder / INGESTED, "ingest", dataset)
    train, test = (_rows(folder / name, "process", dataset) for name in parts.FILES)
    source = read_record(Source, folder / SOURCE)
    made = _parts(dataset, folder, {TRAIN: train.digest, TEST: test.digest})
    before = _before(places, dataset, source, made)
    results = [
        wrong_cells.result(source), *quarantine.result(dataset, source),
        *checks.of_table(dataset, rows, places=places, before=before, beside=folder),
        *checks.of_splits(dataset, train, test, beside=folder),
    ]
    checked = Checked(
        dataset=dataset.name, checks=results, missing=rows.missing(),
        categories=history.categories(dataset, rows),
        inputs={INGESTED: rows.digest, TRAIN: train.digest, TEST: test.digest},
    )
    write_atomic(folder / CHECKS, checked.to_json())
    refuse(dataset, results, source.location)
    return results


def _before(places: Workspace, dataset: Dataset, source: Source, made: Parts) -> list[DataVersion]:
    """The versions to compare with, without the one that these rows are."""
    from mlops.data_pipeline.versioning import versions

    limit = dataset.checks.history
    return versions.earlier(places, dataset.name, source, most=limit.versions, but=versions.name_of(made)) if limit \
        else []


def refuse(dataset: Dataset, results: list[CheckResult], where: str) -> None:
    """Raise BadDataError for the checks that block, if there are any."""
    failed = checks.blocking(results)
    if failed:
        lines = "\n".join(f"  - {result.name}: {result.message}" for result in failed)
        raise BadDataError(
            f"the data fails {len(failed)} of {len(results)} checks\n{lines}", where=where,
            mend="correct the data (rows count from 1, the header is not counted); where the data is right, change "
            f"`checks` in {_relative(dataset.file, dataset.repository)}",
        )


def version(places: Workspace, dataset: Dataset, folder: Path) -> DataVersion:
    """Keep the processed rows as a version; write `version.json` into the work folder last.

    Raises:
        BadDataError: what was checked or validated are not these rows, or they failed.
    """
    from mlops.data_pipeline.versioning.versions import keep

    ingested = sha256_file(_need(folder / INGESTED, "ingest", dataset))
    validation = _validated(dataset, folder, ingested)
    checked = read_record(Checked, _need(folder / CHECKS, "check", dataset))
    digests = {name: sha256_file(_need(folder / name, "process", dataset)) for name in parts.FILES}
    if checked.inputs != {INGESTED: ingested, **digests}:
        raise _stale("check", dataset, folder / CHECKS)
    source = read_record(Source, folder / SOURCE)
    refuse(dataset, checked.checks, source.location)
    record = keep(
        places, dataset, _parts(dataset, folder, digests), folder, source=source, validation=validation,
        results=checked.checks, missing=checked.missing, categories=checked.categories,
        result=_need(folder / VALIDATION, "validate", dataset).read_bytes(),
    )
    write_atomic(folder / VERSION, record.to_json())
    return record


def _beside(dataset: Dataset) -> list[str]:
    """What declared features leave beside the parts."""
    return [sources_file("train"), sources_file("test"), PLAN] if dataset.features else []


def _validated(dataset: Dataset, folder: Path, ingested: str) -> Validation:
    """The verdict in the folder, if it is good and on the ingested rows, whose file's checksum is given."""
    record = read_record(Validation, _need(folder / VALIDATION_RECORD, "validate", dataset))
    if record.data_sha256 != ingested or record.suite_sha256 != sha256_file(dataset.suite_path):
        raise _stale("validate", dataset, folder / VALIDATION_RECORD)
    if not record.success:
        raise BadDataError(
            "the data broke its suite", where=folder / VALIDATION,
            mend=f"run `mlops data validate {dataset.name}` to see what is wrong",
        )
    return record


def _rows(path: Path, step: str, dataset: Dataset) -> Rows:
    """A table of the work folder."""
    import polars as pl

    try:
        return Rows(_need(path, step, dataset), name=dataset.name)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise MissingInputError(
            "is damaged", where=path, mend=f"run `mlops data {step} {dataset.name}` to write it again"
        ) from error


def _parts(dataset: Dataset, folder: Path, digests: dict[str, str]) -> Parts:
    """What is known of the parts, whose files' checksums are given."""
    made = read_record(Parts, _need(folder / PARTS, "process", dataset))
    if digests != {split.file: split.sha256 for split in made.splits}:
        raise _stale("process", dataset, folder / PARTS)
    return made


def _need(path: Path, step: str, dataset: Dataset) -> Path:
    if not path.is_file():
        raise MissingInputError(
            f"the step before has not run: {path.name} is missing", where=path,
            mend=f"run `mlops data {step} {dataset.name}` first",
        )
    return path


def _stale(step: str, dataset: Dataset, path: Path) -> BadDataError:
    return BadDataError(
        "is about other data or another suite than what is there now", where=path,
        mend=f"run `mlops data {step} {dataset.name}` again",
    )


def _relative(path: Path, repository: Path) -> str:
    return path.relative_to(repository).as_posix() if path.is_relative_to(repository) else str(path)


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
