"""How much an event asks for: a bounded proof or everything, and whether it may deploy."""

from __future__ import annotations

from typing import Any

import pytest
from mlops.git import Git
from mlops.records import Plan, decode
from mlops.routing import Event, route_event
from mlops.routing.router.events import ZERO
from mlops.routing.router.plans import deploys, explain, level_of

MAIN, DEVELOP, TAG = "refs/heads/main", "refs/heads/develop", "refs/tags/v1"


@pytest.mark.parametrize(
    ("event", "level", "deploy"),
    [
        (Event("push", MAIN, after="a" * 40), "full", True),
        (Event("push", MAIN, forced=True), "full", True),
        (Event("push", DEVELOP), "full", False),
        (Event("push", TAG), "full", False),
        (Event("push", "refs/tags/main"), "full", False),
        (Event("push", "refs/heads/feature/main"), "full", False),
        (Event("push", None), "full", False),
        (Event("push", MAIN, after=ZERO), "full", False),
        (Event("push", MAIN, deleted=True), "full", False),
        (Event("workflow_dispatch", MAIN), "full", True),
        (Event("workflow_dispatch", DEVELOP), "full", False),
        (Event("schedule", MAIN), "full", False),
        (Event("pull_request", MAIN, "opened"), "bounded", False),
        (Event("pull_request", MAIN, "synchronize"), "bounded", False),
        (Event("pull_request_target", MAIN), "bounded", False),
        (Event("pull_request_review", MAIN), "bounded", False),
        (Event("merge_group", MAIN, "checks_requested"), "bounded", False),
    ],
)
def test_the_level_of_every_event(event: Event, level: str, deploy: bool) -> None:
    assert (level_of(event), deploys(event)) == (level, deploy)


def test_the_plan_says_it_in_each_of_its_forms(repository: Any) -> None:
    after = repository.commit({"services/a": "x"})
    pushed = route_event(Git(repository.path), Event("push", MAIN, before=repository.first, after=after))
    asked = route_event(Git(repository.path), Event("pull_request", MAIN, base=repository.first, head=after))
    for routed, expected in ((pushed, ("full", True)), (asked, ("bounded", False))):
        document = routed.to_dict()
        assert (document["level"], document["deploy"]) == expected
        plan = decode(Plan, routed.to_plan().to_json(), where="plan")
        assert (plan.level, plan.deploy) == expected
    assert [(each.level, each.deploy) for each in explain(repository.path, "services/a")] == [
        ("full", True), ("bounded", False)
    ]


def test_a_plan_without_a_level_is_one_of_before_and_deploys_nothing() -> None:
    plan = decode(Plan, b'{"event": "push", "ref": null, "files": [], "workflows": []}', where="plan")
    assert (plan.level, plan.deploy) == ("full", False)


def test_no_workflow_file_sets_these_outputs_by_its_name(
    repository: Any, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlops.cli.routing import run

    monkeypatch.delenv("GITHUB_OUTPUT", raising=False)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    names = ("level", "deploy")
    after = repository.commit({f".github/workflows/{name}.yml": "on: push" for name in names})
    words = ["--event", "push", "--before", repository.first, "--after", after, "--ref", "topic", "--format", "github"]
    assert run([*words, "--repository", str(repository.path)], "mlops route") == 0
    told = capsys.readouterr().out.splitlines()
    assert [line for line in told if line.startswith(("level=", "deploy="))] == ["level=full", "deploy=false"]
