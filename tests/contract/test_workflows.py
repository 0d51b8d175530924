"""The workflow files held against their rules, without GitHub: schema, zizmor, and our own rules as code."""

from __future__ import annotations

import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops.cli import NOUNS
from mlops.routing import PathFilter, route_files
from mlops.routing.router.glob import compile_pattern
from mlops.routing.router.plans import read_tree
from mlops.routing.router.yaml12 import load

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"
PIPELINES = {
    "service": "service-pipeline.yml",
    "data": "data-pipeline.yml",
    "model": "model-pipeline.yml",
    "main": "main.yml",
}
FILES = sorted(FOLDER.glob("*.yml"))
BIN = Path(sys.executable).parent

# Actions under whose tags somebody else put commits (CVE-2025-30066, CVE-2025-30154, CVE-2026-33634): none of
# their versions is used; and the commits themselves, under whatever name a fork gives them.
DENIED_ACTIONS = (
    "tj-actions/changed-files",
    "reviewdog/action-setup",
    "aquasecurity/trivy-action",
    "aquasecurity/setup-trivy",
)
DENIED_COMMITS = {
    "0e58ed8671d6b60d0890c21b07f8835ace038e67": "CVE-2025-30066, tj-actions/changed-files",
    "f0d342d24037bb11d26b9bd8496e0808ba32e9ec": "CVE-2025-30154, reviewdog/action-setup",
}
# Versions of the scanner itself that were malicious (CVE-2026-33634).
DENIED_SCANNERS = re.compile(r"trivy\S*[:=@ ]v?0\.69\.[456]\b", re.IGNORECASE)


# The jobs that may write something, and what.
WRITES = {
    "data-pipeline.yml:handover": {"actions"},
    "model-pipeline.yml:handover": {"actions"},
    "service-pipeline.yml:deploy": {"id-token"},
    "main.yml:findings": {"security-events"},
    "pull-request.yml:comment": {"pull-requests"},
}


def problem_with(line: str) -> str | None:
    """What is wrong with what a line of a workflow uses; None where it uses nothing, or nothing that is wrong."""
    if DENIED_SCANNERS.search(line):
        return "a scanner that was malicious (CVE-2026-33634)"
    found = re.search(r"\buses:\s*([^\s#]+)(.*)", line)
    if found is None or found[1].startswith("./"):
        return None
    name, _, commit = found[1].partition("@")
    if not re.fullmatch(r"[\w-]+/[\w./-]+", name) or not re.fullmatch(r"[0-9a-f]{40}", commit):
        return "not pinned to a commit"
    if commit in DENIED_COMMITS:
        return DENIED_COMMITS[commit]
    if name.lower() in DENIED_ACTIONS or name.lower().startswith(tuple(f"{each}/" for each in DENIED_ACTIONS)):
        return "an action whose tags were taken over"
    return None if re.fullmatch(r"\s+# v\d+\.\d+\.\d+", found[2]) else "does not name its version"


def read(path: Path) -> dict[str, Any]:
    document = load(path.read_text(), where=str(path))
    assert isinstance(document, dict)
    return document


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    return read(path)["jobs"]  # type: ignore[no-any-return]


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in FILES:
        for name, job in jobs(path).items():
            for step in job.get("steps", []):
                yield f"{path.name}:{name}", step
    for path in sorted((ROOT / ".github" / "actions").glob("*/action.yml")):
        for step in read(path)["runs"]["steps"]:
            yield str(path.relative_to(ROOT)), step


