from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.mlops.serving.processes import APPLICATION, Load, Process, listening

REQUEST = b"GET / HTTP/1.1\r\nHost: service\r\n\r\n"
Start = Callable[..., Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts service processes on the tiny application; ends them afterwards."""
    (tmp_path / "app.py").write_text(APPLICATION)
    started: list[Process] = []

    def begin(name: str, *arguments: str, private: bool = True, **options: Any) -> Process:
        path = tmp_path / f"{name}.sock" if private else None
        started.append(Process(tmp_path, path, list(arguments), variables={"NAME": name}, **options))
        return started[-1]

    yield begin
    for process in started:
        if process.popen.poll() is None:
            process.popen.kill()
        process.popen.wait()
        assert process.popen.stderr is not None
        process.popen.stderr.close()


def get(port: int, path: str = "/") -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=20) as response:
        text: str = response.read().decode()
    return text


def received(sock: socket.socket) -> bytes:
    """One whole answer, in small letters."""
    sock.settimeout(10)
    answer = b""
    while b"\r\n\r\n" not in answer or answer.endswith(b"\r\n\r\n"):  # the head alone, or less
        answer += sock.recv(4096)
    return answer.lower()


def shared(sock: socket.socket) -> dict[str, Any]:
    return {"pass_fds": [sock.fileno()]}


def test_a_public_port_answers_and_has_no_control_routes(start: Start) -> None:
    with listening() as probe:
        port = probe.getsockname()[1]
    process = start("one", "--port", str(port), private=False)
    process.wait_until(lambda: get(port) == "one 0")
    for path in ("/-/accept", "/-/reload"):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", data=b"", timeout=20)
        assert caught.value.code == 404
        assert caught.value.read() == b"one 0"  # the application's own answer: nothing was reloaded
    assert process.end() == 0


def test_nothing_is_accepted_before_it_is_told_to(start: Start, tmp_path: Path) -> None:
    with listening() as public:
        process = start("one", "--fd", str(public.fileno()), **shared(public)).answers()
        with socket.create_connection(public.getsockname()) as waiting:
            waiting.sendall(REQUEST)
            waiting.settimeout(0.3)
            with pytest.raises(TimeoutError):
                waiting.recv(1)
            assert process.ask("POST", "/-/accept") == (200, {"accepting": True})
            assert process.ask("POST", "/-/accept") == (200, {"accepting": True})
            assert received(waiting).startswith(b"http/1.1 200 ")
        assert stat.S_IMODE((tmp_path / "one.sock").stat().st_mode) == 0o600
        assert process.end() == 0
    assert not (tmp_path / "one.sock").exists()


def test_a_process_without_a_public_socket_says_so(start: Start) -> None:
    status, answer = start("one").answers().ask("POST", "/-/accept")
    assert status == 409 and "no public socket" in answer["error"]


def test_reload_works_or_the_old_goes_on(start: Start, tmp_path: Path) -> None:
    process = start("one").answers()
    assert process.ask("POST", "/-/reload") == (200, {"reloaded": True, "count": 1})
    (tmp_path / "broken").touch()
    status, answer = process.ask("POST", "/-/reload")
    assert status == 409 and "the list is broken" in answer["error"]
    assert process.ask("GET", "/") == (200, "one 1")


def test_a_switch_under_load_loses_no_request(start: Start) -> None:
    """Two generations, four times over: the new one answers privately, accepts, and the old one drains."""
    with listening() as public:
        arguments = ("--fd", str(public.fileno()))
        old = start("g0", *arguments, **shared(public)).answers()
        old.ask("POST", "/-/accept")

        def switch() -> list[int]:
            nonlocal old
            codes = []
            for generation in range(1, 5):
                new = start(f"g{generation}", *arguments, **shared(public)).answers()
                assert new.ask("POST", "/-/accept")[0] == 200
                codes.append(old.end())
                old = new
            return codes

        load = Load(public.getsockname()[1], REQUEST, lambda body: body.split()[0].decode())
        codes = asyncio.run(load.during(switch))
    assert load.lost == []
    assert codes == [0, 0, 0, 0]
    assert set(load.answers) == {"g0", "g1", "g2", "g3", "g4"}


def test_reloads_under_load_lose_no_request(start: Start) -> None:
    with listening() as public:
        process = start("one", "--fd", str(public.fileno()), **shared(public)).answers()
        process.ask("POST", "/-/accept")
        load = Load(public.getsockname()[1], REQUEST, lambda body: body.split()[1].decode())

        def reload() -> None:
            for _ in range(20):
                assert process.ask("POST", "/-/reload")[0] == 200

        asyncio.run(load.during(reload))
    assert load.lost == []
    assert {"0", "20"} <= set(load.answers)


def test_sigterm_finishes_what_is_in_flight(start: Start) -> None:
    with listening() as public:
        address = public.getsockname()
        process = start("one", "--fd", str(public.fileno()), **shared(public)).answers()
        process.ask("POST", "/-/accept")
        with socket.create_connection(address) as busy, socket.create_connection(address) as idle:
            idle.sendall(REQUEST)
            assert b"connection: close" not in received(idle)
            busy.sendall(REQUEST.replace(b"/", b"/slow/1.5", 1))
            time.sleep(0.2)
            process.popen.send_signal(signal.SIGTERM)
            time.sleep(0.2)
            # An idle connection takes one more request, and is told that it was the last.
            idle.sendall(REQUEST)
            assert b"connection: close" in received(idle)
            assert received(busy).startswith(b"http/1.1 200 ")
        assert process.popen.wait(5) == 0


def test_idle_connections_do_not_hold_the_end_up(start: Start) -> None:
    with listening() as public:
        process = start("one", "--fd", str(public.fileno()), **shared(public)).answers()
        process.ask("POST", "/-/accept")
        with socket.create_connection(public.getsockname()) as idle:
            idle.sendall(REQUEST)
            received(idle)
            began = time.monotonic()
            assert process.end() == 0
            assert time.monotonic() - began < 4


def test_a_second_signal_ends_it_at_once(start: Start) -> None:
    with listening() as public:
        process = start("one", "--fd", str(public.fileno()), **shared(public)).answers()
        process.ask("POST", "/-/accept")
        with socket.create_connection(public.getsockname()) as busy:
            busy.sendall(REQUEST.replace(b"/", b"/slow/9", 1))
            time.sleep(0.2)
            process.popen.send_signal(signal.SIGTERM)
            time.sleep(0.2)
            assert process.popen.poll() is None
            assert process.end() == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--port", "{taken}"], 2, "somebody listens there already"),
        (["--host", "192.0.2.1", "--port", "1"], 2, "192.0.2.1:1"),
        (["--fd", "99"], 2, "no socket"),
        (["--fd", "0"], 2, "no socket"),
        ([], 2, "--fd, or --port"),
        (["--port", "1", "--fd", "0"], 2, "--fd, or --port"),
        (["--private", "{folder}/" + "x" * 120], 2, "longer than"),
        (["--private", "{folder}/app.py"], 2, "no socket"),
        (["--private", "{folder}/absent/one.sock"], 2, "private socket cannot be made"),
        (["--private", "{folder}/x.sock", "--app", "absent:app"], 2, "absent"),
        (["--private", "{folder}/x.sock", "--app", "app:absent"], 2, "absent"),
    ],
)
def test_what_cannot_start_says_why(
    start: Start, tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    with listening() as taken:
        words = {"taken": str(taken.getsockname()[1]), "folder": str(tmp_path)}
        process = start("one", *(each.format(**words) for each in arguments), private=False, stdin=-3)
        assert process.popen.wait(20) == code
    assert process.popen.stderr is not None
    told = process.popen.stderr.read()
    assert said in told and "Traceback" not in told
    assert (tmp_path / "app.py").read_text() == APPLICATION


def test_a_dead_processs_socket_is_replaced_and_a_living_ones_is_not(start: Start, tmp_path: Path) -> None:
    first = start("one").answers()
    second = start("one")
    assert second.popen.wait(20) == 2
    assert first.ask("GET", "/")[0] == 200
    os.kill(first.popen.pid, signal.SIGKILL)
    first.popen.wait()
    assert (tmp_path / "one.sock").exists()
    assert start("one").answers().end() == 0
