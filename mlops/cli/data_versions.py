"""`mlops data version`, `publish` and `card`: make, list, show, compare, restore, publish and describe versions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from mlops.cli.common import (
    HERE, Format, FormatOption, RepositoryOption, new_app, open_workspace, print_json, print_table,
)
from mlops.cli.declared import Argument, Exit, Option

if TYPE_CHECKING:
    from mlops.data_pipeline.versioning.versions import Found

MAKE = "make"
ORIGINS = {"store": "intact in the store", "pulled": "from what was pulled", "remote": "from the remote"}


app = new_app(
    "Keep the processed rows as a version; list, show, compare and restore versions. `version DATASET` makes one.",
    default=MAKE, no_args_is_help=True,  # `version DATASET` was there before there was more to ask
)

NameArgument = Annotated[str, Argument(help="The data set.", metavar="DATASET")]
VersionArgument = Annotated[
    str | None, Argument(help="The version, or how it begins; the newest when absent.", metavar="[VERSION]")
]
GivenOption = Annotated[bool, Option("--given", help="Work on what `ingest --source` took in.")]


@app.command(MAKE)
def make(
    name: NameArgument, given: GivenOption = False, format: FormatOption = Format.TABLE,
    repository: RepositoryOption = HERE,
) -> None:
    """Keep the processed rows as a version, with the sketch that later data is compared with."""
    from mlops.data_pipeline import read_dataset, steps
    from mlops.drift.sides import reference_of

    places, _ = open_workspace(repository)
    dataset = read_dataset(places.repository, name)
    record = steps.version(places, dataset, places.data_work(name, "given" if given else "default"))
    reference_of(places, name, record.version)
    if format is Format.JSON:
        return print_json(record)
    simulated = " (simulated)" if record.source.simulated else ""
    parts = ", ".join(f"{part.name} {part.rows}" for part in record.splits)
    print(f"{name} {record.version}{simulated}: {record.rows} rows ({parts}), quality {record.quality:.3f}")


@app.command("list")
def list_(
    name: NameArgument, format: FormatOption = Format.TABLE, repository: RepositoryOption = HERE,
) -> None:
    """List the versions that are here or published, the newest first."""
    from mlops.data_pipeline.versioning import versions

    places, _ = open_workspace(repository)
    here, published = versions.list_versions(places, name), versions.list_published(places, name)
    if not here and not published:
        raise versions.absent(places, name, None)
    found = [versions.find(places, name, version) for version in reversed(here)]
    away = [version for version in published if version not in here]
    if format is Format.JSON:
        shown = [_facts(each) | {"published": each.record.version in published} for each in found]
        missing = [{"version": version, "here": False, "published": True} for version in away]
        return print_json({"schema": 1, "dataset": name, "versions": shown + missing})
    rows = [_row(each, each.record.version in published) for each in found]
    print_table(
        [*rows, *((version, "", "", "", "", "", "yes, not here") for version in away)],
        ("VERSION", "MADE", "ROWS", "SUITE", "QUALITY", "SOURCE", "PUBLISHED"),
    )


@app.command()
def show(
    name: NameArgument, version: VersionArgument = None, format: FormatOption = Format.TABLE,
    repository: RepositoryOption = HERE,
) -> None:
    """Show what a version is: rows, columns, suite, checks, and what it was made from."""
    from mlops.data_pipeline.versioning import versions

    places, _ = open_workspace(repository)
    found = versions.find(places, name, version)
    if format is Format.JSON:
        return print_json(_facts(found) | found.record.to_dict())
    record, passed = found.record, sum(each.success for each in found.record.checks)
    simulated = " (simulated)" if record.source.simulated else ""
    made = found.provenance.made if found.provenance else []
    lines = [
        ("version", f"{name} {record.version}{simulated}"), ("fingerprint", record.fingerprint),
        ("rows", ", ".join([str(record.rows), *(f"{part.name} {part.rows}" for part in record.splits)])),
        ("suite", f"{_verdict(record)}, {record.validation.suite}, {record.validation.suite_sha256}"),
        ("checks", f"{passed} of {len(record.checks)} hold"), ("quality", f"{record.quality:.3f}"),
        ("source", f"{record.source.location}, {record.source.rows} rows, {record.source.sha256}"),
        *([("set aside", f"{record.source.quarantined} rows: {record.source.why_aside()}")]
          if record.source.quarantined else []),
        *(("made", f"{each.created}, commit {each.commit or 'none'}{'' if each.clean else ' with changes'}, "
           f"code {each.code}, config {each.config}") for each in made),
        ("folder", str(found.folder)),
    ]
    print("\n".join(f"{label:<12}{text}" for label, text in lines) + "\n")
    print_table(
        [(each.name, each.type, "yes" if each.nullable else "no") for each in record.columns],
        ("COLUMN", "TYPE", "NULLABLE"),
    )


@app.command()
def diff(
    name: NameArgument,
    before: Annotated[str, Argument(help="A version, or how it begins.", metavar="BEFORE")],
    after: Annotated[str | None, Argument(help="The other; the newest when absent.", metavar="[AFTER]")] = None,
    key: Annotated[str, Option("--key", help="Columns that name a row, with commas; else those declared.")] = "",
    format: FormatOption = Format.TABLE, repository: RepositoryOption = HERE,
) -> None:
    """Show what a version has otherwise than another. Exits 0 where they have the same rows, 1 where they differ."""
    from mlops.data_pipeline.versioning import differences, versions

    places, _ = open_workspace(repository)
    columns = [column.strip() for column in key.split(",") if column.strip()]
    found = differences.compare(versions.find(places, name, before), versions.find(places, name, after), columns)
    if format is Format.JSON:
        print_json(found)
    else:
        from mlops.cli.data_difference import told

        print("\n".join(told(found)))
    raise Exit(0 if found.same else 1)


@app.command()
def restore(
    name: NameArgument, version: VersionArgument = None, format: FormatOption = Format.TABLE,
    repository: RepositoryOption = HERE,
) -> None:
    """Bring a version's bytes back, proven against its fingerprint.

    They come from the store, from what `dvc pull` brought, or from the DVC remote.
    """
    from mlops.data_pipeline.versioning import publishing, restoring
    from mlops.logs import say

    places, settings = open_workspace(repository)

    def fetch(full: str, target: Path) -> None:
        publishing.fetch(places, settings, name, full, target)

    done = restoring.restore(places, name, version, fetch)
    for each in done.damaged:
        say(f"passed over: {each}")
    if format is Format.JSON:
        return print_json({
            "schema": 1, "dataset": name, "version": done.record.version, "fingerprint": done.record.fingerprint,
            "origin": done.origin, "folder": str(done.folder), "damaged": done.damaged,
        })
    print(f"{name} {done.record.version}: {done.record.rows} rows, {done.record.fingerprint}, "
          f"{ORIGINS[done.origin]}; `mlops model run MODEL --data {name}={done.record.version}` trains on it")


def publish(
    name: NameArgument, version: VersionArgument = None, format: FormatOption = Format.TABLE,
    repository: RepositoryOption = HERE,
) -> None:
    """Push a version's bytes to the DVC remote (MLOPS_DVC_REMOTE) and write its `.dvc` file into the tree."""
    import dataclasses

    from mlops.data_pipeline.versioning import publishing

    places, settings = open_workspace(repository)
    done = publishing.publish(places, settings, name, version)
    if format is Format.JSON:
        return print_json({"schema": 1} | dataclasses.asdict(done))
    print(f"{name} {done.version}: published to {done.remote}")
    print(f"commit {', '.join(done.changed)}" if done.changed else "nothing in the tree had to change")


