"""A run in MLflow's tracking: what a training function may write to."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mlops import files, mlflow_client
from mlops.config import Settings
from mlops.errors import ConfigurationError
from mlops.files import sha256_bytes


class TrackedRun:
    """One run of an experiment; what `train(…, tracker)` is given.

    Attributes:
        id: MLflow's run id.
    """

    def __init__(self, client: Any, run_id: str, uri: str) -> None:
        self._client = client
        self._uri = uri
        self.id = run_id

    def log_parameters(self, parameters: Mapping[str, Any]) -> None:
        """Parameters of the run; each is written once."""
        from mlflow.entities import Param

        listed = [Param(name, str(value)) for name, value in parameters.items()]
        self._write(params=listed)

    def log_metrics(self, metrics: Mapping[str, float], step: int = 0) -> None:
        """Numbers at one step; NaN and infinity are left out, since not every store can hold them."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self._write(metrics=[
            Metric(name, float(value), now, step) for name, value in metrics.items() if math.isfinite(value)
        ])

    def log_curve(self, name: str, values: Sequence[float]) -> None:
        """A number at the steps 0, 1, 2, … in one write."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        self._write(metrics=[
            Metric(name, float(value), now, step) for step, value in enumerate(values) if math.isfinite(value)
        ])

    def tag(self, tags: Mapping[str, str]) -> None:
        """Texts to find the run by."""
        from mlflow.entities import RunTag

        self._write(tags=[RunTag(name, value) for name, value in tags.items()])

    def log_model(self, model: Any, *, inputs: Any, outputs: Any, libraries: Sequence[str]) -> str:
        """Keep the fitted model in MLflow, with its signature; returns its address (`models:/m-…`).

        Args:
            inputs, outputs: Some rows that the model takes and what it answers, for the signature.
            libraries: Distributions that it needs. They are written down in their installed versions, so that
                MLflow need not find them out by loading the model in another process (which takes seconds).

        Raises:
            ConfigurationError: a library is not installed, or the artifacts' folder cannot be written.
        """
        mlflow = mlflow_client.load()
        from mlflow import sklearn
        from mlflow.models import infer_signature

        with mlflow_client.explained(self._uri):
            mlflow.set_tracking_uri(self._uri)
            with mlflow.start_run(run_id=self.id):
                logged = sklearn.log_model(
                    model, name="model", signature=infer_signature(inputs, outputs),
                    pip_requirements=pinned([*libraries, "cloudpickle"]),
                    # skops refuses the types of a team's own steps; the store is written by this program alone.
                    serialization_format=sklearn.SERIALIZATION_FORMAT_CLOUDPICKLE,
                )
            return str(logged.model_uri)

    def save_model(self, folder: Path, model: Any, *, inputs: Any, outputs: Any, libraries: Sequence[str]) -> None:
        """Write the fitted model into `folder`, as MLflow writes models, and nothing of it into MLflow's store.

        For a model that must not be registered: no address leads to it.

        Raises:
            ConfigurationError: a library is not installed, or the folder cannot be written.
        """
        mlflow_client.load()
        from mlflow import sklearn
        from mlflow.models import infer_signature

        with files.atomic_folder(folder) as made, mlflow_client.explained(self._uri):
            sklearn.save_model(
                model, str(made / "model"), signature=infer_signature(inputs, outputs),
                pip_requirements=pinned([*libraries, "cloudpickle"]),
                serialization_format=sklearn.SERIALIZATION_FORMAT_CLOUDPICKLE,
            )

    def _write(self, **entities: Any) -> None:
        with mlflow_client.explained(self._uri):
            for kind, listed in entities.items():
                for start in range(0, len(listed), 100):  # MLflow's limit for parameters and tags
                    self._client.log_batch(self.id, **{kind: listed[start : start + 100]})


@contextmanager
def start(
    settings: Settings, experiment: str, *, name: str, parameters: Mapping[str, Any], tags: Mapping[str, str]
) -> Iterator[TrackedRun]:
    """A new run in `experiment` (made when absent), finished or failed with the block.

    Raises:
        MlopsError: the store cannot be written, see `mlflow_client.explained`.
    """
    client = mlflow_client.client(settings)
    uri = settings.model_registry.tracking_uri
    with mlflow_client.explained(uri):
        experiment_id = _experiment(client, settings, experiment)
        run_id: str = client.create_run(experiment_id, run_name=name, tags=dict(tags)).info.run_id
    run = TrackedRun(client, run_id, uri)
    try:
        run.log_parameters(parameters)
        yield run
    except BaseException:
        with mlflow_client.explained(uri):
            client.set_terminated(run_id, "FAILED")
        raise
    with mlflow_client.explained(uri):
        client.set_terminated(run_id, "FINISHED")


def pinned(libraries: Sequence[str]) -> list[str]:
    """`NAME==VERSION` of installed distributions.

    Raises:
        ConfigurationError: one is not installed.
    """
    return [f"{name}=={installed}" for name, installed in versions(libraries).items()]


def versions(libraries: Sequence[str]) -> dict[str, str]:
    """Distribution → installed version.

    Raises:
        ConfigurationError: one is not installed.
    """
    found = {}
    for name in libraries:
        try:
            found[name] = version(name)
        except PackageNotFoundError as error:
            raise ConfigurationError(
                f"the library {name!r} is not installed", where="libraries of the model's configuration",
                mend="add it to the project's dependencies and run `make setup`, or correct its name",
            ) from error
    return found


def _experiment(client: Any, settings: Settings, name: str) -> str:
    from mlflow.exceptions import MlflowException

    remote = settings.model_registry.tracking_uri.startswith("http")  # a server knows its own place
    location = None if remote else (Path(settings.model_registry.tracking_dir).resolve() / name).as_uri()
    found = client.get_experiment_by_name(name)
    if found is not None and location is not None and found.artifact_location != location:
        # The folder was moved with its database. MLflow would go on writing to where it was.
        name = f"{name} ({sha256_bytes(location.encode())[7:15]})"
        found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return str(client.create_experiment(name, artifact_location=location))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            found = client.get_experiment_by_name(name)  # another process was faster
    if found.lifecycle_stage == "deleted":
        raise ConfigurationError(
            f"the experiment {name!r} was deleted", where=mlflow_client.shown(settings.model_registry.tracking_uri),
            mend=f"restore it (mlflow experiments restore --experiment-id {found.experiment_id}), or rename the model",
        )
    return str(found.experiment_id)
