"""`mlops status`: what runs."""

from __future__ import annotations

from mlops.cli.common import (
    HERE, Format, FormatOption, RepositoryOption, new_app, open_workspace, print_json, print_table,
)
from mlops.cli.declared import Exit

app = new_app("Show what runs: services, addresses, models, the release.")


@app.command()
def status(
    repository: RepositoryOption = HERE,
    format: FormatOption = Format.TABLE,
) -> None:
    """Show the released services, their addresses and what they serve. Exits 0 when all run and are ready, else 1."""
    from mlops.deployment_manager import local
    from mlops.pipelines.declared.release import current_release
    from mlops.pipelines.steps import Run

    places, settings = open_workspace(repository)
    services = local.status(places)
    release = current_release(Run(places, settings))
    healthy = bool(services) and all(each.ready for each in services)
    if format is Format.JSON:
        print_json({
            "release": None if release is None else release.to_dict(),
            "services": [each.to_dict() for each in services], "healthy": healthy,
        })
        raise Exit(0 if healthy else 1)
    if release is None:
        print("nothing was released here yet; `make run` does it")
    else:
        print(f"release {release.id} of {release.created}, commit {(release.commit or 'none')[:12]}")
    if services:
        print_table(
            [
                (each.name, "ready" if each.ready else "not ready", each.address or "-", str(each.pid or "-"),
                 each.digest[:19], ", ".join(f"{name} v{model['version']}" for name, model in each.models.items()))
                for each in services
            ],
            ("service", "state", "address", "pid", "image", "models"),
        )
    else:
        print("no service runs")
    raise Exit(0 if healthy else 1)
