"""Slack's and Teams' webhooks and Jira on this machine.

Apprise speaks to Slack at hooks.slack.com alone and to both over TLS alone. So the servers here have certificates of an
authority made for the test, and Slack's is reached as any host is from behind a company's wall: through a proxy.
"""

from __future__ import annotations

import base64
import datetime
import ipaddress
import itertools
import socket
import socketserver
import ssl
import threading
from pathlib import Path
from typing import Any

from tests.unit.mlops.pipelines.reporting.servers import Request, Response, Server

SLACK_PATH = "/services/T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7sQ"
SLACK = f"https://hooks.slack.com{SLACK_PATH}"
SIGNATURE = "DEFG-the-secret-signature"


def authority(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for hooks.slack.com and this machine, signed by itself: its file, and what a server needs."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("hooks.slack.com"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1)).add_extension(x509.SubjectAlternativeName(names), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        .add_extension(x509.KeyUsage(True, False, False, False, False, True, False, False, False), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), False)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, secret)
    return certificate, context


class SlackServer(Server):
    """Incoming webhooks: the text `ok`, `no_service` for an unknown one, `invalid_payload` for a body without text."""

    def answer(self, request: Request) -> Response:
        if request.headers.get("Host") != "hooks.slack.com" or request.path != SLACK_PATH:
            return Response(404, b"no_service")
        said = request.body.get("text") or request.body.get("attachments") or request.body.get("blocks")
        return Response(200, b"ok") if said else Response(400, b"invalid_payload")


class TeamsServer(Server):
    """A workflow "When a Teams webhook request is received": 202 for a card, 401 for a wrong signature."""

    @property
    def webhook(self) -> str:
        return (
            f"https://127.0.0.1:{self.port}/workflows/ABCD1234/triggers/manual/paths/invoke?api-version=2016-06-01"
            f"&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig={SIGNATURE}"
        )

    def answer(self, request: Request) -> Response:
        if request.path != "/workflows/ABCD1234/triggers/manual/paths/invoke":
            return Response(404, {"error": {"code": "WorkflowNotFound"}})
        if request.query.get("sig") != SIGNATURE:
            return Response(401, {"error": {"code": "DirectApiInvalidAuthorizationScheme"}})
        cards = [each["content"] for each in request.body.get("attachments", [])]
        good = request.body.get("type") == "message" and cards and all(each["type"] == "AdaptiveCard" for each in cards)
        return Response(202) if good else Response(400, {"error": {"code": "InvalidRequestContent"}})


class JiraServer(Server):
    """Issues of project OPS, as version 2 of the interface has them on Cloud (`cloud`) and on a Data Center."""

    def __init__(self, cloud: bool) -> None:
        super().__init__()
        self.cloud = cloud
        self.numbers = itertools.count(1)
        self.issues: dict[str, dict[str, Any]] = {}
        pair = base64.b64encode(b"me@team.example:jira-secret").decode()
        self.authorization = f"Basic {pair}" if cloud else "Bearer jira-secret"

    def answer(self, request: Request) -> Response:
        if request.headers.get("Authorization") != self.authorization:
            return Response(401, {"errorMessages": ["You are not authenticated."], "errors": {}})
        search = "/rest/api/2/search/jql" if self.cloud else "/rest/api/2/search"
        if request.method == "GET" and request.path == search:
            found = [
                {"key": key, "fields": {}} for key, each in reversed(self.issues.items())
                if not each["done"] and f'labels = "{each["labels"][0]}"' in request.query["jql"]
                and 'project = "OPS"' in request.query["jql"] and "statusCategory != Done" in request.query["jql"]
            ]
            return Response(200, {"issues": found[: int(request.query["maxResults"])]})
        if request.method == "POST" and request.path == "/rest/api/2/issue":
            fields = request.body["fields"]
            if fields["project"] != {"key": "OPS"} or "\n" in fields["summary"] or " " in "".join(fields["labels"]):
                return Response(400, {"errorMessages": [], "errors": {"project": "valid project is required"}})
            key = f"OPS-{next(self.numbers)}"
            self.issues[key] = {**fields, "comments": [], "done": False}
            return Response(201, {"id": "1", "key": key, "self": f"{self.address}/rest/api/2/issue/1"})
        parts = request.path.split("/")
        if request.method == "POST" and parts[-1] == "comment" and parts[-2] in self.issues:
            self.issues[parts[-2]]["comments"].append(request.body["body"])
            return Response(201, {"id": "10"})
        return Response(404, {"errorMessages": ["Issue does not exist or you do not have permission to see it."]})


class Proxy:
    """An HTTP proxy: CONNECT to hooks.slack.com:443 leads to a server on this machine, to all else nowhere."""

    def __init__(self, target: int) -> None:
        self.asked: list[str] = []
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                head = b""
                while b"\r\n\r\n" not in head:
                    head += self.request.recv(4096)
                outer.asked.append(head.split(b"\r\n")[0].decode())
                if not head.startswith(b"CONNECT hooks.slack.com:443 "):
                    self.request.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")
                    return
                with socket.create_connection(("127.0.0.1", target)) as there:
                    self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    back = threading.Thread(target=_pour, args=(there, self.request), daemon=True)
                    back.start()
                    _pour(self.request, there)
                    back.join()

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Proxy:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def _pour(source: socket.socket, target: socket.socket) -> None:
    try:
        while content := source.recv(65536):
            target.sendall(content)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the other side has gone
