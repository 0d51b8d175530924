"""`mlops stop`: stop the released services."""

from __future__ import annotations

from mlops.cli.common import HERE, RepositoryOption, new_app, open_workspace

app = new_app("Stop the released services.")


@app.command()
def stop(repository: RepositoryOption = HERE) -> None:
    """Stop the services of this repository; what they are answering is answered first. Exits 0, also when none ran."""
    from mlops.deployment_manager import local

    places, _ = open_workspace(repository)
    stopped = local.stop(places)
    print(f"stopped {', '.join(stopped)}" if stopped else "no service was running")
