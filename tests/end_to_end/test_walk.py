"""The whole way: a first run, a second one, edits, and every planted defect at its own gate.

The tests of this module share one clone and run in the order in which they stand, as a user's day would.
"""

import csv
import json
import os
import re
import shlex
import socket
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.xdist_group("walk"), pytest.mark.timeout(400)]

PIPELINE_STEPS = {
    "data/docs/housing", "data/docs/lab",
    "data/ingest/housing", "data/validate/housing", "data/process/housing", "data/check/housing",
    "data/version/housing", "data/ingest/lab", "data/validate/lab", "data/process/lab", "data/check/lab",
    "data/version/lab", "model/tracking", "model/train/housing", "model/evaluate/housing", "model/register/housing",
    "model/promote/housing", "model/train/lab", "model/evaluate/lab", "model/register/lab", "model/promote/lab",
    "service/lint", "service/test/api", "service/build/api", "service/test/predict", "service/build/predict",
    "main/check",
}
RELEASE_STEPS = {"release/manifest", "release/start", "release/proof"}


@pytest.fixture(scope="module")
def first(clone):
    return clone.run()


def test_the_first_run_walks_the_whole_way_and_says_what_it_did(clone, first):
    assert clone.outcomes() == dict.fromkeys(PIPELINE_STEPS | RELEASE_STEPS, "success")
    assert clone.record()["gate"]["open"] is True
    told = first.stdout
    assert "SIMULATED" in told
    assert re.search(r"housing\s+rmse|housing\s+\w+ [\d.]+ against no champion before", told)
    assert "release r1" in told
    for port in clone.ports.values():
        assert f":{port}" in told
    assert clone.served() == {"housing": "1", "lab": "1"}


def test_the_line_to_try_answers(clone, first):
    line = next(line for line in first.stdout.splitlines() if line.strip().startswith("curl"))
    answer = json.loads(subprocess.run(shlex.split(line), check=True, capture_output=True).stdout)
    assert answer["model"] == "housing"
    assert answer["version"] == "1"
    assert 10_000 < answer["predictions"][0] < 1_000_000


def test_a_second_run_runs_nothing_and_says_so_step_by_step(clone, first):
    before = clone.record()
    logs = set((clone.folder / ".mlops" / "logs").iterdir())
    second = clone.run()
    told = re.findall(r"· (\S+) +up to date", second.stderr)
    assert set(told) == PIPELINE_STEPS | RELEASE_STEPS
    assert clone.record() == before
    assert set((clone.folder / ".mlops" / "logs").iterdir()) == logs, "a second run started a worker"


def test_status_shows_what_runs(clone, first):
    status = clone.mlops("status", "--format", "json")
    assert status.returncode == 0
    document = json.loads(status.stdout)
    assert {each["name"] for each in document["services"]} == {"api", "predict"}
    assert document["release"]["id"] == "r1"


def test_the_page_shows_the_release(clone, first):
    import urllib.request

    with urllib.request.urlopen(f"http://127.0.0.1:{clone.ports['api']}/", timeout=10) as answer:
        page = answer.read().decode()
    for text in ("r1", "housing", "lab", "imulated"):
        assert text in page
    assert not re.search(r"(?:src|href)=[\"']https?://(?!127\.0\.0\.1|localhost)", page), "an outside host"


def test_bad_data_stops_at_validation_and_the_old_version_goes_on(clone, first):
    path = clone.folder / "data" / "raw" / "housing.csv"
    rows = list(csv.DictReader(path.open(newline="")))
    for row in rows[100:110]:
        row["latitude"] = "999"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    done = clone.run(expect=1)
    assert clone.outcomes()["data/validate/housing"] == "failure"
    assert "latitude" in done.stdout and "mend" in done.stdout
    assert "data/raw/housing.csv changed (data/" in done.stderr
    assert "RELEASE" not in done.stdout.upper().replace("RELEASED", "")
    assert not RELEASE_STEPS & set(clone.outcomes())
    assert clone.served() == {"housing": "1", "lab": "1"}
    clone.restore("data/raw/housing.csv")
    clone.run()
    assert clone.served() == {"housing": "1", "lab": "1"}


def test_a_failing_service_test_stops_the_way(clone, first):
    test = clone.folder / "services" / "predict" / "tests" / "test_planted.py"
    test.write_text("def test_planted():\n    assert 1 == 2\n")
    done = clone.run(expect=1)
    assert clone.outcomes()["service/test/predict"] == "failure"
    assert "service/build/predict" not in clone.outcomes()
    assert "test_planted" in done.stdout
    assert clone.served() == {"housing": "1", "lab": "1"}
    test.unlink()
    clone.run()


def test_a_worse_model_is_refused_and_the_champion_stays(clone, first):
    config = clone.folder / "model" / "configs" / "housing.yaml"
    clone.edit("model/configs/housing.yaml", r"max_iter: \d+", "max_iter: 25")
    done = clone.run(expect=1)
    outcomes = clone.outcomes()
    assert outcomes["model/promote/housing"] == "failure"
    assert outcomes["model/evaluate/housing"] == "success"
    assert "worse" in done.stdout
    assert not any(step.startswith("data/") for step, outcome in outcomes.items() if outcome != "cached")
    assert clone.served()["housing"] == "1"
    history = json.loads(clone.mlops("model", "history", "housing", "--format", "json").stdout)
    verdicts = {each["version"]: each["verdict"] for each in history["versions"]}
    assert verdicts["1"] == "first" and "worse" in verdicts.values()
    clone.restore(str(config.relative_to(clone.folder)))
    clone.run()
    assert clone.served()["housing"] == "1"


