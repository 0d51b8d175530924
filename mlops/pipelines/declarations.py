"""The pipelines as data, for the audit of their filters: what their declared steps begin with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from mlops import product
from mlops.config import ConfigManager, Environment
from mlops.pipelines.change import PIPELINES
from mlops.pipelines.declared.service import image_entry
from mlops.pipelines.steps import Run, Step
from mlops.pipelines.walk import DECLARED
from mlops.routing.audit.inputs import Pipeline, Seed
from mlops.routing.router.workflows import FOLDER
from mlops.sources import Sources

_STEPS = "mlops/pipelines/declared"
_DISPATCHERS = ("mlops/cli/__init__.py", "mlops/pipelines/walk.py", "mlops/pipelines/change.py")
"""Modules that know every pipeline: of them only what a pipeline's own command reaches is its input."""
_OWN: dict[str, tuple[str, ...]] = {
    "service": ("services",), "data": ("data", "tests/unit/data"), "model": ("model", "tests/unit/model"), "main": (),
}
"""Folders that are a pipeline's own. The main pipeline takes everything that is no other one's."""


def pipelines(repository: Path, sources: Sources, commands: Mapping[str, tuple[str, ...]]) -> list[Pipeline]:
    """What `mlops.routing.audit.findings` is told of the pipelines of a tree.

    Args:
        repository: The top of the tree.
        sources: Reads the tree.
        commands: The project's own commands, by their words → the files that they start in.

    Raises:
        MlopsError: a configuration that lists steps cannot be read.
    """
    manager = ConfigManager(repository)
    run = Run(manager.workspace(), manager.load_config(Environment.DEVELOPMENT))
    left = tuple(folder for folders in _OWN.values() for folder in folders)
    made = []
    for name, workflow in PIPELINES.items():
        if not (repository / FOLDER / workflow).is_file():
            continue
        here = f"{_STEPS}/{name}.py"
        others = {f"{_STEPS}/{each}.py" for each in (*DECLARED, "release")} - {here}
        made.append(Pipeline(
            workflow=f"{FOLDER}/{workflow}", seeds=tuple(_seeds(run, sources, name, here)), commands=commands,
            dispatchers=frozenset({*_DISPATCHERS, *others}),
            own=_OWN[name], leaves=left if name == "main" else (), fallback=name == "main",
        ))
    return made


def _seeds(run: Run, sources: Sources, name: str, here: str) -> Iterator[Seed]:
    yield Seed(here)
    for step in DECLARED[name](run, sources):
        yield from _of_step(step, here)
    if name == "service":
        yield Seed(_file(image_entry()), (here,))


def _of_step(step: Step, here: str) -> Iterator[Seed]:
    module, _, _ = step.function.partition(":")
    yield Seed(_file(module))
    for path in step.files:
        yield Seed(path, (here,))
    for reference in step.product:
        yield Seed(product.source_file(reference), (here, *step.files[:1]))


def _file(module: str) -> str:
    return module.replace(".", "/") + ".py"
