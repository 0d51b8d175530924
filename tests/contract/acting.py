"""A copy of the repository in which act runs the workflows for real, on this machine and without containers.

Third-party actions are replaced, at exactly the commits that they are pinned to, by the stand-ins beside this file,
which write down what they were given. Everything else is the repository's own: workflows, composite action, commands.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlops.routing.router.yaml12 import load
from tests.unit.mlops.pipelines.reporting.github_server import TOKEN, GitHubServer

TREE = Path(__file__).resolve().parents[2]
STAND_INS = Path(__file__).resolve().parent / "stand_ins"
CALLER = ".github/workflows/pull-request.yml"
# Jobs that only what was pushed or dispatched has.
PUSHED = ("handover", "deploy", "notify")
# What `make test` runs in here: the services' own tests, and a few of the library's that take a moment.
LEFT_OUT = ["tests/contract", "tests/end_to_end", "tests/integration"]


@dataclasses.dataclass(frozen=True)
class Acted:
    """What act did.

    Attributes:
        code: Its exit code.
        jobs: (calling job, or "" for the workflow's own; job; result) of every job that ran, a matrix's each.
        inputs: What each third-party action was given, in the order of their calls.
        said: The standard output of all steps, by calling job and job.
        summaries: What all steps wrote into the step summary, by calling job and job.
        failed: (calling job, job, step) of each step that failed.
        artifacts: Their names; they lie in `kept`.
        log: act's own output.
    """

    code: int
    jobs: list[tuple[str, str, str]]
    inputs: list[dict[str, Any]]
    said: dict[tuple[str, str], str]
    summaries: dict[tuple[str, str], str]
    failed: set[tuple[str, str, str]]
    artifacts: list[str]
    kept: Path
    log: str

    def receipts(self, pipeline: str, outcome: str = "") -> list[Path]:
        """What a pipeline left for the gate, all or those with one outcome."""
        found = sorted((self.kept / f"receipts-{pipeline}").rglob("*.json"))
        return [path for path in found if not outcome or json.loads(path.read_text())["outcome"] == outcome]

    def outcomes(self, pipeline: str) -> list[str]:
        """How each step of a pipeline went, by its receipts."""
        return [json.loads(path.read_text())["outcome"] for path in self.receipts(pipeline)]

    def given(self, action: str) -> list[dict[str, str]]:
        """What each call of an action was given."""
        return [each["inputs"] for each in self.inputs if each["action"] == action]

    def result(self, job: str) -> str:
        """How a job of the workflow's own ended."""
        found = {result for caller, name, result in self.jobs if (caller, name) == ("", job)}
        return found.pop() if len(found) == 1 else "absent"

    def why(self) -> str:
        """For a failed assertion: the steps that failed, and the end of what their jobs said."""
        ends = {
            f"{caller}/{job}: {step}": "".join(self.said.get((caller, job), "").splitlines(keepends=True)[-60:])
            for caller, job, step in sorted(self.failed)
        }
        told = "\n".join(f"== {name}\n{text}" for name, text in ends.items())
        return f"jobs: {self.jobs}\n{told or self.log[-5000:]}"

    @property
    def ran(self) -> Counter[tuple[str, str]]:
        """How often each job ran: (calling job, job)."""
        return Counter((caller, job) for caller, job, _ in self.jobs)


class Bench:
    """A copy of the tree on branch `main`, and events that act plays in it.

    Args:
        github: What stands in for GitHub's API.
        versions: Python versions that a matrix holds; None for those of the tree. It is the same Python for all.
    """

    def __init__(
        self, folder: Path, act: str, github: GitHubServer, *, versions: Sequence[str] | None = None
    ) -> None:
        self.folder, self.act, self.github = folder / "tree", act, github
        self.versions = versions
        self.runs = 0
        self.environment = {
            name: value for name, value in os.environ.items()
            if not name.startswith(("GIT_", "GITHUB_", "MLOPS_", "MLFLOW_", "PYTEST", "COV", "PYTHONPATH", "ACT"))
        } | {"HOME": str(folder / "home"), "XDG_CACHE_HOME": str(folder / "cache"), "GIT_CONFIG_NOSYSTEM": "1"}
        (folder / "home").mkdir(parents=True)
        copy_tree(self.folder)
        self._adapt()
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("remote", "add", "origin", "https://github.com/team/tree")
        self._commit("the tree")
        self.base = self.git("rev-parse", "HEAD")

    def _adapt(self) -> None:
        """What act cannot read, the one figure that a few tests cannot reach, and tests that run beside it anyway."""
        for path in (self.folder / ".github" / "workflows").glob("*.yml"):
            # a key that is newer than act
            text = re.sub(r"^ +queue: max\n", "", path.read_text(), flags=re.MULTILINE)
            # GitHub's API is a server on this machine; act itself knows GitHub's only
            if self.versions is not None:
                text = re.sub(r"^( +python: )\[.*\]$", rf"\g<1>{json.dumps(self.versions)}", text, flags=re.MULTILINE)
            api = rf"\g<0>\n          GITHUB_API_URL: {self.github.address}"
            path.write_text(re.sub(r"^ +GITHUB_TOKEN: .*", api, text, flags=re.MULTILINE))
        setup = self.folder / ".github" / "actions" / "setup" / "action.yml"
        # act would ask a node.js for it
        setup.write_text(re.sub(r"\$\{\{ hashFiles\([^)]*\) \}\}", "locks", setup.read_text()))
        script = self.folder / "scripts" / "test"
        text = re.sub(r"--cov-fail-under=\d+", "--cov-fail-under=0", script.read_text())
        assert "for service in services/*/" in text
        script.write_text(text.replace("for service in services/*/", "for service in"))  # their pipeline runs them

    def cut(self, file: str, text: str, instead: str) -> None:
        """Change a workflow file on main; what is to be changed must be there, once."""
        self.git("checkout", "--quiet", "--force", "main")
        path = self.folder / ".github" / "workflows" / file
        assert path.read_text().count(text) == 1, f"{file} holds {text!r} not exactly once"
        path.write_text(path.read_text().replace(text, instead))
        self._commit("a cut")
        self.base = self.git("rev-parse", "HEAD")

    def git(self, *words: str) -> str:
        """What git says in the copy."""
        author = ["-c", "user.name=An author", "-c", "user.email=author@localhost"]
        done = subprocess.run(
            ["git", "-C", self.folder, *author, *words], check=True, capture_output=True, text=True,
            env=self.environment,
        )
        return done.stdout.strip()

    def _commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)

    def request(self, change: dict[str, str], *, fork: bool = False) -> dict[str, Any]:
        """The event of a pull request that adds these texts at the ends of these files; GitHub's merge is HEAD.

        A fork's comes with a token that only reads.
        """
        self.github.rights = set() if fork else {"pull-requests", "actions"}
        head = self._change(change)
        self.git("checkout", "--quiet", "--detach", "main")
        self.git("merge", "--quiet", "--no-ff", "-m", "merge", head)
        own: dict[str, Any] = {"full_name": "team/tree", "fork": False}
        theirs = {"full_name": "stranger/tree", "fork": True} if fork else own
        request = {
            "number": 7, "base": {"ref": "main", "sha": self.base, "repo": own},
            "head": {"ref": "change", "sha": head, "repo": theirs},
        }
        return {"name": "pull_request", "action": "opened", "number": 7, "pull_request": request}

    def group(self, change: dict[str, str]) -> dict[str, Any]:
        """The event of a merge queue's group."""
        head = self._change(change)
        group = {"base_ref": "refs/heads/main", "base_sha": self.base, "head_sha": head, "head_ref": "refs/heads/q/1"}
        return {"name": "merge_group", "action": "checks_requested", "merge_group": group}

    def push(self, change: dict[str, str]) -> dict[str, Any]:
        """The event of a push to main."""
        before, head = self.base, self._change(change)
        self.git("branch", "--force", "main", head)
        self.git("checkout", "--quiet", "main")
        self.base = head
        return {"name": "push", "ref": "refs/heads/main", "before": before, "after": head}

    def dispatch(self, inputs: dict[str, str]) -> dict[str, Any]:
        """The event of a workflow that is started on main by its name."""
        self.git("checkout", "--quiet", "main")
        return {"name": "workflow_dispatch", "ref": "refs/heads/main", "inputs": inputs}

    def _change(self, change: dict[str, str]) -> str:
        self.git("checkout", "--quiet", "--force", "-B", "change", "main")
        for name, text in change.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "a", encoding="utf-8") as file:
                file.write(text)
        self._commit("a change")
        return self.git("rev-parse", "HEAD")

    def plan(self, event: dict[str, Any]) -> dict[str, Any]:
        """What `mlops route` says about an event, asked from outside of any workflow."""
        if event["name"] == "pull_request":
            told = ["--head", event["pull_request"]["head"]["sha"], "--base", self.base, "--ref", "main"]
        elif event["name"] == "merge_group":
            told = ["--head", event["merge_group"]["head_sha"], "--base", self.base, "--ref", "main"]
        else:
            told = ["--before", event["before"], "--after", event["after"], "--ref", "main"]
        done = subprocess.run(
            [sys.executable, "-m", "mlops.cli", "route", "--event", event["name"], *told, "--format", "json"],
            cwd=self.folder, check=True, capture_output=True, env=self.environment | {"PYTHONPATH": str(self.folder)},
        )
        return json.loads(done.stdout)  # type: ignore[no-any-return]

    def play(
        self, event: dict[str, Any], workflow: str = CALLER, *, without: Sequence[str] = (),
        settings: Mapping[str, str] = {}, secrets: Mapping[str, str] = {}, runner: Mapping[str, str] = {},
    ) -> Acted:
        """Let act run a workflow on an event; `make test` runs no test of the library's rooms, nor of `without`.

        Args:
            settings: The repository's variables.
            secrets: Its secrets.
            runner: What a runner of GitHub's sets in the environment, and act does not.
        """
        self.runs += 1
        place = self.folder.parent / f"run-{self.runs}"
        record, payload = place / "record", place / "event.json"
        record.mkdir(parents=True)
        payload.write_text(json.dumps({**event, "repository": {"default_branch": "main", "full_name": "team/tree"}}))
        self.github.now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        run = self.github.run(Path(workflow).name, "", event=event["name"], status="in_progress", conclusion=None)
        rooms = [each for each in (self.folder / "tests/unit/mlops").iterdir() if each.is_dir()]
        left_out = [*LEFT_OUT, *without, *(f"tests/unit/mlops/{each.name}" for each in rooms)]
        variables = {
            "STAND_INS": STAND_INS, "STAND_IN_RECORD": record, "STAND_IN_SOURCE": self.folder,
            "STAND_IN_CACHE": self.folder.parent / "caches",
            "STAND_IN_VENV": sys.prefix, "PYTHON": sys._base_executable,  # type: ignore[attr-defined]
            "PYTEST_ADDOPTS": " ".join(f"--ignore={each}" for each in left_out),
            "GITHUB_RUN_ID": run["id"], "GITHUB_RUN_NUMBER": self.runs,
        }
        words = [
            self.act, event["name"], "-W", workflow, "-e", str(payload), "-P", "ubuntu-24.04=-self-hosted", "--json",
            "--no-skip-checkout", "--pull=false", "--no-cache-server", "--action-cache-path", str(place / "cache"),
        ]
        for name, value in (variables | dict(runner)).items():
            words += ["--env", f"{name}={value}"]
        for name, value in settings.items():
            words += ["--var", f"{name}={value}"]
        for name, value in {"GITHUB_TOKEN": TOKEN, **secrets}.items():
            words += ["--secret", f"{name}={value}"]
        for action, commit in sorted(third_party(self.folder)):
            owner, name, *_ = action.split("/")
            words += ["--local-repository", f"{owner}/{name}@{commit}={STAND_INS / name}"]
        done = subprocess.run(words, cwd=self.folder, capture_output=True, text=True, env=self.environment)
        shutil.rmtree(place / "cache", ignore_errors=True)
        run.update(status="completed", conclusion="failure" if done.returncode else "success")
        return _read(done, record, workflow_name(self.folder / workflow))