def test_an_edit_of_a_service_runs_the_service_pipeline_alone_and_switches_over(clone, first):
    clone.edit("services/predict/app/main.py", r"\Z", "\n# an edit\n")
    done = clone.run()
    ran = {step for step, outcome in clone.outcomes().items() if outcome == "success"}
    assert ran == {"service/lint", "service/test/predict", "service/build/predict"} | RELEASE_STEPS
    assert "services/predict/app/main.py (services/** in .github/workflows/service-pipeline.yml)" in done.stderr
    assert "release r2" in done.stdout
    assert clone.served() == {"housing": "1", "lab": "1"}


def test_stopped_services_are_started_again_and_proven_again(clone, first):
    assert clone.mlops("stop").returncode == 0
    assert not clone.answers()
    assert clone.mlops("status").returncode == 1
    clone.run()
    ran = {step for step, outcome in clone.outcomes().items() if outcome == "success"}
    assert ran == {"release/start", "release/proof"}
    assert clone.answers()


def test_a_file_of_the_users_own_is_used_and_not_remembered(clone, first, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "data.src.simulate", str(tmp_path / "mine.csv"), "--rows", "2500", "--seed", "7"],
        cwd=clone.folder, env=clone.environment, capture_output=True, text=True,
    )
    assert done.returncode == 0, done.stderr
    told = clone.run("--data", str(tmp_path / "mine.csv"))
    assert "2500 rows" in told.stdout
    again = clone.run()
    assert "2500 rows" not in again.stdout
    nothing = clone.run()
    assert set(re.findall(r"· (\S+) +up to date", nothing.stderr)) == PIPELINE_STEPS | RELEASE_STEPS


def test_a_missing_source_is_asked_for_and_nothing_runs(clone, first):
    done = clone.run("--data", "nowhere.csv", expect=2)
    assert "nowhere.csv" in done.stderr and "mend" in done.stderr
    assert clone.answers()


def test_a_taken_port_is_named(clone, first):
    clone.mlops("stop")
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", clone.ports["api"]))
        taken.listen()
        done = clone.mlops("run")
        assert done.returncode != 0
        assert str(clone.ports["api"]) in done.stdout and "mend" in done.stdout
    clone.run()
    assert clone.answers()


def newest(clone):
    """The record of the newest release."""
    return json.loads(clone.mlops("release", "list", "--format", "json").stdout)[0]


def test_a_release_that_does_not_start_goes_back_by_itself(clone, first):
    before = clone.release()
    # Passes its tests, and dies where it is released.
    clone.edit(
        "services/predict/app/main.py", r"\Z",
        "\nimport os\nif 'PYTEST_VERSION' not in os.environ:\n    raise RuntimeError('planted')  # noqa: E402\n",
    )
    clone.edit("services/predict/app/main.py", r"import os\nif", "import os  # noqa: E402\nif")
    done = clone.run(expect=1)
    assert clone.outcomes()["release/start"] == "failure"
    assert "rolled back to" in done.stdout and "planted" in done.stdout
    status = json.loads(clone.mlops("status", "--format", "json").stdout)
    served = {each["name"]: each["digest"] for each in status["services"]}
    assert served == {name: image["digest"] for name, image in before["images"].items()}
    assert clone.served() == {"housing": "1", "lab": "1"}
    assert newest(clone)["kind"] == "rollback"
    clone.restore("services/predict/app/main.py")
    clone.run()
    assert clone.answers()


def test_an_asked_for_rollback_stays_until_something_changes(clone, first):
    clone.edit("services/api/app/main.py", r"\Z", "\n# an edit to roll back\n")
    clone.run()
    newer = clone.release()
    done = clone.mlops("release", "rollback")
    assert done.returncode == 0, done.stderr
    older = newest(clone)
    assert older["images"]["api"]["digest"] != newer["images"]["api"]["digest"]
    clone.run()
    assert clone.release()["images"] == older["images"], "a run put the rolled-back image into service again"
    clone.edit("services/api/app/main.py", "# an edit to roll back", "# a mend")
    clone.run()
    assert clone.release()["images"]["api"]["digest"] not in (
        older["images"]["api"]["digest"], newer["images"]["api"]["digest"]
    )


@pytest.mark.skipif(not os.environ.get("MLOPS_REAL_DATA"), reason="MLOPS_REAL_DATA names no census file")
def test_the_real_file_passes_the_same_suite_and_is_served(clone, first):
    clone.run("--data", os.environ["MLOPS_REAL_DATA"])
    served = clone.served()["housing"]
    version = clone.release()["models"]["housing"]
    assert version["version"] == served
    assert clone.release()["data"]["housing"]["simulated"] is False
    row = {
        "longitude": -118.3, "latitude": 34.0, "housing_median_age": 30.0, "total_rooms": 2000.0,
        "total_bedrooms": None, "population": 1000.0, "households": 380.0, "median_income": 3.5,
        "ocean_proximity": "<1H OCEAN",
    }
    answer = clone.predict({"model": "housing", "rows": [row]})
    assert answer["version"] == served
    assert 50_000 < answer["predictions"][0] < 500_001
