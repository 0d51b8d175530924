from __future__ import annotations

from pathlib import Path

import pytest

from mlops import experiment_tracker, mlflow_client
from mlops.config import ConfigManager, Settings
from mlops.errors import ConfigurationError


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    made = ConfigManager(tmp_path_factory.mktemp("runs"), {}).load_config()
    experiment_tracker.prepare(made)
    return made


def test_a_run_keeps_what_it_is_told(settings: Settings) -> None:
    with experiment_tracker.start(settings, "one", name="first", parameters={"depth": 3}, tags={"mlops.x": "y"}) as run:
        run.log_parameters({f"p{number}": number for number in range(250)})  # more than MLflow takes at once
        run.log_metrics({"good": 1.5, "bad": float("nan")}, step=2)
        run.log_curve("curve", [float(number) for number in range(2500)])
        run.tag({"later": "yes"})
    found = mlflow_client.client(settings).get_run(run.id)
    assert found.info.status == "FINISHED" and found.info.run_name == "first"
    assert found.data.params["depth"] == "3" and len(found.data.params) == 251
    assert found.data.metrics["good"] == 1.5 and "bad" not in found.data.metrics
    assert len(mlflow_client.client(settings).get_metric_history(run.id, "curve")) == 2500
    assert (found.data.tags["mlops.x"], found.data.tags["later"]) == ("y", "yes")


@pytest.mark.parametrize("raised", [ValueError, KeyboardInterrupt])
def test_a_run_that_raises_has_failed(settings: Settings, raised: type[BaseException]) -> None:
    with pytest.raises(raised):
        with experiment_tracker.start(settings, "one", name="x", parameters={}, tags={}) as run:
            raise raised
    assert mlflow_client.client(settings).get_run(run.id).info.status == "FAILED"


def test_a_moved_folder_gets_its_own_experiment(settings: Settings, tmp_path: Path) -> None:
    with experiment_tracker.start(settings, "moving", name="x", parameters={}, tags={}) as first:
        pass
    before, settings.model_registry.tracking_dir = settings.model_registry.tracking_dir, str(tmp_path)
    try:
        with experiment_tracker.start(settings, "moving", name="x", parameters={}, tags={}) as second:
            pass
    finally:
        settings.model_registry.tracking_dir = before
    client = mlflow_client.client(settings)
    assert before in client.get_run(first.id).info.artifact_uri
    assert str(tmp_path) in client.get_run(second.id).info.artifact_uri


def test_a_deleted_experiment_is_said(settings: Settings) -> None:
    with experiment_tracker.start(settings, "gone", name="x", parameters={}, tags={}):
        pass
    client = mlflow_client.client(settings)
    client.delete_experiment(client.get_experiment_by_name("gone").experiment_id)
    with pytest.raises(ConfigurationError, match="was deleted"):
        with experiment_tracker.start(settings, "gone", name="x", parameters={}, tags={}):
            pass


def test_versions_are_the_installed_ones() -> None:
    import sklearn

    assert experiment_tracker.versions(["scikit-learn"]) == {"scikit-learn": sklearn.__version__}
    with pytest.raises(ConfigurationError, match="'no-such-library' is not installed"):
        experiment_tracker.versions(["no-such-library"])
