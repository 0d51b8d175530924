"""`mlops run`: the whole way."""

from __future__ import annotations

from typing import Annotated

from mlops.cli.common import HERE, Format, FormatOption, RepositoryOption, new_app
from mlops.cli.declared import Exit, Option

app = new_app("Run what the change affects: pipelines, gate, release, proof.")


@app.command()
def run(
    data: Annotated[
        str, Option(help="In the shape of the housing data: a file (CSV, JSON lines, Parquet, Arrow; compressed or "
                    "not), a folder, a pattern, or an http(s) or s3 address; not remembered.")
    ] = "",
    repository: RepositoryOption = HERE,
    format: FormatOption = Format.TABLE,
) -> None:
    """Bring everything up to date, release it where the gate is open, and prove what runs.

    Exits 0 when everything is released and proven, 1 when a gate said no, 2 when something could not be asked.
    """
    from mlops.cli.walking import walk_and_tell

    raise Exit(walk_and_tell(repository, data, as_json=format is Format.JSON))
