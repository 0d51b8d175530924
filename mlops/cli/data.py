"""`mlops data`: ingest, validate, process, check, version and publish a data set."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from mlops.cli import data_profile, data_versions
from mlops.cli.common import (
    HERE, Format, FormatOption, RepositoryOption, new_app, open_workspace, print_json, print_table,
)
from mlops.cli.data_versions import GivenOption
from mlops.cli.declared import Argument, Exit, Option
from mlops.cli.drift import drift
from mlops.config import Workspace

if TYPE_CHECKING:
    from mlops.data_pipeline import Dataset
    from mlops.records import Receipt, Validation

app = new_app(
    "Ingest, validate, process, check, version and publish a data set (a file under data/datasets/).",
    no_args_is_help=True,
)

NameArgument = Annotated[
    str, Argument(help="The data set: the stem of its file in data/datasets/.", metavar="DATASET")
]
SourceOption = Annotated[
    str | None, Option(
        "--source", help="For the set's own: a file (CSV, JSON lines, Parquet, Arrow; compressed or not), a folder, a "
        "pattern, or an http(s) or s3 address.")
]


def _open(repository: Path, name: str, given: bool) -> tuple[Workspace, Dataset, Path]:
    from mlops.data_pipeline import read_dataset

    places, _ = open_workspace(repository)
    dataset = read_dataset(places.repository, name)
    return places, dataset, places.data_work(name, "given" if given else "default")


@app.command()
def ingest(
    name: NameArgument, source: SourceOption = None, format: FormatOption = Format.TABLE,
    repository: RepositoryOption = HERE,
) -> None:
    """Read the data set's source, or the file or address --source, into the work folder."""
    from mlops.data_pipeline import steps

    places, dataset, folder = _open(repository, name, source is not None)
    record = steps.ingest(places, dataset, folder, source)
    if format is Format.JSON:
        return print_json(record)
    label = "simulated" if record.simulated else "as given" if source else "real"
    print(f"{name}: {record.rows} rows from {record.location} ({label}), {record.sha256}")
    if record.quarantined:
        print(f"  {record.quarantined} rows are set aside, see {folder / steps.QUARANTINE}: {record.why_aside()}")
    elif record.wrong_cells:
        told = "".join(f"\n  - {cell.told()}" for cell in record.wrong[:10])
        print(f"  {record.wrong_cells} cells are not as declared; `mlops data validate` refuses them:{told}")


@app.command()
def validate(
    name: Annotated[str | None, Argument(metavar="[DATASET]", help="The data set.")] = None,
    dataset: Annotated[str | None, Option("--dataset", help="The same as DATASET.")] = None,
    source: SourceOption = None, given: GivenOption = False, format: FormatOption = Format.TABLE,
    repository: RepositoryOption = HERE,
) -> None:
    """Run the suite. With --source the file is judged, checks and all, and nothing is written."""
    from mlops.errors import UsageError

    if bool(name) == bool(dataset):
        raise UsageError("name one data set", mend="mlops data validate DATASET, or --dataset DATASET")
    places, declared, folder = _open(repository, name or dataset or "", given)
    engine = open_workspace(repository)[1].validation.engine
    if source is None:
        from mlops.data_pipeline import steps

        record = _validated(places, declared, folder, engine)
        if format is Format.JSON:
            print((folder / steps.VALIDATION).read_text(encoding="utf-8"), end="")
        else:
            held = f"{record.successful} of {record.evaluated} expectations hold"
            print(f"{declared.name}: {held}; `mlops data docs {declared.name}` draws the page {record.report}")
        return
    from mlops.data_pipeline.judge import judge

    judgement = judge(declared, source, engine=engine)
    if judgement.verdict != "pass" and os.environ.get("GITHUB_ACTIONS") == "true":
        from mlops.pipelines.reporting import annotations, expectations

        annotations.show(expectations.of_judgement(places.repository, declared.name, judgement.document))
    if format is Format.JSON:
        print_json(judgement.document)
    else:
        print(judgement.summary())
    if judgement.verdict != "pass":
        raise Exit(1 if judgement.verdict == "fail" else 2)


def _validated(places: Workspace, declared: Dataset, folder: Path, engine: str) -> Validation:
    """The verdict of the suite; a broken expectation is shown at its line where GitHub Actions looks on."""
    from mlops.data_pipeline import steps
    from mlops.errors import BadDataError

    try:
        return steps.validate(places, declared, folder, engine)
    except BadDataError:
        if os.environ.get("GITHUB_ACTIONS") == "true":
            from mlops.pipelines.reporting import annotations, expectations

            annotations.show(expectations.of_dataset(places, declared.name))
        raise


@app.command()
def docs(
    name: NameArgument, given: GivenOption = False, format: FormatOption = Format.TABLE,
    repository: RepositoryOption = HERE,
) -> None:
    """Draw the Data Docs page of the last validation, by Great Expectations."""
    from mlops.data_pipeline import steps

    places, dataset, folder = _open(repository, name, given)
    page = steps.docs(places, dataset, folder).relative_to(places.repository).as_posix()
    if format is Format.JSON:
        return print_json({"schema": 1, "dataset": name, "page": page})
    print(f"{name}: {page}")


@app.command()
def process(
    name: NameArgument, given: GivenOption = False, format: FormatOption = Format.TABLE,
    repository: RepositoryOption = HERE,
) -> None:
    """Process the validated rows and split them."""
    from mlops.data_pipeline import steps

    facts = steps.process(*_open(repository, name, given))
    if format is Format.JSON:
        return print_json(facts)
    print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in facts.items()))


@app.command()
def check(
    name: NameArgument, given: GivenOption = False, format: FormatOption = Format.TABLE,
    repository: RepositoryOption = HERE,
) -> None:
    """Run the quality checks: duplicates, leakage, volume, relations, the target."""
    from mlops.data_pipeline import steps

    places, dataset, folder = _open(repository, name, given)
    results = steps.check(places, dataset, folder)
    if format is Format.JSON:
        return print_json({"schema": 1, "dataset": name, "checks": [result.to_dict() for result in results]})
    print_table([("yes" if each.success else each.severity, each.name, each.message) for each in results],
                ("OK", "CHECK", "FOUND"))


app.add_group(data_versions.app, name="version")
app.command()(data_versions.publish)
app.command()(data_versions.card)
app.command()(drift)
app.command()(data_profile.profile)


@app.command()
def run(
    names: Annotated[list[str], Argument(metavar="[DATASET]...", help="Data sets; all when none.")] = [],
    source: SourceOption = None, format: FormatOption = Format.TABLE,
    repository: RepositoryOption = HERE,
) -> None:
    """Run the data pipeline where it is not up to date, with receipts. Exits 0, 1 for bad data, 2 for not asked."""
    from mlops.cli.pipeline import run_pipeline

    run_pipeline(
        ["data"], names, repository=repository, format=format, source=source or "",
        on_failed=_annotate if os.environ.get("GITHUB_ACTIONS") == "true" else None,
    )


def _annotate(places: Workspace, failed: list[Receipt]) -> None:
    """Show why steps failed at the lines of the suite, where GitHub Actions looks on."""
    from mlops.pipelines.reporting import annotations, expectations

    annotations.show(expectations.of_run(places, failed))
