"""`mlops service`: test, lint and build the services."""

from __future__ import annotations

from typing import Annotated

from mlops.cli.common import HERE, Format, FormatOption, RepositoryOption, new_app, open_workspace, print_json
from mlops.cli.declared import Argument, Option
from mlops.cli.pipeline import run_pipeline

app = new_app("Test, lint and build the services.")
Names = Annotated[list[str], Argument(help="Services; all when none is named.")]


@app.command()
def run(
    names: Names = [],
    services: Annotated[str, Option("--services", help="The services as a JSON list, as a plan has it.")] = "",
    repository: RepositoryOption = HERE,
    format: FormatOption = Format.TABLE,
) -> None:
    """Lint, test and build what is not up to date, with receipts. Exits 0, 1 for a refusal, 2 for not asked."""
    run_pipeline(["service"], [*names, *_listed(services)], repository=repository, format=format)


@app.command()
def test(
    names: Names = [],
    coverage: Annotated[
        bool, Option("--coverage", help="Measure it, into .mlops/reports/coverage.xml: of one service.")
    ] = False,
    repository: RepositoryOption = HERE,
) -> None:
    """Run the tests of services, each from its own folder. Exits 0, 1 for a failing test, 2 where none could run."""
    from mlops import product
    from mlops.errors import UsageError
    from mlops.pipelines.checks import pytest

    if coverage and len(names) != 1:
        raise UsageError("one report holds the coverage of one service", mend="name one: --coverage NAME")
    places, _ = open_workspace(repository)
    report = places.reports / "coverage.xml" if coverage else None
    for name in _known(names, product.services(places.repository)):
        junit = places.reports / "junit" / f"{name}.xml"
        facts = pytest(places.repository / product.SERVICES / name, junit, coverage=report)
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


def _listed(text: str) -> list[str]:
    """The names in a JSON list; none for no text."""
    import json

    from mlops.errors import UsageError

    try:
        found = json.loads(text or "[]")
    except ValueError:
        found = None
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise UsageError(f"{text!r} is no JSON list of names", where="--services", mend='write \'["api", "predict"]\'')
    return found


def _known(asked: list[str], there: list[str]) -> list[str]:
    from mlops.errors import UsageError

    unknown = [name for name in asked if name not in there]
    if unknown:
        raise UsageError(f"there is no service {unknown[0]!r}", where="services/", mend=f"known: {', '.join(there)}")
    return asked or there
