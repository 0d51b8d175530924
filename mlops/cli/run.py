"""`mlops run`: the whole way."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from mlops.cli.common import HERE, Format, FormatOption, RepositoryOption, new_app, open_workspace, print_json

app = new_app("Run what the change affects: pipelines, gate, release, proof.")


@app.command()
def run(
    data: Annotated[
        str, typer.Option(help="CSV or Parquet file, or address, in the shape of the housing data; not remembered.")
    ] = "",
    repository: RepositoryOption = HERE,
    format: FormatOption = Format.TABLE,  # noqa: A002 - the option's name
) -> None:
    """Bring everything up to date, release it where the gate is open, and prove what runs.

    Exits 0 when everything is released and proven, 1 when a gate said no, 2 when something could not be asked.
    """
    from mlops.logs import say
    from mlops.pipelines.progress import Lines
    from mlops.pipelines.report import planned, summary
    from mlops.pipelines.steps import Run
    from mlops.pipelines.walk import walk

    places, settings = open_workspace(repository)
    source = data if not data or "://" in data else str(Path(data).expanduser().resolve())
    asked = Run(places, settings, source=source or None, who=os.environ.get("GITHUB_ACTOR") or "mlops run")
    record, code = walk(asked, Lines(), on_plan=lambda plan: say(planned(plan)))
    if format is Format.JSON:
        print_json(record)
    else:
        print(summary(asked, record))
    raise typer.Exit(code)
