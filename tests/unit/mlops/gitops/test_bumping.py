"""The bump, on real repositories."""

from __future__ import annotations

import http.server
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from mlops import gitops
from mlops.errors import ConfigurationError, InvalidRecordError, MissingInputError, TerminalError, UsageError
from mlops.gitops import Intent, Retry, ServedModel, bump

A, B = "sha256:" + "a" * 64, "sha256:" + "b" * 64
QUICK = Retry(tries=10, first=0.02, longest=0.3)
FOLDER = "overlays/production"
FILE = f"{FOLDER}/kustomization.yaml"

Bare = Callable[..., Path]
Ask = Callable[..., bytes]


def intent(image: str = "api", digest: str = A, build: int = 3, **more: object) -> Intent:
    return Intent(path=FOLDER, image=image, digest=digest, build=build, **more)  # type: ignore[arg-type]


def released(ask: Ask, path: Path) -> dict:
    return YAML(typ="safe", pure=True).load(ask(path, "show", f"main:{FOLDER}/release.yaml").decode())


def changed_lines(ask: Ask, path: Path, commit: str, file: str) -> list[str]:
    diff = ask(path, "show", "--format=", "-U0", commit, "--", file).decode().splitlines()
    return [line for line in diff if line[:1] in "+-" and not line.startswith(("+++", "---"))]


@pytest.mark.parametrize("image", ["api", "predict", "flow"])
def test_one_scalar_changes_and_nothing_else(bare: Bare, ask: Ask, image: str) -> None:
    path = bare()
    before = ask(path, "show", f"main:{FILE}").decode()
    result = bump(str(path), "main", intent(image))
    assert result.outcome == "committed"
    assert ask(path, "rev-parse", "main").decode().strip() == result.commit
    after = ask(path, "show", f"main:{FILE}").decode()
    at = {"api": 0, "predict": 1, "flow": 2}[image]
    parts = before.split("1" * 64)
    expected = "".join(part + (("a" if index == at else "1") * 64 if index < 3 else "")
                       for index, part in enumerate(parts))
    assert after == expected
    assert released(ask, path) == {"images": {image: {"build": 3}}}


def test_the_commit_is_the_machinerys_and_runs_no_hook(bare: Bare, ask: Ask) -> None:
    path = bare()
    bump(str(path), "main", intent())
    assert ask(path, "log", "-1", "--format=%an %cn %s", "main").decode() == (
        "Switchyard Switchyard Deploy api build 3 to production\n"
    )


def test_line_ends_and_a_missing_last_one_are_kept(bare: Bare, ask: Ask) -> None:
    content = f"images:\r\n  - name: api # x\r\n    digest: sha256:{'1' * 64}".encode()
    path = bare({FILE: content})
    bump(str(path), "main", intent())
    assert ask(path, "show", f"main:{FILE}") == content.replace(b"1" * 64, b"a" * 64)


def test_an_entry_without_digest_gets_one(bare: Bare, ask: Ask) -> None:
    path = bare()
    result = bump(str(path), "main", intent("bare"))
    assert changed_lines(ask, path, result.commit, FILE) == [f"+  digest: {A}"]


def test_equal_digest_and_build_not_higher_is_no_commit(bare: Bare, ask: Ask) -> None:
    path = bare()
    first = bump(str(path), "main", intent())
    for build in (3, 2):
        again = bump(str(path), "main", intent(build=build))
        assert (again.outcome, again.commit) == ("unchanged", first.commit)
    assert ask(path, "rev-list", "--count", "main") == b"2\n"


def test_equal_digest_and_higher_build_raises_only_the_build(bare: Bare, ask: Ask) -> None:
    path = bare()
    bump(str(path), "main", intent(tag="v3"))
    result = bump(str(path), "main", intent(build=9))
    assert changed_lines(ask, path, result.commit, ".") == ["-    build: 3", "+    build: 9"]


def test_a_lower_build_never_overwrites(bare: Bare, ask: Ask) -> None:
    path = bare()
    first = bump(str(path), "main", intent(build=9))
    late = bump(str(path), "main", intent(digest=B, build=8, models={"housing": ServedModel("1")}))
    assert (late.outcome, late.newest, late.commit) == ("superseded", 9, first.commit)
    assert ask(path, "rev-parse", "main").decode().strip() == first.commit


