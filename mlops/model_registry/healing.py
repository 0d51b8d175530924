"""A version whose files MLflow has lost, and the same model made again."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from mlops import files, mlflow_client
from mlops.config import Settings
from mlops.model_registry.registered import Registered


def heal(settings: Settings, found: Registered, twin: str) -> bool:
    """Put the files of `twin`, a logged model of the same identity, where those of the version are lost.

    Nothing is done where the version's files are there, or are not kept in a local folder.

    Args:
        twin: MLflow's address of the model (`models:/m-…`).

    Returns:
        Whether anything had to be put back.

    Raises:
        ConfigurationError: the folder cannot be written.
    """
    client = mlflow_client.client(settings)
    with mlflow_client.explained(settings.model_registry.tracking_uri):
        lost = _folder(client.get_model_version_download_uri(found.model, found.version), client)
        if lost is None or (lost / "MLmodel").is_file():
            return False
        made = _folder(twin, client)
    if made is None or not (made / "MLmodel").is_file():
        return False
    with files.atomic_folder(lost) as work:
        shutil.copytree(made, work, dirs_exist_ok=True)
    return True


def _folder(address: str, client: Any) -> Path | None:
    """The local folder of an address of MLflow's, None where it is somewhere else."""
    if address.startswith("models:/"):
        address = client.get_logged_model(address.removeprefix("models:/")).artifact_location
    parts = urlsplit(address)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None