def card(
    name: NameArgument, version: VersionArgument = None,
    output: Annotated[
        Path | None, Option("--output", help="Write the card there: FILE.html, FILE.md or FILE.json.")
    ] = None,
    format: FormatOption = Format.TABLE, repository: RepositoryOption = HERE,
) -> None:
    """Write the card of a version: a page for readers, and the same as Markdown. With --format json, print it."""
    from mlops.data_pipeline.versioning import versions
    from mlops.data_pipeline.card import collect, files

    places, _ = open_workspace(repository)
    content = collect(places, versions.find(places, name, version))
    written = files.write(places, content, output)
    if format is Format.JSON:
        return print_json(content)
    print(f"{name} {content.version}: {', '.join(str(path) for path in written)}")


def _facts(found: Found) -> dict[str, Any]:
    """What is known of a version beyond its record."""
    record, made = found.record, found.provenance
    return {
        "version": record.version, "fingerprint": record.fingerprint, "rows": record.rows, "here": True,
        "created": found.created or None, "folder": str(found.folder), "quality": record.quality,
        "simulated": record.source.simulated, "suite": _verdict(record),
        "made": [each.to_dict() for each in made.made] if made else [],
    }


def _row(found: Found, published: bool) -> tuple[str, ...]:
    record = found.record
    source = record.source.location + (" (simulated)" if record.source.simulated else "")
    return (
        record.version, found.created[:19], str(record.rows), _verdict(record), f"{record.quality:.3f}", source,
        "yes" if published else "no",
    )


def _verdict(record: Any) -> str:
    suite = record.validation
    return f"{'pass' if suite.success else 'fail'} {suite.successful}/{suite.evaluated}"
