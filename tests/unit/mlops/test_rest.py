"""A JSON API: what is tried again and what is not, bounded waiting, no secret shown or sent away."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from mlops.errors import (
    ConfigurationError, InvalidRecordError, MissingInputError, MlopsError, UnavailableError, UsageError,
)
from mlops.rest import LONGEST, TRIES, Api
from tests.unit.mlops.pipelines.reporting.servers import Request, Response, Server

SECRET = "Bearer very-secret"


class Echo(Server):
    def answer(self, request: Request) -> Response:
        return Response(200, {"path": request.path, "query": request.query, "body": request.body})


@pytest.fixture
def server() -> Iterator[Echo]:
    with Echo() as made:
        yield made


@pytest.fixture
def waited() -> list[float]:
    return []


@pytest.fixture
def api(server: Echo, waited: list[float]) -> Api:
    return Api(server.address, name="Echo", headers={"Authorization": SECRET}, pause=waited.append)


def test_it_asks(api: Api, server: Echo) -> None:
    answer = api.ask("POST", "/a", {"ä": [1]}, {"q": "x y"})
    assert answer.status == 200 and answer.document == {"path": "/a", "query": {"q": "x y"}, "body": {"ä": [1]}}
    assert server.seen[0].headers["Authorization"] == SECRET
    assert api.ask("GET", f"{server.address}/next").document["path"] == "/next"


@pytest.mark.parametrize("response, wait", [
    (Response(429, {"message": "slow down"}, {"Retry-After": "7"}), 7.0),
    (Response(403, {"message": "You have exceeded a secondary rate limit"}, {"Retry-After": "3"}), 3.0),
    (Response(403, {"message": "You have exceeded a secondary rate limit"}), 60.0),
    (Response(503), 1.0),
])
def test_too_many_requests_are_waited_for(api, server, waited, response, wait) -> None:
    server.first = [response]
    assert api.ask("POST", "/a", {}).status == 200
    assert waited == [wait] and len(server.seen) == 2


def test_it_waits_until_the_limit_is_lifted(api, server, waited) -> None:
    lifted = str(int(time.time()) + 20)
    server.first = [Response(403, {"message": "API rate limit exceeded"},
                             {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": lifted})]
    assert api.ask("GET", "/a").status == 200
    assert 18 < waited[0] < 23


def test_waiting_is_bounded(api, server, waited) -> None:
    server.first = [Response(429, None, {"Retry-After": "3600"})]
    with pytest.raises(UnavailableError, match="answered 429") as caught:
        api.ask("GET", "/a")
    assert waited == [] and len(server.seen) == 1 and "later" in str(caught.value)
    server.first = [Response(429, None, {"Retry-After": "1"})] * 9
    with pytest.raises(UnavailableError):
        api.ask("GET", "/a")
    assert len(server.seen) == 1 + TRIES and sum(waited) <= LONGEST


def test_what_may_have_been_done_is_not_asked_for_twice(api, server, waited) -> None:
    server.first = [Response(500), Response(502)]
    with pytest.raises(UnavailableError, match="answered 500"):
        api.ask("POST", "/a", {})
    assert len(server.seen) == 1
    server.first = [Response(500), Response(502)]
    assert api.ask("GET", "/a").status == 200  # asking is no doing
    assert waited == [1.0, 2.0]


def test_nobody_there(waited) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    api = Api(f"http://127.0.0.1:{port}", name="Echo", headers={"Authorization": SECRET}, pause=waited.append)
    with pytest.raises(UnavailableError, match="did not answer") as caught:
        api.ask("POST", "/a", {})
    assert len(waited) == TRIES - 1, "a connection that was refused did nothing"
    assert "very-secret" not in str(caught.value)


def test_the_token_goes_to_no_other_server(api, server) -> None:
    with Echo() as other:
        server.first = [Response(302, None, {"Location": f"{other.address}/stolen"})]
        assert api.ask("GET", "/a").status == 302 and not other.seen
        server.first = [Response(301, None, {"Location": f"{server.address}/moved"})]
        assert api.ask("GET", "/a").document["path"] == "/moved"
        with pytest.raises(InvalidRecordError, match="another server"):
            api.ask("GET", f"{other.address}/a")
        assert not other.seen


@pytest.mark.parametrize("status, kind", [
    (401, ConfigurationError), (403, ConfigurationError), (404, MissingInputError), (400, UsageError),
    (422, UsageError),
])
def test_a_no_is_an_error_in_the_servers_words(api, server, status, kind) -> None:
    server.first = [Response(status, {"message": "because\nof that", "errors": [{"field": "body"}]})]
    with pytest.raises(kind, match=rf"Echo says {status}: because of that") as caught:
        api.need("GET", "/a", right="read a")
    error: MlopsError = caught.value
    assert error.where == "GET /a" and error.mend and "very-secret" not in str(error)


@pytest.mark.parametrize("base", ["", "ftp://host", "api.github.com", "https://user:secret@host", "file:///etc"])
def test_an_address_is_one(base) -> None:
    with pytest.raises(ConfigurationError, match="http") as caught:
        Api(base, name="Echo", headers={})
    assert "secret" not in str(caught.value)


def test_a_token_with_a_line_end_is_refused_unseen() -> None:
    with pytest.raises(ConfigurationError, match="line end") as caught:
        Api("http://host", name="Echo", headers={"Authorization": f"{SECRET}\nX: y"})
    assert "very-secret" not in str(caught.value)
