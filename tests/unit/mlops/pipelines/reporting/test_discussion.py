"""The one comment on a pull request, against an API that behaves as GitHub's is documented."""

from __future__ import annotations

import pytest

from mlops.errors import ConfigurationError, MissingInputError, UnavailableError
from mlops.github import GitHub
from mlops.pipelines.reporting.discussion import Refused, post
from tests.unit.mlops.pipelines.reporting.github_server import LIMIT, SECONDARY, GitHubServer, user
from tests.unit.mlops.pipelines.reporting.servers import Request, Response

MARKER = "<!-- marker -->"
BODY = f"{MARKER}\nnew"


@pytest.fixture
def waited() -> list[float]:
    return []


@pytest.fixture
def api(github: GitHubServer, waited: list[float]) -> GitHub:
    return GitHub(github.variables(), pause=waited.append)


def test_the_first_run_makes_it_and_the_next_changes_it(github, api) -> None:
    github.comment("what a person said", user("someone", "User"))
    assert post(api, 7, BODY, MARKER).done == "created"
    again = post(api, 7, f"{MARKER}\nnewer", MARKER)
    assert again.done == "updated" and "issuecomment-" in again.address
    assert [each["body"] for each in github.comments.values()] == ["what a person said", f"{MARKER}\nnewer"]


def test_what_is_the_same_is_not_written_again(github, api) -> None:
    github.comment(BODY.replace("\n", "\r\n"))  # as GitHub may give it back
    assert post(api, 7, BODY, MARKER).done == "unchanged"
    assert {each.method for each in github.seen} == {"GET"}


def test_it_is_found_on_a_later_page(github, api) -> None:
    github.page = 2
    for number in range(7):
        github.comment(f"comment {number}", user("someone", "User"))
    mine = github.comment(f"{MARKER}\nold")
    assert post(api, 7, BODY, MARKER).done == "updated" and github.comments[mine]["body"] == BODY


def test_a_second_one_is_taken_away(github, api) -> None:
    first, second = github.comment(f"{MARKER}\none"), github.comment(f"{MARKER}\ntwo")
    posted = post(api, 7, BODY, MARKER)
    assert (posted.done, posted.removed) == ("updated", 1)
    assert github.comments[first]["body"] == BODY and second not in github.comments


def test_two_jobs_at_the_same_time_leave_one(github, api) -> None:
    """Another job makes its own between our look and our comment: both keep the older."""
    made: list[int] = []
    answer = github.answer

    def racing(request: Request) -> Response:
        if request.method == "POST" and not made:
            made.append(github.comment(f"{MARKER}\nof the other job"))
        return answer(request)

    github.answer = racing  # type: ignore[method-assign]
    posted = post(api, 7, BODY, MARKER)
    assert (posted.done, posted.removed) == ("updated", 1)
    assert list(github.comments) == made and github.comments[made[0]]["body"] == BODY


def test_it_was_taken_away_meanwhile(github, api) -> None:
    mine = github.comment(f"{MARKER}\nold")
    answer = github.answer

    def racing(request: Request) -> Response:
        if request.method == "PATCH":
            del github.comments[mine]
        return answer(request)

    github.answer = racing  # type: ignore[method-assign]
    assert post(api, 7, BODY, MARKER).done == "created"
    assert [each["body"] for each in github.comments.values()] == [BODY]


def test_what_a_person_wrote_is_never_changed(github, api) -> None:
    """A marker in somebody's own comment does not make it ours, though the token may change it."""
    theirs = github.comment(f"{MARKER}\nmine now", user("mallory", "User"))
    assert post(api, 7, BODY, MARKER).done == "created"
    assert github.comments[theirs]["body"] == f"{MARKER}\nmine now" and len(github.comments) == 2


def test_with_a_persons_token_its_own_comment_is_found(github, api) -> None:
    github.login = "robot-account"
    mine = github.comment(f"{MARKER}\nold", user("robot-account", "User"))
    assert post(api, 7, BODY, MARKER).done == "updated" and github.comments[mine]["body"] == BODY


@pytest.mark.parametrize("there", [False, True])
def test_a_token_that_only_reads(github, api, there) -> None:
    github.rights.clear()
    if there:
        github.comment(f"{MARKER}\nold")
    with pytest.raises(Refused, match="Resource not accessible by integration"):
        post(api, 7, BODY, MARKER)


def test_a_locked_conversation(github, api) -> None:
    github.locked = True
    with pytest.raises(Refused, match="locked"):
        post(api, 7, BODY, MARKER)


def test_rate_limits_are_waited_for(github, api, waited) -> None:
    github.first = [LIMIT, SECONDARY]
    assert post(api, 7, BODY, MARKER).done == "created"
    assert waited == [7.0, 3.0]
    github.comments.clear()
    answer = github.answer
    limited = [SECONDARY]

    def busy(request: Request) -> Response:
        return limited.pop() if request.method == "POST" and limited else answer(request)

    github.answer = busy
    assert post(api, 7, BODY, MARKER).done == "created" and len(github.comments) == 1, "written once"


def test_a_limit_without_end_is_given_up(github, api, waited) -> None:
    github.first = [LIMIT] * 50
    with pytest.raises(UnavailableError, match="rate limit"):
        post(api, 7, BODY, MARKER)
    assert sum(waited) <= 90


def test_no_such_pull_request(github, api) -> None:
    with pytest.raises(MissingInputError, match="404"):
        post(api, 8, BODY, MARKER)


def test_what_github_does_not_take(github, api) -> None:
    with pytest.raises(ConfigurationError, match="422: Validation Failed"):
        post(api, 7, MARKER + "x" * 70000, MARKER)