def third_party(tree: Path) -> set[tuple[str, str]]:
    """Every action that is not the repository's own (owner/name, and a folder where it has one), with its commit."""
    files = [*tree.glob(".github/workflows/*.yml"), *tree.glob(".github/actions/*/action.yml")]
    found = re.findall(r"\buses:\s*([\w-]+/[^\s@]+)@(\S+)", "\n".join(path.read_text() for path in files))
    return set(found)


def workflow_name(path: Path) -> str:
    """The name of a workflow, as its log shows it."""
    return str(load(path.read_text(), where=str(path))["name"])  # type: ignore[index]


def planned_jobs(tree: Path, plan: dict[str, Any]) -> Counter[tuple[str, str]]:
    """How often each job must run by a plan: the workflow files are read, matrix and all."""
    expected = Counter({("", "plan"): 1, ("", "gate"): 1})
    if plan["event"] == "pull_request":
        expected["", "comment"] = 1
    caller: Any = load((tree / CALLER).read_text(), where=CALLER)
    for workflow in plan["workflows"]:
        uses = f"./{workflow['workflow']}"
        job = next((name for name, each in caller["jobs"].items() if each.get("uses") == uses), "")
        if not job or workflow["verdict"] == "SKIP":
            continue
        called: Any = load((tree / workflow["workflow"]).read_text(), where=workflow["workflow"])
        for name, each in called["jobs"].items():
            if name in PUSHED:
                continue
            count = 1
            for values in each.get("strategy", {}).get("matrix", {}).values():
                count *= len(values) if isinstance(values, list) else len(plan_services(tree, plan))
            expected[job, name] = count
    return expected


