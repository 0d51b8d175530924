"""`mlops database`: migrate it, and ask whether it answers."""

from __future__ import annotations

from mlops.cli.common import HERE, Format, FormatOption, RepositoryOption, new_app, open_workspace, print_json
from mlops.cli.declared import Exit

app = new_app("Migrate and test the platform's database.")


@app.command()
def migrate(
    repository: RepositoryOption = HERE,
    format: FormatOption = Format.TABLE,
) -> None:
    """Make or update the platform's tables; MLflow's on the same address are left alone."""
    from mlops import database

    _, settings = open_workspace(repository)
    changed = database.migrate(settings.database.url)
    address = database.hidden(settings.database.url)
    if format is Format.JSON:
        print_json({"schema": 1, "url": address, "revision": database.HEAD, "changed": changed})
    else:
        print(f"{address}: {'migrated to' if changed else 'is at'} {database.HEAD}")


@app.command()
def check(
    repository: RepositoryOption = HERE,
    format: FormatOption = Format.TABLE,
) -> None:
    """Ask whether the database answers and its tables are up to date.

    Exits 0 when both hold, 1 when the tables are not there or of another version, 2 when it does not answer.
    """
    from mlops import database

    _, settings = open_workspace(repository)
    found = database.revision(settings.database.url)
    address = database.hidden(settings.database.url)
    if format is Format.JSON:
        print_json({"schema": 1, "url": address, "revision": found, "wanted": database.HEAD})
    elif found == database.HEAD:
        print(f"{address}: answers, its tables are up to date ({found})")
    else:
        state = "has no tables yet" if found is None else f"has tables of version {found}, wanted is {database.HEAD}"
        print(f"{address}: {state}; `mlops database migrate` makes them")
    raise Exit(0 if found == database.HEAD else 1)