def test_tag_and_models_lie_beside_it(bare: Bare, ask: Ask) -> None:
    path = bare()
    bump(str(path), "main", intent(tag="v3", models={"housing": ServedModel("3", A)}))
    assert released(ask, path) == {
        "images": {"api": {"build": 3, "tag": "v3"}}, "models": {"housing": {"version": "3", "sha256": A}},
    }
    bump(str(path), "main", intent(digest=B, build=4, models={"housing": ServedModel("4")}))
    assert released(ask, path) == {  # neither the old tag nor the old checksum stays with what they do not belong to
        "images": {"api": {"build": 4, "tag": ""}}, "models": {"housing": {"version": "4", "sha256": ""}},
    }


def test_release_yaml_keeps_what_others_wrote_in_it(bare: Bare, ask: Ask) -> None:
    release = "# mine\nimages:\n  api: {build: 1}  # one\n  other: {build: 5, note: kept}\nowner: team\n"
    path = bare({FILE: f"images:\n- name: api\n  digest: {B}\n", f"{FOLDER}/release.yaml": release})
    result = bump(str(path), "main", intent(build=2))
    assert changed_lines(ask, path, result.commit, f"{FOLDER}/release.yaml") == [
        "-  api: {build: 1}  # one", "+  api: {build: 2}  # one",
    ]


@pytest.mark.parametrize(
    "digest", ["", "sha256:", "sha256:" + "A" * 64, "a" * 64, "sha256:" + "a" * 63, "sha256:" + "0" * 64]
)
def test_a_malformed_digest_cannot_be_asked(bare: Bare, digest: str) -> None:
    with pytest.raises(UsageError) as error:
        bump(str(bare()), "main", intent(digest=digest))
    assert error.value.exit_code == 2


def test_what_is_missing_is_named_with_what_there_is(bare: Bare, tmp_path: Path) -> None:
    path = str(bare())
    with pytest.raises(MissingInputError, match="its images are api, predict, flow, bare"):
        bump(path, "main", intent("nobody"))
    with pytest.raises(MissingInputError, match="its branches are main"):
        bump(path, "absent", intent())
    with pytest.raises(MissingInputError, match="overlays/production"):
        bump(path, "main", Intent(path="overlays/absent", image="api", digest=A, build=1))
    with pytest.raises(MissingInputError, match="no repository"):
        bump(str(tmp_path / "absent.git"), "main", intent())
    with pytest.raises(MissingInputError, match="no repository"):
        bump(f"file://{tmp_path}/absent.git", "main", intent())
    for outside in ("/etc", "../x"):
        with pytest.raises(UsageError, match="outside"):
            bump(path, "main", Intent(path=outside, image="api", digest=A, build=1))


def test_damaged_files_are_refused_and_nothing_is_written(bare: Bare, ask: Ask) -> None:
    for number, (content, error) in enumerate([
        ("images: {build: many}\n", InvalidRecordError), ("- 1\n", ConfigurationError), ("a: [\n", ConfigurationError),
    ]):
        files = {FILE: f"images:\n- name: api\n  digest: {B}\n", f"{FOLDER}/release.yaml": content}
        path = bare(files, f"{number}.git")
        with pytest.raises(error):
            bump(str(path), "main", intent())
        assert ask(path, "rev-list", "--count", "main") == b"1\n"


def test_a_refusal_of_the_remote_is_told_and_not_tried_again(bare: Bare) -> None:
    path = bare()
    hook = path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho x >> tries\necho only on Mondays >&2\nexit 1\n")
    hook.chmod(0o755)
    subprocess.run(["git", "-C", str(path), "config", "core.hooksPath", "hooks"], check=True)
    with pytest.raises(TerminalError, match="only on Mondays"):
        bump(str(path), "main", intent(), retry=QUICK)
    assert (path / "tries").read_text() == "x\n"


