"""Pull requests and merge groups on real repositories: three dots, the merge that GitHub tests, several bases."""

from __future__ import annotations

from mlops.routing import Event
from mlops.routing.router.events import from_payload
from mlops.routing.router.plans import Routed
from tests.unit.mlops.routing.asking import Repository, asked, verdicts


def test_a_pull_request_plan_has_no_limit(repository: Repository) -> None:
    after = repository.commit({f"docs/{number:04}": "x" for number in range(400)} | {"services/a": "x"})
    event = Event("pull_request", "refs/heads/main", base=repository.first, head=after)
    assert verdicts(asked(repository, event))["service"] == "RUN"


def request_of(repository: Repository) -> Routed:
    return asked(repository, Event("pull_request", "refs/heads/main", "synchronize", head="topic"))


def diverged(repository: Repository) -> None:
    repository.git("checkout", "-qb", "topic")
    repository.commit({"services/a": "x"})
    repository.git("checkout", "-q", "main")
    repository.commit({"b": "x"})


def test_a_request_is_compared_in_three_dots(repository: Repository) -> None:
    diverged(repository)
    routed = request_of(repository)
    assert routed.files == ["services/a"]
    found = {each.pipeline: (each.verdict, each.called_by) for each in routed.workflows}
    caller = ".github/workflows/pull-request.yml"
    assert found == {"service": ("RUN", caller), "main": ("SKIP", caller), "pull-request": ("RUN", None)}


def test_a_request_reads_the_files_of_the_merge(repository: Repository) -> None:
    diverged(repository)
    repository.commit(
        {".github/workflows/service-pipeline.yml": repository.service.replace("services", "other")}
    )
    assert verdicts(request_of(repository))["service"] == "SKIP"


def test_asking_leaves_no_object_behind(repository: Repository) -> None:
    diverged(repository)
    before = repository.git("count-objects")
    request_of(repository)
    assert repository.git("count-objects") == before


def test_a_request_takes_the_bases_tip_and_not_its_frozen_commit(repository: Repository) -> None:
    diverged(repository)
    repository.git("checkout", "-q", "topic")
    repository.git("merge", "-q", "--no-edit", "main")
    payload = {
        "action": "synchronize",
        "pull_request": {
            "base": {"ref": "main", "sha": repository.first},
            "head": {"ref": "topic", "sha": repository.git("rev-parse", "topic")},
        },
    }
    event = from_payload("pull_request", payload, ref="refs/pull/1/merge", sha="1" * 40)
    assert asked(repository, event).files == ["services/a"]


def test_a_request_believes_githubs_merge_commit(repository: Repository) -> None:
    diverged(repository)
    tip, head = repository.git("rev-parse", "main"), repository.git("rev-parse", "topic")
    tree = repository.git("rev-parse", "main^{tree}")
    merge = repository.git("commit-tree", tree, "-p", tip, "-p", head, "-m", "merge")
    repository.git("update-ref", "-d", "refs/heads/main")  # a runner has no branch of the base
    payload = {
        "action": "opened",
        "pull_request": {
            "base": {"ref": "main", "sha": repository.first},
            "head": {"sha": head, "repo": {"fork": True}},
        },
    }
    routed = asked(repository, from_payload("pull_request", payload, ref="refs/pull/1/merge", sha=merge))
    assert routed.files == ["services/a"] and routed.base == repository.first


def test_a_conflict_starts_nothing(repository: Repository) -> None:
    diverged(repository)
    repository.commit({"services/a": "another"})
    assert set(verdicts(request_of(repository)).values()) == {"SKIP"}


def test_several_merge_bases_are_unknown(repository: Repository) -> None:
    diverged(repository)
    main, topic = repository.git("rev-parse", "main"), repository.git("rev-parse", "topic")
    repository.git("merge", "-q", "--no-edit", topic)
    repository.git("checkout", "-q", "topic")
    repository.git("merge", "-q", "--no-edit", main)
    repository.commit({"services/more": "x"})
    assert verdicts(request_of(repository)) == {
        "service": "UNKNOWN",
        "main": "UNKNOWN",
        "pull-request": "RUN",
    }


def test_no_common_history_is_unknown(repository: Repository) -> None:
    repository.git("checkout", "-q", "--orphan", "topic")
    repository.commit({"services/a": "x"})
    assert verdicts(request_of(repository))["service"] == "UNKNOWN"


def test_activities(repository: Repository) -> None:
    diverged(repository)
    event = Event("pull_request", "refs/heads/main", "labeled", head="topic")
    assert set(verdicts(asked(repository, event)).values()) == {"SKIP"}
    repository.commit({".github/workflows/labels.yml": "on: {pull_request: {types: labeled}}"})
    assert verdicts(asked(repository, event))["labels"] == "RUN"
    assert verdicts(asked(repository, event._replace(action="opened")))["labels"] == "SKIP"


def test_a_request_to_another_base(repository: Repository) -> None:
    diverged(repository)
    repository.git("branch", "release/1", "main")
    repository.commit(
        {".github/workflows/r.yml": "on: {pull_request: {branches: ['release/*'], paths: 'services/**'}}"}
    )
    repository.git("branch", "-f", "release/1", "main")
    assert verdicts(request_of(repository))["r"] == "SKIP"
    routed = asked(repository, Event("pull_request", "refs/heads/release/1", head="topic"))
    assert verdicts(routed)["r"] == "RUN"


def test_a_merge_group(repository: Repository) -> None:
    after = repository.commit({"services/a": "x"})
    payload = {
        "action": "checks_requested",
        "merge_group": {
            "base_ref": "refs/heads/main",
            "base_sha": repository.first,
            "head_sha": after,
        },
    }
    routed = asked(repository, from_payload("merge_group", payload, ref=None, sha=after))
    assert verdicts(routed) == {"service": "RUN", "main": "SKIP", "pull-request": "RUN"}
