"""The data pipeline: ingest → validate → process → check → version, for each data set."""

from __future__ import annotations

import datetime
import uuid
from pathlib import Path
from typing import Any

from mlops import documents, product
from mlops.errors import InvalidRecordError, MissingInputError
from mlops.named_files import is_pattern, local_files
from mlops.pipelines.handover import data_folder, published, version_file
from mlops.pipelines.steps import GIVEN, Run, Step, state_path
from mlops.records import DataVersion, read
from mlops.records.receipt import Artifact
from mlops.sources import Sources

_HERE = "mlops.pipelines.declared.data"


def steps(run: Run, sources: Sources) -> list[Step]:
    """The steps of all data sets of the tree."""
    return [
        step for name in product.names(run.repository, product.DATASETS) for step in _dataset_steps(run, sources, name)
    ]


def taking_data(repository: Path, sources: Sources) -> tuple[str, ...]:
    """The data sets that a file of the user's own stands in for."""
    return tuple(
        name for name in product.names(repository, product.DATASETS)
        if sources.derived(f"{product.DATASETS}/{name}.yaml", "document", documents.mapping).get("takes_data") is True
    )


def _dataset_steps(run: Run, sources: Sources, name: str) -> list[Step]:
    config = f"{product.DATASETS}/{name}.yaml"
    declared = sources.derived(config, "document", documents.mapping)
    given = run.variant(name) == GIVEN
    locations = [str(run.source)] if given else _locations(declared.get("source"))
    work = data_folder(run, name)

    def at(*names: str) -> tuple[str, ...]:
        return tuple(state_path(run, work / each) for each in names)

    def step(step_name: str, needs: str | None, beside: tuple[str, ...] = (), **more: Any) -> Step:
        return Step(
            pipeline="data", name=step_name, subject=name, function=f"{_HERE}:{step_name}",
            needs=(*((f"data/{needs}/{name}",) if needs else ()), *beside), **more,
        )

    remote = [each for each in locations if "://" in each]
    callables = [each for each in locations if ":" in each and not given and not remote]
    here = [each for each in locations if each not in remote and each not in callables]
    ingested = at("ingested.parquet", "source.json")
    learnt = ("train.sources.parquet", "test.sources.parquet", "features.json") if declared.get("features") else ()
    suite = str(declared.get("suite", config))
    asked = (suite,) if declared.get("quarantine") else ()  # rows that break the suite are set aside on the way in
    others = tuple(other for other in _targets(declared) if other in product.names(run.repository, product.DATASETS))
    return [
        step(
            "ingest", None, files=(config, *asked, *(path for each in here for path in _files(run, each))),
            outputs=ingested, optional=at("quarantine.parquet") if asked else (), product=tuple(callables),
            beyond=_always if remote else None,
        ),
        step(
            "validate", "ingest", files=(config, suite), states=ingested,
            outputs=at("validation.json", "validation-record.json"), beyond=_engine,
        ),
        step(  # drawing takes Great Expectations seconds to start: beside the way, in a process of its own
            "docs", "validate", files=(config,), states=at("validation.json", "source.json"), lane="docs",
            outputs=(state_path(run, _page(run, name, work)),),
        ),
        step(
            "process", "validate", files=(config,), states=ingested,
            product=(declared["process"],) if declared.get("process") else (),
            outputs=at("processed.parquet", "train.parquet", "test.parquet", "parts.json", *learnt),
        ),
        step(
            "check", "process", files=(config, *_referenced(run, declared)), outputs=at("checks.json"),
            states=(
                *at("ingested.parquet", "processed.parquet", "train.parquet", "test.parquet", "parts.json"),
                *(state_path(run, version_file(run, other)) for other in others),
            ),
            beside=tuple(f"data/version/{other}" for other in others),
            beyond=_today if _checks(declared).get("freshness") else None,
        ),
        step(
            "version", "check", files=(config,), outputs=at("version.json"), holds=lambda run: _published(run, name),
            states=at(
                "source.json", "validation-record.json", "train.parquet", "test.parquet", "parts.json", "checks.json",
                *learnt,
            ),
        ),
    ]


def _published(run: Run, name: str) -> str | None:
    """Whether the version that the record names is published, with all its files."""
    try:
        made = read(DataVersion, data_folder(run, name) / "version.json")
    except (MissingInputError, InvalidRecordError):
        return "the version's record cannot be read"
    place = published(run, name, made.version)
    files = [*(part.file for part in made.splits), *made.features]
    there = place.is_file() and all((place.parent / file).is_file() for file in files)
    return None if there else f"version {made.version} is not published"


