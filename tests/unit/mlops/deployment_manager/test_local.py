"""The local runtime with real processes."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops import images, processes
from mlops.deployment_manager import local
from mlops.deployment_manager.local import DeployError
from mlops.errors import BusyError, ConfigurationError, IntegrityError

Make = Callable[..., Any]


def pids(ground: Any) -> dict[str, int | None]:
    return {each.name: each.pid for each in local.status(ground.places)}


def state(ground: Any) -> dict:
    return json.loads((ground.places.runtime / "state.json").read_bytes())


def wait_until(true: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.02)


def test_the_whole_life(ground: Any) -> None:
    assert local.status(ground.places) == []
    assert local.stop(ground.places) == []
    commit = ground.says({"m": "1"})
    assert local.out_of_step(ground.places, ground.settings) == "no service runs"
    deployed = ground.deploy()
    assert deployed.changed == ["api started", "predict started"]
    assert deployed.manifest == commit
    assert [(each.name, each.ready, list(each.models)) for each in deployed.services] == [
        ("api", True, ["m"]), ("predict", True, ["m"]),
    ]
    assert local.out_of_step(ground.places, ground.settings) is None
    before = pids(ground)
    assert ground.deploy().changed == []
    assert pids(ground) == before
    assert local.stop(ground.places) == ["api", "predict"]
    for pid in before.values():
        assert processes.started(pid or 0) is None
    assert not (ground.places.runtime / "state.json").exists()
    assert list(ground.places.runtime.glob("*.sock")) == []


def test_a_service_gets_its_environment_and_the_images_folder(ground: Any) -> None:
    ground.says({"m": "1"})
    ground.deploy()
    said = ground.get("api")
    root = images.open_root(ground.places, "api", ground.services["api"])
    environment = said["env"]
    assert said["cwd"] == str((root / "services/api").resolve())
    assert environment["PYTHONPATH"] == str(root)
    assert environment["OMP_NUM_THREADS"] == "1"
    assert environment["MLOPS_BUNDLE_STORE"] == ground.settings.model_registry.registry_path
    assert environment["MLOPS_DATABASE_URL"] == ground.settings.database.url
    assert environment["PREDICT_URL"] == {each.name: each.address for each in local.status(ground.places)}["predict"]
    assert "PYTHONDONTWRITEBYTECODE" not in environment


def test_other_models_are_a_reload_and_no_restart(ground: Any) -> None:
    ground.says({"m": "1"})
    ground.deploy()
    before = pids(ground)
    ground.says({"m": "2"})
    assert local.out_of_step(ground.places, ground.settings) == "the manifest has a newer head"
    assert ground.deploy().changed == ["api reloaded", "predict reloaded"]
    assert pids(ground) == before
    assert ground.get("predict")["models"] == {"m": "2"}


def test_another_image_takes_over_and_the_other_service_goes_on(ground: Any) -> None:
    ground.says({"m": "1"})
    ground.deploy()
    before = pids(ground)
    ground.says({"m": "1"}, predict=ground.image("predict", note="second"))
    assert ground.deploy().changed == ["predict started"]
    after = pids(ground)
    assert after["api"] == before["api"] and after["predict"] != before["predict"]
    assert processes.started(before["predict"] or 0) is None


@pytest.mark.parametrize(("behaviour", "suspect", "said"), [
    ({"crash": True}, "image", "told to crash"),
    ({"unready": True, "no_list": True}, "image", "not ready"),
])
def test_a_bad_image_changes_nothing(
    ground: Any, behaviour: dict, suspect: str, said: str
) -> None:
    ground.says({"m": "1"})
    ground.deploy()
    before = pids(ground)
    ground.says({"m": "2"}, predict=ground.image("predict", **behaviour), api=ground.image("api", note="new"))
    with pytest.raises(DeployError, match=said) as error:
        ground.deploy(patience=0.5)
    assert error.value.suspect == suspect
    assert pids(ground) == before
    assert ground.get("api")["models"] == {"m": "1"}
    assert len(list(ground.places.runtime.glob("*.sock"))) == 3


def test_a_bad_model_changes_nothing(ground: Any) -> None:
    ground.says({"m": "1"})
    ground.deploy()
    before = pids(ground)
    ground.says({"m": "bad"})
    with pytest.raises(DeployError, match="its bundle is bad$|its bundle is bad\n") as error:
        ground.deploy()
    assert error.value.suspect == "models"
    assert "never shown" not in str(error.value)
    assert pids(ground) == before
    assert ground.get("predict")["models"] == {"m": "1"}
    os.kill(before["predict"] or 0, signal.SIGKILL)  # started again, it reads the list that was put back
    wait_until(lambda: all(each.ready for each in local.status(ground.places)))
    assert ground.get("predict")["models"] == {"m": "1"}


def test_a_bad_model_in_a_new_process_is_told_as_such(ground: Any) -> None:
    ground.says({"m": "bad"}, api="")
    with pytest.raises(DeployError, match="its bundle is bad") as error:
        ground.deploy(patience=0.5)
    assert error.value.suspect == "models"
    assert local.status(ground.places) == []  # nothing was running, nothing is left


def test_a_crashed_service_is_started_again(ground: Any) -> None:
    ground.says()
    ground.deploy()
    before = pids(ground)
    with pytest.raises((urllib.error.URLError, ConnectionError, http.client.HTTPException)):
        ground.get("predict", "/exit")
    wait_until(lambda: all(each.ready for each in local.status(ground.places)))
    after = {each.name: each for each in local.status(ground.places)}
    assert after["predict"].pid != before["predict"] and after["predict"].restarts == 1
    assert after["api"].pid == before["api"]
    assert local.out_of_step(ground.places, ground.settings) is None


def test_a_killed_supervisor_leaves_nothing_in_the_way(make_ground: Make) -> None:
    ports = f"api={processes.free_port()},predict={processes.free_port()}"
    ground = make_ground(ports=ports)
    ground.says()
    ground.deploy()
    before = pids(ground)
    os.kill(state(ground)["pid"], signal.SIGKILL)
    wait_until(lambda: all(processes.started(pid or 0) is None for pid in before.values()))
    assert local.out_of_step(ground.places, ground.settings) == "the supervisor does not run"
    assert [(each.name, each.pid, each.ready) for each in local.status(ground.places)] == [
        ("api", None, False), ("predict", None, False),
    ]
    assert ground.deploy().changed == ["api started", "predict started"]
    assert local.out_of_step(ground.places, ground.settings) is None


def test_stop_after_a_killed_supervisor(ground: Any) -> None:
    ground.says()
    ground.deploy()
    os.kill(state(ground)["pid"], signal.SIGKILL)
    assert local.stop(ground.places) == ["api", "predict"]
    assert local.status(ground.places) == []


@pytest.mark.parametrize("delay", [0.0, 0.15, 0.4])
def test_a_killed_deploy_is_made_good_by_the_next(ground: Any, delay: float) -> None:
    ground.says(predict=ground.image("predict", slow_start=0.3))
    library = str(Path(local.__file__).parents[2])
    program = (
        "from pathlib import Path\nfrom mlops.config import ConfigManager\nfrom mlops.deployment_manager import local\n"
        f"m = ConfigManager(Path({str(ground.places.repository)!r}))\n"
        "print('go', flush=True)\nlocal.deploy(m.workspace(), m.load_config())\n"
    )
    environment = {**os.environ, "MLOPS_PORTS": "api=0,predict=0", "PYTHONPATH": library}
    with subprocess.Popen([sys.executable, "-c", program], env=environment, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stdout.readline() == b"go\n"
        time.sleep(delay)
        child.kill()
    ground.deploy()
    assert [each.ready for each in local.status(ground.places)] == [True, True]
    assert local.out_of_step(ground.places, ground.settings) is None
    assert len(list((ground.places.runtime / "lists").glob("*.yaml"))) == 2


def test_a_taken_port_is_told_with_its_setting_and_its_holder(make_ground: Make) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ground = make_ground(ports=f"api=0,predict={port}")
        ground.says()
        for asked in (ground.deploy, lambda: local.preflight(ground.places, ground.settings, ["api", "predict"])):
            with pytest.raises(BusyError) as error:
                asked()
            text = str(error.value)
            assert f"port {port} of the service predict" in text
            assert "MLOPS_PORTS=predict=" in text and "ports.predict" in text
            assert sys.platform != "linux" or f"(process {os.getpid()})" in text
        assert local.status(ground.places) == []
    assert ground.deploy().changed == ["api started", "predict started"]
    local.preflight(ground.places, ground.settings, ["api", "predict"])  # our own supervisor holds it


def test_a_port_or_host_that_cannot_be_used_is_a_setting(make_ground: Make) -> None:
    ground = make_ground()
    ground.says()
    ground.settings.ports.host = "192.0.2.1"  # RFC 5737: nobody's
    with pytest.raises(ConfigurationError, match="ports.host"):
        ground.deploy()
    with pytest.raises(ConfigurationError, match="no port"):
        local.preflight(ground.places, ground.settings, ["gateway"])


def test_a_changed_port_moves_the_service(make_ground: Make) -> None:
    ground = make_ground(ports=f"api=0,predict={processes.free_port()}")
    ground.says()
    ground.deploy()
    old = {each.name: each.address for each in local.status(ground.places)}["predict"]
    port = processes.free_port()
    ground.settings.ports.predict = port
    assert "another address" in (local.out_of_step(ground.places, ground.settings) or "")
    ground.deploy()
    assert ground.get("predict")["name"] == "predict"
    assert {each.name: each.address for each in local.status(ground.places)}["predict"].endswith(f":{port}")
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(old, timeout=2)


def test_a_long_path_gets_a_short_socket(make_ground: Make) -> None:
    ground = make_ground("long" * 30)
    ground.says()
    ground.deploy()
    control = Path(state(ground)["control"])
    assert len(str(control)) < 100
    assert control.parent.stat().st_mode & 0o077 == 0
    local.stop(ground.places)
    assert not control.parent.exists()


@pytest.mark.slow
def test_a_stubborn_process_is_made_to_end(ground: Any) -> None:
    ground.says(predict="", api=ground.image("api", stubborn=True))
    ground.deploy()
    pid = pids(ground)["api"]
    begun = time.monotonic()
    local.stop(ground.places)
    assert processes.started(pid or 0) is None
    assert time.monotonic() - begun < 16


def test_a_deleted_workspace_ends_its_supervisor(ground: Any) -> None:
    ground.says()
    ground.deploy()
    pid = state(ground)["pid"]
    (ground.places.runtime / "state.json").unlink()
    wait_until(lambda: processes.started(pid) is None)


def test_a_changed_image_does_not_start(ground: Any) -> None:
    ground.says()
    root = images.open_root(ground.places, "api", ground.services["api"])
    (root / "services/api/behaviour.json").write_text("{}")
    with pytest.raises(IntegrityError):
        ground.deploy()


def test_logs_are_kept(ground: Any) -> None:
    ground.says()
    ground.deploy()
    log = (ground.places.logs / "api.log").read_text()
    assert "starting" in log and ground.services["api"] in log


def test_requests_in_flight_are_answered_when_it_stops(ground: Any) -> None:
    ground.says(predict="")
    ground.deploy()
    answers: list[dict] = []
    thread = threading.Thread(target=lambda: answers.append(ground.get("api", "/slow")))
    thread.start()
    time.sleep(0.3)
    local.stop(ground.places)
    thread.join()
    assert answers and answers[0]["name"] == "api"