def check(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_the_five_files_are_there() -> None:
    assert [path.name for path in FILES] == sorted([*PIPELINES.values(), "pull-request.yml"])


def test_schema() -> None:
    done = check(str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.github-workflows", *map(str, FILES))
    assert done.returncode == 0, done.stdout
    actions = map(str, (ROOT / ".github" / "actions").glob("*/action.yml"))
    done = check(str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.github-actions", *actions)
    assert done.returncode == 0, done.stdout


def test_zizmor_finds_nothing() -> None:
    done = check(str(BIN / "zizmor"), "--offline", "--quiet", ".github")
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_exception_of_zizmor_has_its_reason() -> None:
    lines = (ROOT / ".github" / "zizmor.yml").read_text().splitlines()
    for number, line in enumerate(lines):
        if "disable:" in line or "ignore:" in line:
            assert lines[number - 1].lstrip().startswith("#"), line
    assert not [path for path in FILES if "zizmor: ignore" in path.read_text()]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_rights_and_time(path: Path) -> None:
    assert read(path)["permissions"] == {}, "each job asks for what it needs"
    for name, job in jobs(path).items():
        assert isinstance(job.get("permissions"), dict), name
        assert "secrets" not in job or job["secrets"] != "inherit", name
        if "uses" not in job:
            assert isinstance(job.get("timeout-minutes"), int), name
            assert job["runs-on"] == "ubuntu-24.04", name
        if "uses" not in job:  # what a call hands on is what its jobs ask for: see test_calls.py
            writes = {right for right, value in job["permissions"].items() if value != "read"}
            assert writes <= WRITES.get(f"{path.name}:{name}", set()), f"{name} asks for more than it needs: {writes}"


def test_every_action_is_pinned_to_a_commit_with_its_version() -> None:
    for path in [*FILES, *(ROOT / ".github" / "actions").glob("*/action.yml")]:
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            assert problem_with(line) is None, f"{path.name}:{number}: {problem_with(line)}"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("- uses: actions/checkout@v7", "not pinned"),
        ("- uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1", "its version"),
        ("- uses: docker://alpine:3", "not pinned"),
        (f"- uses: a/fork@{'0e58ed8671d6b60d0890c21b07f8835ace038e67'} # v1.0.0", "CVE-2025-30066"),
        (f"- uses: reviewdog/action-setup@{'f0d342d24037bb11d26b9bd8496e0808ba32e9ec'} # v1.0.0", "CVE-2025-30154"),
        (f"- uses: AquaSecurity/trivy-action@{'a' * 40} # v0.1.0", "taken over"),
        ("run: docker run aquasec/trivy:0.69.5 image x", "malicious"),
    ],
)
def test_a_denied_action_is_seen(line: str, problem: str) -> None:
    assert problem in (problem_with(line) or "")


def test_one_version_of_each_action() -> None:
    used = {
        uses.partition("@") for _, step in steps() if (uses := step.get("uses", "")) and not uses.startswith("./")
    }
    assert len({name for name, _, _ in used}) == len(used)


def test_a_checkout_leaves_no_token_behind() -> None:
    for where, step in steps():
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False, where


def test_each_right_to_write_has_a_job() -> None:
    """The list of exceptions holds nothing that is no exception any more."""
    for where, rights in WRITES.items():
        file, _, name = where.partition(":")
        asked = jobs(FOLDER / file)[name]["permissions"]
        assert rights == {right for right, value in asked.items() if value == "write"}, where


def test_what_a_workflow_uses_is_there() -> None:
    for where, step in steps():
        if step.get("uses", "").startswith("./"):
            assert (ROOT / step["uses"] / "action.yml").is_file(), where


def command_of(run: str) -> list[str]:
    """The words of a step's one command, without what is read from an environment variable."""
    assert "\n" not in run.strip() and not re.search(r"&&|\|\||;|\|(?!\|)|`|\$\(", run), (
        f"more than one command: {run!r}"
    )
    return re.sub(r"\s*(<<<.*|> [\w.-]+$)", "", run.strip()).split()


def known(words: list[str]) -> bool:
    """Whether a command of ours exists, down to its subcommand and its options."""
    from typer.main import get_command

    noun, *rest = words
    if noun not in NOUNS:
        return False
    module = importlib.import_module(NOUNS[noun][0])
    options = {word.partition("=")[0] for word in rest if word.startswith("--")}
    if hasattr(module, "parser"):
        return options <= set(module.parser("x")._option_string_actions)
    command: Any = get_command(module.app.typer())
    if getattr(command, "commands", None) is not None:
        command = command.commands.get(rest[0] if rest else "")
    return command is not None and options <= {name for each in command.params for name in each.opts}


def test_every_step_is_one_command_that_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for where, step in steps():
        if "run" not in step:
            continue
        assert "${{" not in step["run"], f"{where}: outside text inside a shell step"
        program, *words = command_of(step["run"])
        if program == "make":
            assert set(words) <= targets, where
        elif program == ".venv/bin/mlops":
            assert known(words), f"{where}: no such command: {step['run']}"
        else:
            tools = (".venv/bin/flake8", ".venv/bin/python", ".venv/bin/zizmor")
            assert program in tools, f"{where}: {program}"
            assert all((ROOT / word).exists() for word in words if "/" in word and not word.startswith("-")), where


def test_a_command_that_does_not_exist_is_seen() -> None:
    assert known(["route", "--format", "github"]) and known(["tree", "check"]) and known(["service", "test", "x"])
    assert not known(["rout"]) and not known(["tree", "chekc"]) and not known(["route", "--formt", "x"])
    with pytest.raises(AssertionError, match="more than one command"):
        command_of("make test && make lint")


@pytest.mark.parametrize("name", PIPELINES.values())
def test_a_pipeline_starts_on_pushes_and_can_be_called(name: str) -> None:
    on = read(FOLDER / name)["on"]
    handed = {"model-pipeline.yml": ["data"], "service-pipeline.yml": ["models"]}.get(name)
    assert set(on) == {"push", "workflow_call"} | ({"workflow_dispatch"} if handed else set())
    if handed:
        assert list(on["workflow_dispatch"]["inputs"]) == handed
        assert f"inputs.{handed[0]}" in read(FOLDER / name)["run-name"], "the hand-over reads it from the run's name"
    assert on["push"]["branches"] == ["main", "develop"]
    assert f".github/workflows/{name}" in on["push"]["paths"] or name == "main.yml"
    for _, step in steps():
        if step.get("uses", "").startswith("./"):
            inside = f"{step['uses'].removeprefix('./')}/action.yml"
            assert PathFilter(paths=on["push"]["paths"]).includes([inside])


@pytest.mark.parametrize("name", PIPELINES.values())
def test_patterns_are_portable_and_match_something(name: str) -> None:
    tracked = (
        subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
        .stdout.decode()
        .split("\0")
    )
    for text in read(FOLDER / name)["on"]["push"]["paths"]:
        pattern = compile_pattern(text)
        assert not pattern.problems, text
        if any(tracked):
            assert any(pattern.matches(file) for file in tracked if file), f"{name}: {text} matches no tracked file"


@pytest.mark.parametrize(
    ("file", "pipeline"),
    [
        ("services/api/app/main.py", "service"),
        ("data/src/preprocess.py", "data"),
        ("model/housing_models.py", "model"),
    ],
)
def test_the_three_examples_start_exactly_one_workflow(file: str, pipeline: str) -> None:
    plan = route_files(ROOT, [file])
    assert [each.pipeline for each in plan.workflows if each.verdict != "SKIP"] == [pipeline]


def test_every_file_starts_something() -> None:
    tracked = (
        subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
        .stdout.decode()
        .split("\0")
    )
    filters = [PathFilter(paths=read(FOLDER / name)["on"]["push"]["paths"]) for name in PIPELINES.values()]
    assert not [file for file in tracked if file and not any(each.includes([file]) for each in filters)]


def test_the_router_sees_what_the_gate_needs() -> None:
    calls = next(each.calls for each in read_tree(ROOT) if each.pipeline == "pull-request")
    assert set(calls) == {f".github/workflows/{file}" for file in PIPELINES.values()}


@pytest.mark.parametrize("name", ["service", "data", "model"])
def test_a_filter_holds_everything_that_the_pipelines_steps_read(name: str) -> None:
    from mlops.config import ConfigManager, Environment
    from mlops.pipelines.steps import Run
    from mlops.pipelines.walk import DECLARED
    from mlops.sources import LOCK_FILE, Sources

    manager = ConfigManager(ROOT)
    run, sources = Run(manager.workspace(), manager.load_config(Environment.DEVELOPMENT)), Sources(ROOT)
    inputs = {LOCK_FILE, ".flake8", "pyproject.toml", "Makefile", "scripts/setup", "requirements/uv.txt"}
    for step in DECLARED[name](run, sources):
        inputs.update(step.files, sources.closure([step.function, *step.product]))
        inputs.update(step.code(sources) if step.code else [])
    filter_ = PathFilter(paths=read(FOLDER / PIPELINES[name])["on"]["push"]["paths"])
    assert not sorted(each for each in inputs if not filter_.includes([each]))