def _checks(declared: dict[str, Any]) -> dict[str, Any]:
    found = declared.get("checks")
    return found if isinstance(found, dict) else {}


def _referenced(run: Run, declared: dict[str, Any]) -> tuple[str, ...]:
    """The files of the tree that the data set's references point to."""
    return tuple(target for target in _targets(declared) if (run.repository / target).is_file())


def _targets(declared: dict[str, Any]) -> list[str]:
    """What the references point to: files of the tree, and other data sets."""
    references = _checks(declared).get("references")
    return sorted({str(each.get("to", "")) for each in references or [] if isinstance(each, dict)})


def _today(run: Run) -> list[Artifact]:
    """Rows grow older without a change."""
    return [Artifact(namespace="time", name="today", hash=datetime.datetime.now(datetime.UTC).date().isoformat())]


def _locations(source: Any) -> list[str]:
    """What `source` of a data set's file names: paths, addresses, a callable; a database's file as its path."""
    if not isinstance(source, dict):
        return [str(source or "")]
    database = str(source.get("database") or "")
    if database.startswith("sqlite:///"):
        return [database.removeprefix("sqlite:///").partition("?")[0]]
    return [database] if database else [str(each) for each in source.get("paths") or [source.get("path") or ""]]


def _files(run: Run, location: str) -> list[str]:
    """The files that a path, a folder or a pattern names, for their content to be an input."""
    place = run.repository / location
    if not place.is_dir() and not is_pattern(location):
        return [location]
    found = [path for _, path in local_files(location, run.repository)]
    return [path.relative_to(run.repository).as_posix() if path.is_relative_to(run.repository) else str(path)
            for path in found]


def _always(run: Run) -> list[Artifact]:
    """An address may hold other bytes at any time: it is fetched in every run."""
    return [Artifact(namespace="address", name=str(run.source), hash=uuid.uuid4().hex)]


def ingest(run: Run, name: str) -> dict[str, Any]:
    """Read the source into one typed file."""
    from mlops.data_pipeline import read_dataset, steps

    dataset = read_dataset(run.repository, name)
    given = run.source if run.variant(name) == GIVEN else None
    source = steps.ingest(run.places, dataset, data_folder(run, name), given)
    return {
        "rows": source.rows, "aside": source.quarantined, "source": source.location, "simulated": source.simulated,
    }


def _engine(run: Run) -> list[Artifact]:
    """The engine that runs suites is a setting, and another one is asked anew."""
    return [Artifact(namespace="setting", name="validation.engine", hash=run.settings.validation.engine)]


def _page(run: Run, name: str, work: Path) -> Path:
    """The Data Docs page of a work folder, see `data_pipeline.steps.docs_folder`."""
    return run.places.reports / "data_docs" / (name if work.name == "default" else f"{name}.{work.name}") / "index.html"


def validate(run: Run, name: str) -> dict[str, Any]:
    """Hold the data against its Great Expectations suite."""
    from mlops.data_pipeline import read_dataset, steps

    verdict = steps.validate(
        run.places, read_dataset(run.repository, name), data_folder(run, name), run.settings.validation.engine)
    return {"expectations": f"{verdict.successful}/{verdict.evaluated}", "report": verdict.report}


def docs(run: Run, name: str) -> dict[str, Any]:
    """Draw the Data Docs page of the result."""
    from mlops.data_pipeline import read_dataset, steps

    page = steps.docs(run.places, read_dataset(run.repository, name), data_folder(run, name))
    return {"page": page.relative_to(run.repository).as_posix()}


def process(run: Run, name: str) -> dict[str, Any]:
    """Clean the rows and split off the held-out ones."""
    from mlops.data_pipeline import read_dataset, steps

    return dict(steps.process(run.places, read_dataset(run.repository, name), data_folder(run, name)))


def check(run: Run, name: str) -> dict[str, Any]:
    """Check what no expectation states: duplicates, leakage, volume, labels."""
    from mlops.data_pipeline import read_dataset, steps

    results = steps.check(run.places, read_dataset(run.repository, name), data_folder(run, name))
    warnings = [each.message for each in results if not each.success]
    return {"checks": f"{sum(each.success for each in results)}/{len(results)}", "warnings": warnings}


def version(run: Run, name: str) -> dict[str, Any]:
    """Publish the version under its fingerprint, with the sketch that later data is compared with."""
    from mlops.data_pipeline import read_dataset, steps
    from mlops.drift.sides import reference_of

    made = steps.version(run.places, read_dataset(run.repository, name), data_folder(run, name))
    reference_of(run.places, name, made.version)
    return {"version": made.version, "rows": made.rows, "quality": made.quality, "simulated": made.source.simulated}
