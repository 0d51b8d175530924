"""The models in service: a table that is never changed, only replaced by one store.

A request takes the table once and keeps what it took: it is scored, and its answer names the
version, by one and the same bundle, however many reloads happen meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from app.metrics import Counts, Metrics
from app.settings import Settings
from mlops.errors import ConfigurationError, IntegrityError, MlopsError, ReleaseError
from mlops.serving import Bundle, ListedModel, Scores, open_store, read_models

LOGGER = logging.getLogger("mlops.predict")

LOADING = "the models are being loaded"
RETRY_SECONDS = (2.0, 60.0)
"""First and longest pause between attempts to load models that are missing."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One model in service.

    Attributes:
        read: JSON text of the rows → rows as the engine takes them.
        score: Those rows → scores.
        head, tail: What its answers begin with, and what stands in them after the scores.
        inline: Whether it is quick enough to be scored on the event loop's own thread.
    """

    name: str
    version: str
    sha256: str
    bundle: Bundle
    counts: Counts
    read: Callable[[Any], list[tuple[Any, ...]]]
    score: Callable[[list[tuple[Any, ...]]], Scores]
    head: bytes
    tail: bytes
    inline: bool

    @property
    def engine(self) -> str:
        """`onnx`, or `sklearn`, the slow one."""
        return self.bundle.manifest.engine


@dataclass(frozen=True, slots=True)
class Table:
    """What is served, and what should be but is not."""

    slots: Mapping[str, Slot] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether everything that is listed is served."""
        return not self.problems

    def listed(self) -> dict[str, dict[str, str]]:
        """Name → version, checksum and engine, for readiness."""
        return {
            slot.name: {"version": slot.version, "sha256": slot.sha256, "engine": slot.engine}
            for slot in self.slots.values()
        }


class Models:
    """Loads the listed models and holds the table in service.

    Attributes:
        table: The table in service; take it once a request.
    """

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._loading = threading.Lock()
        self.table = Table(problems=(LOADING,))

    def load(self) -> None:
        """Serve what of the list can be served, and say what cannot. Never raises."""
        with self._loading:
            self.table = table = self._build()
        for problem in table.problems:
            LOGGER.warning("not served: %s", problem)

    def reload(self) -> dict[str, Any]:
        """Serve the list as it is now, wholly or not at all.

        Raises:
            ReleaseError: something of it cannot be served; what was served before goes on.
        """
        with self._loading:
            table = self._build()
            if table.ready:
                self.table = table
        self._metrics.reloads["success" if table.ready else "failure"] += 1
        if not table.ready:
            raise ReleaseError("; ".join(table.problems), where=self._settings.models_file or "MLOPS_MODELS_FILE")
        return {"models": table.listed()}

    async def keep_trying(self) -> None:
        """While something is missing, load again, at growing intervals: a store may come back."""
        pause = RETRY_SECONDS[0]
        while not self.table.ready:
            await asyncio.sleep(pause)
            pause = min(2 * pause, RETRY_SECONDS[1])
            if not self.table.ready:
                await asyncio.to_thread(self.load)

    def _build(self) -> Table:
        try:
            listed = self._listed()
        except MlopsError as error:
            return Table(problems=(str(error),))
        slots: dict[str, Slot] = {}
        problems = []
        for name, model in listed.items():
            try:
                slots[name] = self._slot(name, model)
            except MlopsError as error:
                problems.append(f"model {name}: {error}")
            except Exception as error:  # one broken model must not take the others down
                LOGGER.exception("model %s", name)
                problems.append(f"model {name}: {type(error).__name__}: {error}")
        return Table(slots, tuple(problems))

    def _listed(self) -> dict[str, ListedModel]:
        if not self._settings.models_file:
            raise ConfigurationError(
                "is not set: no model is served", where="MLOPS_MODELS_FILE",
                mend="name the release.yaml that lists the models",
            )
        listed = read_models(Path(self._settings.models_file))
        if not listed:
            raise ConfigurationError(
                "lists no model", where=self._settings.models_file, mend="release a model; the release writes the list"
            )
        return listed

    def _slot(self, name: str, model: ListedModel) -> Slot:
        version = str(model.version)
        served = self.table.slots.get(name)
        if served is not None and (served.version, served.sha256) == (version, model.sha256):
            return served  # the very same bytes: already verified and loaded
        path = open_store(self._settings.bundle_store).fetch(name, version)
        bundle = Bundle.open(path, model.sha256)
        manifest = bundle.manifest
        if (manifest.model, manifest.version) != (name, version):
            raise IntegrityError(
                f"is {manifest.model} version {manifest.version}, not {name} version {version}", where=path,
                mend="release the model again",
            )
        bundle.expect_proof()
        encode = msgspec.json.encode
        return Slot(
            name=name, version=version, sha256=model.sha256, bundle=bundle,
            counts=self._metrics.counts(name, version), read=bundle.reader.from_json, score=bundle.engine.score,
            head=b'{"model":%b,"version":%b,"predictions":' % (encode(name), encode(version)),
            tail=b',"classes":%b' % encode(manifest.classes) if manifest.classes else b"",
            inline=manifest.engine == "onnx",
        )