def plan_services(tree: Path, plan: dict[str, Any]) -> list[str]:
    """The services that a plan's files lie in; all of them where another file could change any."""
    every = sorted(each.name for each in (tree / "services").iterdir() if each.is_dir())
    named = {name.split("/")[1] for name in plan["files"] if name.startswith("services/")}
    service = next(each for each in plan["workflows"] if each["pipeline"] == "service")
    return sorted(named) if str(service["file"]).startswith("services/") and named else every


def copy_tree(folder: Path) -> None:
    """The tracked files and those that git would track."""
    listed = subprocess.run(
        ["git", "-C", TREE, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True, capture_output=True,
    ).stdout.decode()
    for name in listed.rstrip("\0").split("\0"):
        if (TREE / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(TREE / name, folder / name)


def _read(done: subprocess.CompletedProcess[str], record: Path, name: str) -> Acted:
    jobs: list[tuple[str, str, str]] = []
    said: dict[tuple[str, str], str] = {}
    summaries: dict[tuple[str, str], str] = {}
    failed: set[tuple[str, str, str]] = set()
    for line in done.stdout.splitlines():
        entry = json.loads(line)
        if "jobID" not in entry:
            continue
        first = entry["job"].split("/")[0]
        key = ("" if first == name else first, entry["jobID"])
        if "jobResult" in entry:
            jobs.append((*key, entry["jobResult"]))
        if entry.get("stepResult") == "failure":
            failed.add((*key, entry["step"]))
        if entry.get("command") == "summary":
            summaries[key] = summaries.get(key, "") + entry["content"]
        if entry.get("raw_output"):
            said[key] = said.get(key, "") + entry["msg"]
    lines = record / "inputs.jsonl"
    inputs = [json.loads(line) for line in lines.read_text().splitlines()] if lines.is_file() else []
    kept = record / "artifacts"
    artifacts = sorted(each.name for each in kept.iterdir()) if kept.is_dir() else []
    return Acted(done.returncode, jobs, inputs, said, summaries, failed, artifacts, kept, done.stderr + done.stdout)
