"""A service in one file that speaks the contract of `mlops.serving.server`: a real process, real sockets, real HTTP.

How it behaves is read from `behaviour.json` in its folder: name, crash, slow_start (seconds), unready, no_list,
stubborn.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import ThreadingMixIn, UnixStreamServer

parser = argparse.ArgumentParser()
parser.add_argument("--app")
parser.add_argument("--fd", type=int)
parser.add_argument("--private")
options = parser.parse_args()
behaviour = json.load(open("behaviour.json"))
print("starting", behaviour, flush=True)
if behaviour.get("crash"):
    sys.exit("told to crash")
time.sleep(behaviour.get("slow_start", 0))


class State:
    models: dict[str, str] = {}
    problem: str | None = None
    busy = 0
    accepting = False
    stopping = False


def read_models() -> None:
    text = open(os.environ["MLOPS_MODELS_FILE"]).read()
    found = dict(re.findall(r'^  (\S+):\n    version: "(.*?)"', text, re.M))
    if "bad" in found.values():
        raise ValueError("model m: its bundle is bad\n  mend: never shown")
    State.models, State.problem = found, None


try:
    read_models()
except ValueError as error:
    State.problem = str(error)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status: int, document: dict) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if State.stopping:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        State.busy += 1
        try:
            if self.path == "/slow":
                time.sleep(0.7)
            if self.path == "/exit":
                os._exit(3)
            if self.path == "/ready":
                ready = State.problem is None and not behaviour.get("unready")
                problems = [State.problem] if State.problem else []
                models = {name: {"version": version} for name, version in State.models.items()}
                self.answer(200 if ready else 503, {"ready": ready, "problems": problems, "models": models})
                return
            self.answer(200, {"pid": os.getpid(), "name": behaviour["name"], "models": State.models,
                              "env": dict(os.environ), "cwd": os.getcwd()})
        finally:
            State.busy -= 1

    def do_POST(self) -> None:
        if self.server is not hidden:
            self.answer(404, {})
        elif self.path == "/-/accept":
            State.accepting = True
            threading.Thread(target=public.serve_forever, args=(0.01,), daemon=True).start()
            self.answer(200, {"accepting": True})
        elif behaviour.get("no_list"):
            self.answer(200, {"reloaded": False})
        else:
            try:
                read_models()
                self.answer(200, {"reloaded": True})
            except ValueError as error:
                self.answer(409, {"error": str(error)})

    def log_message(self, *arguments: object) -> None:
        pass

    def address_string(self) -> str:
        return ""


class Hidden(ThreadingMixIn, UnixStreamServer):
    daemon_threads = True


public = ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
public.socket.close()
public.socket = socket.socket(fileno=options.fd)
public.socket.setblocking(False)  # another process may take the connection first
hidden = Hidden(options.private, Handler)


def stop(number: int, frame: object) -> None:
    def end() -> None:
        State.stopping = True
        if State.accepting:
            public.shutdown()
        limit = time.time() + (60 if behaviour.get("stubborn") else 5)
        time.sleep(0.05)
        while (State.busy or behaviour.get("stubborn")) and time.time() < limit:
            time.sleep(0.01)
        os._exit(0)

    threading.Thread(target=end).start()


signal.signal(signal.SIGTERM, stop)
hidden.serve_forever(0.01)
