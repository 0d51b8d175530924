"""A JSON server on a free port: what the local stand-ins for GitHub, Jira and webhooks are made of."""

from __future__ import annotations

import json
import ssl
import threading
import urllib.parse
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Request(NamedTuple):
    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: Any


class Response(NamedTuple):
    status: int
    document: Any = None
    headers: Mapping[str, str] = {}


class Server:
    """Answers with `answer`; `seen` holds the requests, `first` responses that are given before `answer` is asked."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.seen: list[Request] = []
        self.first: list[Response] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_any(self) -> None:
                content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                parts = urllib.parse.urlsplit(self.path)
                query = {name: values[-1] for name, values in urllib.parse.parse_qs(parts.query).items()}
                body = json.loads(content) if content else None
                request = Request(self.command, parts.path, query, dict(self.headers.items()), body)
                outer.seen.append(request)
                response = outer.first.pop(0) if outer.first else outer.answer(request)
                told = response.document
                data = b"" if told is None else told if isinstance(told, bytes) else json.dumps(told).encode()
                self.send_response(response.status)
                for name, value in {"Content-Length": str(len(data)), **response.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PATCH = do_DELETE = do_any

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        if tls is not None:
            self.http.socket = tls.wrap_socket(self.http.socket, server_side=True)
        self.port: int = self.http.server_address[1]
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer(self, request: Request) -> Response:
        raise NotImplementedError

    def asked(self, method: str) -> list[Request]:
        return [each for each in self.seen if each.method == method]

    def __enter__(self) -> Any:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.http.shutdown()
        self.http.server_close()
