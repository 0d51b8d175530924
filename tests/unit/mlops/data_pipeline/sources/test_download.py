"""Downloads, against a real server on this machine that misbehaves in every way."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from mlops.data_pipeline import Dataset, intake
from mlops.data_pipeline.intake import read_source
from mlops.data_pipeline.sources.download import download, without_secrets
from mlops.data_pipeline.tables.table_file import TableWriter
from mlops.errors import BadDataError, MissingInputError, UnavailableError

LONG = bytes(range(256)) * 400
BODY = b"name,age,height,wage\na,1,1.5,2\n"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # http.server's name
        path = self.path.partition("?")[0]
        if path in ("/absent", "/broken"):
            self.send_error(404 if path == "/absent" else 503)
            return
        if path == "/away":
            self.send_response(302)
            self.send_header("Location", "file:///etc/passwd")
            self.end_headers()
            return
        if path.startswith("/parts"):
            return self.parts(path)
        if path == "/marked.csv" and self.headers.get("If-None-Match") == '"marked"':
            self.asked.append("unchanged")
            self.send_response(304)
            self.end_headers()
            return
        self.send_response(200)
        if path == "/marked.csv":
            self.send_header("ETag", '"marked"')
        self.send_header("Content-Length", str(len(BODY) + (10 if path == "/short" else 0)))
        self.end_headers()
        if path == "/silent":
            time.sleep(1.0)
        elif path == "/slow":
            for byte in BODY:
                self.wfile.write(bytes([byte]))
                self.wfile.flush()
                time.sleep(0.05)
        else:
            self.wfile.write(BODY)

    asked: list[str | None] = []

    def parts(self, path: str) -> None:
        """Breaks off after a while, and can go on (`/parts-unmarked` cannot)."""
        tag = '"two"' if path == "/parts-changed" else '"one"'
        wanted = self.headers.get("Range")
        if self.headers.get("If-None-Match") == tag:
            self.asked.append("unchanged")
            self.send_response(304)
            self.end_headers()
            return
        self.asked.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        whole = self.headers.get("If-Range") not in (None, tag)
        start = 0 if whole else start
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(LONG) - 1}/{len(LONG)}")
        if path != "/parts-unmarked":
            self.send_header("ETag", tag)
        self.send_header("Content-Length", str(len(LONG) - start))
        self.end_headers()
        self.wfile.write(LONG[start:] if path == "/parts-changed" else LONG[start:start + 40_000])

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.daemon_threads = True
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()


def test_a_file_arrives_whole(server: str, tmp_path: Path) -> None:
    assert download(f"{server}/x.csv", tmp_path / "x").read_bytes() == BODY


@pytest.mark.parametrize(("path", "kind"), [
    ("/absent", MissingInputError), ("/broken", UnavailableError), ("/short", UnavailableError),
])
def test_a_refusal_or_a_cut_is_said(server: str, tmp_path: Path, path: str, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught:
        download(server + path, tmp_path / "x")
    assert path in str(caught.value) and "mend" in str(caught.value)


def test_a_transfer_that_breaks_off_goes_on(server: str, tmp_path: Path) -> None:
    Handler.asked.clear()
    assert download(f"{server}/parts", tmp_path / "x").read_bytes() == LONG
    assert Handler.asked == [None, "bytes=40000-", "bytes=80000-"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x", "x.mark"]


def test_what_is_whole_is_kept_while_the_server_has_the_same(server: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(LONG)
    (tmp_path / "x.mark").write_text('"one"')
    Handler.asked.clear()
    assert download(f"{server}/parts", tmp_path / "x").read_bytes() == LONG and Handler.asked == ["unchanged"]
    (tmp_path / "x").write_bytes(b"of yesterday")
    assert download(f"{server}/parts-changed", tmp_path / "x").read_bytes() == LONG
    assert (tmp_path / "x.mark").read_text() == '"two"'


def test_what_a_killed_call_has_received_is_not_fetched_again(server: str, tmp_path: Path) -> None:
    Handler.asked.clear()
    (tmp_path / "x.part").write_bytes(LONG[:90_000])
    (tmp_path / "x.mark").write_text('"one"')
    assert download(f"{server}/parts", tmp_path / "x").read_bytes() == LONG
    assert Handler.asked == ["bytes=90000-"]


def test_a_part_of_something_else_is_fetched_anew(server: str, tmp_path: Path) -> None:
    (tmp_path / "x.part").write_bytes(bytes(50_000))
    (tmp_path / "x.mark").write_text('"one"')
    assert download(f"{server}/parts-changed", tmp_path / "x").read_bytes() == LONG


def test_without_a_mark_nothing_is_pieced_together(server: str, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="40000 of 102400"):
        download(f"{server}/parts-unmarked", tmp_path / "x")


def test_a_redirect_never_leaves_http(server: str, tmp_path: Path) -> None:
    with pytest.raises((MissingInputError, UnavailableError)):
        download(f"{server}/away", tmp_path / "x")


def test_too_much_is_refused(server: str, tmp_path: Path) -> None:
    with pytest.raises(BadDataError, match="larger"):
        download(f"{server}/x.csv", tmp_path / "x", maximum=10)


def test_a_silent_server_and_a_slow_one_end(server: str, tmp_path: Path) -> None:
    with pytest.raises(UnavailableError):
        download(f"{server}/silent", tmp_path / "x", patience=0.2)
    with pytest.raises(UnavailableError, match="too long"):
        download(f"{server}/slow", tmp_path / "x", deadline=0.2)


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/x", "http://", "http://[::1/x", "http://127.0.0.1:99999/x"])
def test_no_server_is_said(address: str, tmp_path: Path) -> None:
    with pytest.raises((UnavailableError, MissingInputError)):
        download(address, tmp_path / "x")


def test_an_address_is_a_source_and_its_secrets_are_not_recorded(server: str, dataset: Dataset) -> None:
    raw = read_source(dataset, f"{server}/rows.csv?token=secret")
    assert raw.table.rows() == [("a", 1, 1.5, 2.0)]
    assert raw.source.location == f"{server}/rows.csv" and not raw.source.simulated
    assert without_secrets("https://me:word@host:8/p?q=1#f") == "https://host:8/p"


def test_a_killed_conversion_fetches_nothing_again(
    server: str, dataset: Dataset, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ingest() -> int:
        target = work / "ingested.parquet"
        return intake.ingest(dataset, target, f"{server}/marked.csv", quarantined=work / "quarantine.parquet").rows

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(TableWriter, "add", killed)
        ingest()
    Handler.asked.clear()
    assert ingest() == 1 and Handler.asked == ["unchanged"]
    assert not list((work / ".fetched").iterdir())
