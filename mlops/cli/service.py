"""`mlops service`: test, lint and build the services."""

from __future__ import annotations

from typing import Annotated

import typer

from mlops.cli.common import HERE, Format, FormatOption, RepositoryOption, new_app, open_workspace, print_json
from mlops.cli.pipeline import run_pipeline

app = new_app("Test, lint and build the services.")
Names = Annotated[list[str], typer.Argument(help="Services; all when none is named.")]


@app.command()
def run(
    names: Names = [],
    repository: RepositoryOption = HERE,
    format: FormatOption = Format.TABLE,
) -> None:
    """Lint, test and build what is not up to date, with receipts. Exits 0, 1 for a refusal, 2 for not asked."""
    run_pipeline(["service"], names, repository=repository, format=format)


@app.command()
def test(names: Names = [], repository: RepositoryOption = HERE) -> None:
    """Run the tests of services, each from its own folder. Exits 0, 1 for a failing test, 2 where none could run."""
    from mlops import product
    from mlops.pipelines.checks import pytest

    places, _ = open_workspace(repository)
    for name in _known(names, product.services(places.repository)):
        facts = pytest(places.repository / product.SERVICES / name, places.reports / "junit" / f"{name}.xml")
        print(f"{name}: {facts['tests']}")


@app.command()
def lint(repository: RepositoryOption = HERE) -> None:
    """Lint all services with flake8. Exits 0 for clean, 1 for findings."""
    from mlops import product
    from mlops.pipelines.checks import flake8

    places, _ = open_workspace(repository)
    flake8(places.repository, [product.SERVICES])
    print("no findings")


@app.command()
def build(
    names: Names = [],
    repository: RepositoryOption = HERE,
    format: FormatOption = Format.TABLE,
) -> None:
    """Build the image of services (the embedded engine's: a snapshot by digest) and print the digests."""
    from mlops import images, product
    from mlops.pipelines.declared.service import image_files
    from mlops.sources import Sources

    places, _ = open_workspace(repository)
    sources = Sources(places.repository, places.cache / "sources.json")
    digests = {
        name: images.build(places, places.repository, name, image_files(places.repository, name, sources))
        for name in _known(names, product.services(places.repository))
    }
    if format is Format.JSON:
        print_json(digests)
    else:
        print("\n".join(f"{name}@{digest}" for name, digest in digests.items()))


def _known(asked: list[str], there: list[str]) -> list[str]:
    from mlops.errors import UsageError

    unknown = [name for name in asked if name not in there]
    if unknown:
        raise UsageError(f"there is no service {unknown[0]!r}", where="services/", mend=f"known: {', '.join(there)}")
    return asked or there
