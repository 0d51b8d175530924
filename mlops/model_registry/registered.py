"""Versions in MLflow's registry: made once an identity, tagged, found by integer or semantic version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import msgspec

from mlops import database, mlflow_client
from mlops.config import Settings
from mlops.errors import MissingInputError, RefusedError
from mlops.records import ModelVersion, decode

CHAMPION = "champion"
"""The alias of the version that may be released."""

IDENTITY, SEMANTIC, INPUTS, RECIPE = "mlops.identity", "mlops.semantic", "mlops.inputs", "mlops.recipe"
VERDICT, RECORD, QUARANTINE = "mlops.verdict", "mlops.record", "mlops.quarantine"
_PAGE = 200
_LOGGED = "models:/"


@dataclass(frozen=True, slots=True)
class Registered:
    """A version as the registry knows it.

    Attributes:
        version: MLflow's integer, as text.
        source: Where MLflow keeps the model.
        tags: Ours begin with `mlops.`.
    """

    model: str
    version: str
    run_id: str
    source: str
    tags: dict[str, str] = field(default_factory=dict)
    champion: bool = False

    @property
    def quarantine(self) -> str | None:
        """Why it must not be promoted; None where it may."""
        return self.tags.get(QUARANTINE) or None

    def record(self) -> ModelVersion | None:
        """The version's record; None where registration did not come to its end."""
        content = self.tags.get(RECORD)
        where = f"{self.model} version {self.version}, tag {RECORD}"
        return decode(ModelVersion, content, where=where) if content else None


def versions(settings: Settings, model: str) -> list[Registered]:
    """All versions of a model, the oldest first; none where it was never registered."""
    client = mlflow_client.client(settings)
    with mlflow_client.explained(settings.model_registry.tracking_uri):
        chosen = _champion_number(client, model)
        found, token = [], None
        while True:
            page = client.search_model_versions(f"name = '{model}'", max_results=_PAGE, page_token=token)
            found += list(page)
            token = page.token
            if not token:
                break
    return sorted((_registered(each, chosen) for each in found), key=lambda each: int(each.version))


def find(settings: Settings, model: str, identity: str) -> Registered | None:
    """The version with this identity, None where there is none."""
    return next((each for each in versions(settings, model) if each.tags.get(IDENTITY) == identity), None)


def resolve(settings: Settings, model: str, version: str) -> Registered:
    """The version named by MLflow's integer (`3`) or its semantic version (`1.2.0`).

    Raises:
        MissingInputError: there is none.
    """
    known = versions(settings, model)
    for each in known:
        if version in (each.version, each.tags.get(SEMANTIC)):
            return each
    named = ", ".join(f"{each.version} ({each.tags.get(SEMANTIC, '-')})" for each in known[-10:]) or "none"
    raise MissingInputError(
        f"the model {model!r} has no version {version!r}", where=mlflow_client.shown(
            settings.model_registry.tracking_uri
        ), mend=f"registered are: {named}",
    )


def champion(settings: Settings, model: str) -> Registered | None:
    """The version that the alias names, None where there is none."""
    return next((each for each in versions(settings, model) if each.champion), None)


def champion_record(settings: Settings, model: str) -> ModelVersion | None:
    """The champion's record."""
    found = champion(settings, model)
    return found.record() if found else None


def create(settings: Settings, model: str, *, source: str, run_id: str, tags: Mapping[str, str]) -> Registered:
    """A new version; its tags are there from the start, so that a killed command's rerun finds it."""
    from mlflow.exceptions import MlflowException

    client = mlflow_client.client(settings)
    with mlflow_client.explained(settings.model_registry.tracking_uri):
        try:
            client.create_registered_model(model)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        # A server takes `models:/m-…` only together with the logged model's own name.
        logged = source.removeprefix(_LOGGED) if source.startswith(_LOGGED) else None
        made = client.create_model_version(model, source, run_id=run_id, tags=dict(tags), model_id=logged)
    return _registered(made, None)


