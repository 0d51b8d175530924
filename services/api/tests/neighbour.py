"""A server in the place of `predict`, and what it serves."""

from __future__ import annotations

import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SHA = "sha256:" + "ab" * 32
MODELS = {"housing": {"version": "3", "sha256": SHA, "engine": "onnx"}}


class Neighbour:
    """A server in the place of `predict`; a test decides what its /ready says and how soon."""

    def __init__(self) -> None:
        self.reset()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # the name that http.server calls
                outer.asked.append(self.path)
                outer.hold.wait(20)
                status, body = outer.status, outer.body
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def handle(self) -> None:
                with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it has stopped waiting
                    super().handle()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def reset(self) -> None:
        """Ready, with `MODELS`, at once; whoever still waits for an old answer gets it."""
        if hasattr(self, "hold"):
            self.hold.set()
        self.hold = threading.Event()
        self.hold.set()
        self.asked: list[str] = []
        self.says(200, {"ready": True, "models": MODELS})

    def says(self, status: int, body: Any) -> None:
        self.status = status
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()

    def close(self) -> None:
        self.hold.set()
        self.server.shutdown()
        self.server.server_close()
