"""The hand-over, against an API that behaves as GitHub's is documented: what is new is started, once, on main."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from mlops.errors import ConfigurationError, InvalidRecordError, MissingInputError, RefusedError, UsageError
from mlops.github import GitHub, Job
from mlops.pipelines.dispatching import hand_over, handed_over
from mlops.records import Blocked, PipelineRun, Receipt
from tests.unit.mlops.pipelines.reporting.github_server import GitHubServer


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    with GitHubServer() as server:
        server.runs.append({
            "id": 500, "path": ".github/workflows/data-pipeline.yml", "display_title": "data", "event": "push",
            "head_branch": "main", "status": "in_progress", "conclusion": None, "created_at": "2026-03-01T11:59:00Z",
        })
        yield server


JOB = Job(event="push", ref="refs/heads/main", repository="team/tree", run="500")


def receipt(step: str, subject: str, outcome: str = "success", *, pipeline: str = "data", **facts: object) -> Receipt:
    return Receipt(
        run_id="r", parent_id="p", pipeline=pipeline, step=step, subject=subject, key="sha256:0", code="sha256:0",
        inputs=[], outputs=[], outcome=outcome, started="2026-03-01T11:59:30Z", seconds=1.0,  # type: ignore[arg-type]
        facts=dict(facts),
    )


def left(folder: Path, *receipts: Receipt, pipeline: str = "data", **more: object) -> Path:
    """What a pipeline's run left, as its artifact holds it."""
    run = PipelineRun(
        run_id="p", pipelines=[pipeline], started="2026-03-01T11:59:10Z", exit_code=0, receipts=list(receipts),
    )
    path = folder / "reports" / "runs" / f"{pipeline}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.structs.replace(run, **more).to_json())
    return folder


def give(github: GitHubServer, folder: Path, pipeline: str = "data", job: Job = JOB) -> str:
    return hand_over(pipeline, folder, job, lambda: GitHub(github.variables()))


def inputs(github: GitHubServer) -> list[dict[str, str]]:
    return [each.body["inputs"] for each in github.asked("POST")]


def test_new_data_starts_the_model_pipeline(github, tmp_path) -> None:
    lab, housing = receipt("version", "lab", "cached", version="bb"), receipt("version", "housing", version="aa")
    folder = left(tmp_path, lab, housing)
    told = give(github, folder)
    assert told.startswith("started model-pipeline.yml with data: housing=aa lab=bb (new: housing aa): https://")
    started = github.asked("POST")
    assert [each.path for each in started] == ["/repos/team/tree/actions/workflows/model-pipeline.yml/dispatches"]
    assert started[0].body == {"ref": "main", "inputs": {"data": "housing=aa lab=bb"}, "return_run_details": True}


def test_a_repetition_starts_nothing_again(github, tmp_path) -> None:
    folder = left(tmp_path, receipt("version", "housing", version="aa"))
    give(github, folder)
    assert "was handed over before: https://github.com/team/tree/actions/runs/" in give(github, folder)
    assert len(github.asked("POST")) == 1


def test_the_same_again_in_a_later_run_is_handed_over_only_where_the_step_ran(github, tmp_path) -> None:
    github.run("model-pipeline.yml", "model: housing=aa", created="2026-02-01T00:00:00Z")
    assert "nothing new" in give(github, left(tmp_path, receipt("version", "housing", "cached", version="aa")))
    assert "started" in give(github, left(tmp_path, receipt("version", "housing", version="aa")))


def test_up_to_date_but_never_handed_over(github, tmp_path) -> None:
    """The run before made it and failed later: its version is not the one that was handed over last."""
    github.run("model-pipeline.yml", "model: housing=old lab=bb", created="2026-02-01T00:00:00Z")
    folder = left(tmp_path, receipt("version", "housing", "cached", version="aa"),
                  receipt("version", "lab", "cached", version="bb"))
    assert "(new: housing aa)" in give(github, folder)


def test_a_longer_name_is_another_input(github, tmp_path) -> None:
    github.run("model-pipeline.yml", "model: housing=aaa big-housing=aa")
    assert "started" in give(github, left(tmp_path, receipt("version", "housing", version="aa")))


