"""`mlops release`: what was released, and back."""

from __future__ import annotations

import getpass
from typing import Annotated, Any

from mlops.cli.common import (
    HERE, Format, FormatOption, RepositoryOption, new_app, open_workspace, print_json, print_table,
)
from mlops.cli.declared import Argument, Exit, Option
from mlops.logs import say

app = new_app("List, show, compare, verify and roll back releases.")

IdArgument = Annotated[str, Argument(metavar="RELEASE", help="A release's id, such as r3, or `current`.")]


@app.command("list")
def list_(repository: RepositoryOption = HERE, format: FormatOption = Format.TABLE) -> None:
    """List the releases of every environment, the newest first."""
    from mlops import releases

    settings = open_workspace(repository)[1]
    found = releases.releases(settings)
    if format is Format.JSON:
        print_json([record.to_dict() for record in found])
        return
    rows: list[tuple[str, ...]] = [
        (record.id, record.environment, record.created[:19], _kind(record),
         ", ".join(f"{name} v{model.version}" for name, model in record.models.items()) or "-",
         (record.commit or "none")[:12], (record.manifest or "-")[:12])
        for record in found
    ]
    print_table(rows, ("release", "environment", "created (UTC)", "kind", "models", "commit", "manifest"))


@app.command()
def show(id: IdArgument = "current", repository: RepositoryOption = HERE, format: FormatOption = Format.TABLE) -> None:
    """Show one release: commit, data, models, images, manifest."""
    from mlops import releases

    record = releases.find(open_workspace(repository)[1], id)
    if format is Format.JSON:
        print_json(record)
        return
    print(f"{record.id}  {_kind(record)}  {record.environment}  {record.created}")
    print(f"commit    {record.commit or 'none'}{' with changes beyond it' if record.dirty else ''}")
    print(f"manifest  {record.manifest or '-'}")
    for name, data in record.data.items():
        verdict = f"{'validated' if data.validated else 'not valid'} by {data.expectations} expectations"
        print(f"data      {name} {data.version}  {verdict}{'  (simulated rows)' if data.simulated else ''}")
    for name, model in record.models.items():
        figures = ", ".join(f"{metric} {value:.5g}" for metric, value in sorted(model.metrics.items())[:4])
        print(f"model     {name} v{model.version}  run {model.run_id[:12]}  {model.sha256[:19]}  {figures}")
    for name, image in record.images.items():
        print(f"image     {name} {image.digest}  build {image.build}")


@app.command()
def diff(
    before: IdArgument, after: IdArgument = "current", repository: RepositoryOption = HERE,
    format: FormatOption = Format.TABLE,
) -> None:
    """Show what a release serves otherwise than another. Exits 0 where they serve the same, 1 where they differ."""
    from mlops import releases

    settings = open_workspace(repository)[1]
    changed = releases.differences(releases.find(settings, before), releases.find(settings, after))
    if format is Format.JSON:
        print_json({"before": before, "after": after, "differences": changed})
    elif changed:
        print_table([tuple(str(each[key] or "-") for key in ("kind", "name", "from", "to")) for each in changed],
                    ("kind", "name", "from", "to"))
    else:
        print("no difference")
    raise Exit(1 if changed else 0)


@app.command()
def verify(
    id: IdArgument = "current", repository: RepositoryOption = HERE, format: FormatOption = Format.TABLE
) -> None:
    """Prove that the running services answer as the release's registered models predict. Exits 1 where they do not."""
    from mlops import releases

    places, settings = open_workspace(repository)
    facts = releases.verify(places, settings, releases.find(settings, id))
    if format is Format.JSON:
        print_json(facts)
        return
    for name, model in facts["models"].items():
        rows, difference = model["rows"], model["difference"]
        print(f"{name} v{model['version']}: {rows} held-out rows, largest difference {difference:.2g}")
    print(f"proven with {facts['rows']} rows, {facts['rows_per_second']:.0f} rows/s")


@app.command()
def rollback(
    id: Annotated[str | None, Argument(
        metavar="[RELEASE]", help="The release to go back to; the one before the present one when absent.")] = None,
    why: Annotated[str, Option("--why", help="The reason; it is kept with the quarantined versions.")] = "",
    repository: RepositoryOption = HERE, format: FormatOption = Format.TABLE,
) -> None:
    """Go back to an earlier release, model and image together, by one commit; start it and prove it."""
    from mlops import releases

    places, settings = open_workspace(repository)
    record = releases.rollback(places, settings, id, who=_who(), why=why, say=say)
    if format is Format.JSON:
        print_json(record)
    else:
        print(f"{record.id} is in force: {_kind(record)}, manifest {(record.manifest or '-')[:12]}")


def _kind(record: Any) -> str:
    return f"rollback to {record.restores}" if record.restores else str(record.kind)


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # no such user in the password file
        return "mlops release rollback"