def tag(settings: Settings, model: str, version: str, tags: Mapping[str, str]) -> None:
    """Set tags of a version."""
    client = mlflow_client.client(settings)
    with mlflow_client.explained(settings.model_registry.tracking_uri):
        for name, value in tags.items():
            client.set_model_version_tag(model, version, name, value)


def keep_record(settings: Settings, record: ModelVersion) -> None:
    """Keep the record with its version (tag), and in the platform's table `models`."""
    content = msgspec.json.encode(record).decode()
    tag(settings, record.model, record.version, {VERDICT: record.verdict, RECORD: content})
    database.migrate(settings.database.url)
    known = database.rows(settings.database.url, "models", limit=1, model=record.model, version=record.version)
    database.add(settings.database.url, "models", {
        "model": record.model, "version": record.version, "verdict": record.verdict, "run_id": record.run_id,
        "created": known[0]["created"] if known else datetime.now(timezone.utc).isoformat(),
        "document": record.to_dict(),
    })


def set_champion(settings: Settings, model: str, version: str | None) -> None:
    """Move the alias to a version, or take it away (None). Who decides, and the record of it, lie above.

    Raises:
        RefusedError: the version is in quarantine.
    """
    client = mlflow_client.client(settings)
    if version is None:
        with mlflow_client.explained(settings.model_registry.tracking_uri):
            client.delete_registered_model_alias(model, CHAMPION)
        return
    expect_sound(resolve(settings, model, version))
    with mlflow_client.explained(settings.model_registry.tracking_uri):
        client.set_registered_model_alias(model, CHAMPION, version)


def expect_sound(found: Registered) -> None:
    """Raise RefusedError where the version is in quarantine."""
    if found.quarantine:
        raise RefusedError(
            f"{found.model} version {found.version} is in quarantine: {found.quarantine}",
            where=f"model {found.model}",
            mend="change the model, its code or its data, so that another version comes out of it; or, when the "
            f"cause lay elsewhere, lift it: mlops model quarantine {found.model} {found.version} --lift",
        )


def quarantine(settings: Settings, model: str, version: str, why: str) -> None:
    """Bar a version from promotion, with the reason; its alias is not moved (see `promotion.withdraw`).

    Raises:
        MissingInputError: there is no such version.
    """
    found = resolve(settings, model, version)
    tag(settings, model, found.version, {QUARANTINE: why or "no reason given"})


def lift_quarantine(settings: Settings, model: str, version: str) -> None:
    """Let a version be promoted again.

    Raises:
        MissingInputError: there is no such version.
    """
    found = resolve(settings, model, version)
    if found.quarantine:
        with mlflow_client.explained(settings.model_registry.tracking_uri):
            mlflow_client.client(settings).delete_model_version_tag(model, found.version, QUARANTINE)


def load_model(settings: Settings, found: Registered) -> Any:
    """The fitted model of a version, as MLflow gives it back.

    Raises:
        MissingInputError: MLflow has lost its files.
    """
    return load_logged(settings, f"models:/{found.model}/{found.version}")


def load_logged(settings: Settings, uri: str) -> Any:
    """The fitted model at an address of MLflow's.

    Raises:
        MissingInputError: MLflow has lost its files.
    """
    mlflow = mlflow_client.fluent(settings)
    from mlflow import sklearn

    with mlflow_client.explained(settings.model_registry.tracking_uri):
        try:
            return sklearn.load_model(uri)
        except (OSError, mlflow.MlflowException) as error:
            raise MissingInputError(
                f"the model's files cannot be read: {str(error).splitlines()[0]}", where=uri,
                mend="the artifacts' folder was moved or deleted: restore it, or train the model again",
            ) from error


def _champion_number(client: Any, model: str) -> str | None:
    from mlflow.exceptions import MlflowException

    try:
        chosen = client.get_registered_model(model).aliases.get(CHAMPION)
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return None
        raise
    return None if chosen is None else str(chosen)


def _registered(entity: Any, chosen: str | None) -> Registered:
    return Registered(
        model=entity.name, version=str(entity.version), run_id=entity.run_id or "", source=entity.source or "",
        tags=dict(entity.tags), champion=str(entity.version) == chosen,
    )