def test_a_push_that_git_calls_done_but_that_left_no_trace_is_not_believed(
    bare: Bare, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first push says 0 and does nothing; only reading the remote back tells."""
    path = bare()
    real, lies = gitops.Remote._push, [True]

    def push(self: gitops.Remote, git: object, ours: str) -> str | None:
        return None if lies and lies.pop() else real(self, git, ours)  # type: ignore[arg-type]

    monkeypatch.setattr(gitops.Remote, "_push", push)
    result = bump(str(path), "main", intent(), retry=QUICK)
    assert ask(path, "rev-parse", "main").decode().strip() == result.commit


def test_somebody_elses_commit_in_between_is_kept(
    bare: Bare, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = bare()
    real, before = gitops.Remote._push, [True]

    def push(self: gitops.Remote, git: object, ours: str) -> str | None:
        if before:
            before.pop()
            bump(str(path), "main", intent("predict", B, 7))
        return real(self, git, ours)  # type: ignore[arg-type]

    monkeypatch.setattr(gitops.Remote, "_push", push)
    bump(str(path), "main", intent(), retry=QUICK)
    assert released(ask, path) == {"images": {"api": {"build": 3}, "predict": {"build": 7}}}
    text = ask(path, "show", f"main:{FILE}").decode()
    assert A in text and B in text


def test_eight_at_once_lose_nothing(bare: Bare, ask: Ask) -> None:
    """Equal and different images at the same moment: every image ends with its highest build."""
    path = bare()
    intents = [intent(image, f"sha256:{build:064x}", build, models={image: ServedModel(str(build))})
               for image, build in (("api", 1), ("api", 2), ("api", 3), ("api", 4), ("predict", 5), ("predict", 6),
                                    ("flow", 7), ("bare", 8))]
    retry = Retry(tries=20, first=0.03, longest=0.5)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda each: bump(f"file://{path}", "main", each, retry=retry), intents))
    state = released(ask, path)
    assert {name: entry["build"] for name, entry in state["images"].items()} == {
        "api": 4, "predict": 6, "flow": 7, "bare": 8,
    }
    assert {name: entry["version"] for name, entry in state["models"].items()} == {
        "api": "4", "predict": "6", "flow": "7", "bare": "8",
    }
    text = ask(path, "show", f"main:{FILE}").decode()
    assert all(f"{build:064x}" in text for build in (4, 6, 7, 8))
    commits = ask(path, "rev-list", "main").decode().split()
    landed = [result.commit for result in results if result.outcome == "committed"]
    assert len(set(landed)) == len(landed) == len(commits) - 1
    assert set(landed) <= set(commits)
    highest: dict[str, int] = {}
    for subject in ask(path, "log", "--reverse", "--format=%s", "main").decode().splitlines()[1:]:
        _, image, _, build, *_ = subject.split()
        assert int(build) > highest.get(image, 0), "an older build was put over a newer one"
        highest[image] = int(build)


@contextmanager
def smart_http(root: Path) -> Iterator[str]:
    """git's own http-backend behind a small server."""
    backend = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True).stdout.strip()

    class Handler(http.server.BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            path, _, query = self.path.partition("?")
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            done = subprocess.run([f"{backend}/git-http-backend"], input=body, capture_output=True, check=True, env={
                **os.environ, "GIT_PROJECT_ROOT": str(root), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
                "QUERY_STRING": query, "REQUEST_METHOD": self.command, "REMOTE_USER": "x",
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            })
            head, _, content = done.stdout.partition(b"\r\n\r\n")
            fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
            self.send_response(int(fields.pop("Status", "200").split()[0]))
            for name, value in fields.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = handle_any

        def log_message(self, *arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_over_http(bare: Bare, ask: Ask) -> None:
    path = bare()
    subprocess.run(["git", "-C", str(path), "config", "http.receivepack", "true"], check=True)
    with smart_http(path.parent) as address:
        result = bump(f"{address}/{path.name}", "main", intent())
        assert ask(path, "rev-parse", "main").decode().strip() == result.commit
        with pytest.raises(MissingInputError, match="no repository"):
            bump(f"{address}/absent.git", "main", intent())