def test_the_last_hand_over_is_the_newest_title() -> None:
    titles = ["by hand", "lab=3 x", "housing=2 lab=2", "housing=1"]
    assert handed_over(titles, ["housing", "lab"]) == {"housing": "2", "lab": "3"}
    assert handed_over(["big-housing=2 housing.x=3"], ["housing"]) == {}


def test_a_promoted_model_starts_the_service_pipeline(github, tmp_path) -> None:
    folder = left(
        tmp_path, receipt("register", "housing", pipeline="model", version="3"),
        receipt("promote", "housing", pipeline="model", champion="3", verdict="better"), pipeline="model",
    )
    assert "started service-pipeline.yml with models: housing=3 (new: housing 3)" in give(github, folder, "model")
    assert inputs(github) == [{"models": "housing=3"}]


def test_a_champion_that_stays_is_nothing_new(github, tmp_path) -> None:
    folder = left(
        tmp_path, receipt("register", "housing", pipeline="model", version="4"),
        receipt("promote", "housing", pipeline="model", champion="3", verdict="equal"), pipeline="model",
    )
    assert give(github, folder, "model") == "nothing new to hand over: housing=3"
    assert not github.asked("POST")


@pytest.mark.parametrize("job", [
    Job(event="pull_request", ref="refs/heads/main"), Job(event="schedule", ref="refs/heads/main"),
    Job(event="push", ref="refs/heads/develop"), Job(event="push", ref="refs/tags/main"), Job(),
])
def test_only_a_push_or_dispatch_on_main_hands_over(github, tmp_path, job) -> None:
    with pytest.raises(RefusedError, match="follows a push or dispatch on main"):
        give(github, left(tmp_path, receipt("version", "housing", version="aa")), job=job)
    assert not github.seen


@pytest.mark.parametrize("more", [
    {"exit_code": 1}, {"blocked": [Blocked(step="data/check/housing", by="data/validate/housing")]}, {"ended": False},
    {"receipts": [receipt("version", "housing", "failure", version="aa")]},
])
def test_what_did_not_pass_is_not_handed_over(github, tmp_path, more) -> None:
    folder = left(tmp_path, receipt("version", "housing", version="aa"), **more)
    with pytest.raises(RefusedError, match="did not pass"):
        give(github, folder)
    assert not github.seen


def test_no_record_or_two(github, tmp_path) -> None:
    with pytest.raises(MissingInputError, match="no record"):
        give(github, tmp_path)
    for name in ("one", "two"):
        left(tmp_path / name, receipt("version", "housing", version="aa"))
    with pytest.raises(MissingInputError, match="several"):
        give(github, tmp_path)


def test_a_version_that_is_no_word_is_refused(github, tmp_path) -> None:
    with pytest.raises(InvalidRecordError, match="cannot be handed over"):
        give(github, left(tmp_path, receipt("version", "housing", version="aa lab=evil")))
    assert not github.seen


def test_an_older_server_does_not_say_which_run_it_started(github, tmp_path) -> None:
    github.run_details = False
    told = give(github, left(tmp_path, receipt("version", "housing", version="aa")))
    assert told == "started model-pipeline.yml with data: housing=aa (new: housing aa)"
    assert [("return_run_details" in each.body) for each in github.asked("POST")] == [True, False]


def test_without_the_right(github, tmp_path) -> None:
    github.rights.discard("actions")
    with pytest.raises(ConfigurationError, match="Resource not accessible") as caught:
        give(github, left(tmp_path, receipt("version", "housing", version="aa")))
    assert "actions: write" in str(caught.value)


def test_a_workflow_that_cannot_be_started(github, tmp_path) -> None:
    github.workflows["model-pipeline.yml"] = None
    folder = left(tmp_path, receipt("version", "housing", version="aa"))
    with pytest.raises(UsageError, match="workflow_dispatch"):
        give(github, folder)
    del github.workflows["model-pipeline.yml"]
    with pytest.raises(MissingInputError, match="404"):
        give(github, folder)


def test_nothing_made(github, tmp_path) -> None:
    assert "made nothing" in give(github, left(tmp_path, receipt("validate", "housing")))
    assert not github.seen
