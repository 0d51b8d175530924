"""The service pipeline: lint, then test and build, for each service."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlops import product
from mlops.pipelines.steps import Run, Step
from mlops.sources import Sources

_HERE = "mlops.pipelines.declared.service"
_SERVER = "mlops.serving.server"


def steps(run: Run, sources: Sources) -> list[Step]:
    """The steps of all services of the tree."""
    names = product.services(run.repository)
    every = tuple(path for name in names for path in service_files(run.repository, name))
    lint = Step(
        pipeline="service", name="lint", subject="", function=f"{_HERE}:lint", files=(".flake8", *every), lane="lint"
    )
    return [lint, *(step for name in names for step in _service_steps(run, name))]


def service_files(repository: Path, name: str) -> list[str]:
    """All files of a service's folder but what Python and pytest leave there, sorted."""
    folder = repository / product.SERVICES / name
    return sorted(
        path.relative_to(repository).as_posix() for path in folder.rglob("*")
        if path.is_file() and not any(
            part.startswith((".pytest_cache", ".coverage", ".hypothesis", "__pycache__")) for part in path.parts
        )
    )


def image_files(repository: Path, name: str, sources: Sources) -> list[str]:
    """What a service's image holds: its own files without the tests, and what of the library it imports."""
    own = [path for path in service_files(repository, name) if not path.startswith(f"services/{name}/tests/")]
    return sorted({*own, *_imported(repository, name, sources, tests=False)})


def image_entry() -> str:
    """The module that a service's image starts."""
    return _SERVER


def image_record(name: str) -> str:
    """The file under `.mlops/` that says which image of a service was built last."""
    return f"images/{name}.json"


def _imported(repository: Path, name: str, sources: Sources, *, tests: bool) -> list[str]:
    base = f"{product.SERVICES}/{name}"
    roots = {"app": f"{base}/app", "tests": f"{base}/tests"}
    modules = [
        path.removeprefix(f"{base}/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for path in service_files(repository, name)
        if path.endswith(".py") and (path.startswith(f"{base}/app/") or tests and path.startswith(f"{base}/tests/"))
    ]
    return sources.closure([_SERVER, *modules], roots)


def _service_steps(run: Run, name: str) -> list[Step]:
    repository = run.repository
    return [
        Step(
            pipeline="service", name="test", subject=name, function=f"{_HERE}:test",
            files=tuple(service_files(repository, name)), lane=f"test-{name}",
            code=lambda sources: _imported(repository, name, sources, tests=True),
        ),
        Step(
            pipeline="service", name="build", subject=name, function=f"{_HERE}:build", outputs=(image_record(name),),
            files=tuple(service_files(repository, name)), needs=(f"service/test/{name}",), lane=f"test-{name}",
            code=lambda sources: _imported(repository, name, sources, tests=False),
            holds=lambda run: _image_is_there(run, name),
        ),
    ]


def _image_is_there(run: Run, name: str) -> str | None:
    from mlops import images

    try:
        images.find(run.places, name)
    except images.Absent as absent:
        return str(absent)
    return None


def lint(run: Run, subject: str) -> dict[str, Any]:
    """Lint the services with flake8."""
    from mlops.pipelines.checks import flake8

    return flake8(run.repository, [product.SERVICES])


def test(run: Run, name: str) -> dict[str, Any]:
    """Run the tests of one service, from its folder."""
    from mlops.pipelines.checks import pytest

    return pytest(run.repository / product.SERVICES / name, run.places.reports / "junit" / f"{name}.xml")


def build(run: Run, name: str) -> dict[str, Any]:
    """Build the image: a snapshot that runs whatever becomes of the work tree."""
    from mlops import images

    sources = Sources(run.repository)
    return {"digest": images.build(run.places, run.repository, name, image_files(run.repository, name, sources))}
