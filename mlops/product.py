"""The one door from the machinery to the product: `module:callable`, data sets, models, services.

`mlops` imports nothing of `data`, `model` or `services`; a configuration names a function, and
only `load` resolves it.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from mlops.errors import ConfigurationError

DATASETS = "data/datasets"
MODELS = "model/configs"
SERVICES = "services"


def load(reference: str, *, where: str | Path, repository: Path) -> Any:
    """The object that `module:name` names, imported from the repository's tree.

    Args:
        reference: For example `model.src.housing:train`.
        where: The file and field that hold the reference, for errors.
        repository: The tree that `module` is found in.

    Raises:
        ConfigurationError: not of that form, or no such module or name, or the module fails to import.
    """
    module_name, colon, name = reference.partition(":")
    if not colon or not module_name or not name:
        raise ConfigurationError(
            f"{reference!r} is not of the form module:callable", where=where, mend="write it like model.src.name:train"
        )
    if str(repository) not in sys.path:  # a copy of the tree uses its own product, not the installed one
        sys.path.insert(0, str(repository))
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise ConfigurationError(
            f"{module_name!r} cannot be imported: {error}", where=where,
            mend=f"the module must be at {module_name.replace('.', '/')}.py in the repository",
        ) from error
    try:
        return getattr(module, name)
    except AttributeError as error:
        raise ConfigurationError(
            f"{module_name!r} has no {name!r}", where=where, mend=f"define {name} in {module_name.replace('.', '/')}.py"
        ) from error


def source_file(reference: str) -> str:
    """The path in the repository of the module that `module:callable` names."""
    return reference.partition(":")[0].replace(".", "/") + ".py"


def names(repository: Path, folder: str) -> list[str]:
    """The stems of the YAML files in `folder`: names of data sets or models, sorted."""
    return sorted(path.stem for path in (repository / folder).glob("*.yaml"))


def services(repository: Path) -> list[str]:
    """The names of the services: folders under `services/` that hold an `app` package, sorted."""
    return sorted(path.parent.name for path in (repository / SERVICES).glob("*/app"))
