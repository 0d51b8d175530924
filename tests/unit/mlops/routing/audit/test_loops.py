"""Workflows that start each other: planted loops are told with their chain, chains that end are left alone."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from mlops.cli import NOUNS
from mlops.gitops import local
from mlops.pipelines.dispatching import NEXT
from mlops.routing.audit.findings import audit
from mlops.routing.audit.loops import EMISSIONS, MANIFESTS, Loop, Start, cycles, loops
from mlops.routing.audit.tree import read
from mlops.routing.router.plans import read_tree
from mlops.sources import Sources

FOLDER = ".github/workflows"
MANIFEST = "infrastructure/kubernetes/overlays/production/kustomization.yaml"
DISPATCHED = "on: {workflow_dispatch: , push: {branches: [main], paths: ['%s/**']}}\n"


def job(*commands: str, uses: str = "") -> str:
    steps = "".join(f"      - run: {command}\n" for command in commands)
    steps += f"      - uses: {uses}\n" if uses else ""
    return f"jobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n{steps}"


CHAIN = {  # data → model → service → the manifest: it ends there
    f"{FOLDER}/data-pipeline.yml": DISPATCHED % "data" + job(".venv/bin/mlops handover data"),
    f"{FOLDER}/model-pipeline.yml": DISPATCHED % "model" + job("mlops handover model"),
    f"{FOLDER}/service-pipeline.yml": DISPATCHED % "services" + job(
        "mlops deploy bump --branch main --path " + MANIFEST.rpartition("/")[0]),
    f"{FOLDER}/main.yml": "on: {push: {paths: ['**', '!data/**', '!model/**', '!services/**']}}\n" + job("make lint"),
    "Makefile": "lint:\n\tscripts/lint\nship:\n\tscripts/ship\n", "scripts/lint": "#!/bin/sh\ntrue\n",
    "scripts/ship": "#!/bin/sh\nmlops deploy bump --branch main\n", MANIFEST: "images: []\n",
}


def found(tmp_path: Path, **changed: str) -> list[Loop]:
    files = CHAIN | {name.replace("__", "/").replace("_yml", ".yml"): text for name, text in changed.items()}
    for name, text in files.items():
        path = tmp_path / (f"{FOLDER}/{name}" if name.endswith(".yml") and "/" not in name else name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return loops(read(tmp_path), Sources(tmp_path), read_tree(tmp_path))


def names(loop: Loop) -> list[str]:
    return [each.rpartition("/")[2] for each in loop.chain]


def test_a_chain_that_ends_is_none(tmp_path: Path) -> None:
    assert found(tmp_path) == []


def test_a_loop_over_three_workflows_is_told_with_its_commands(tmp_path: Path) -> None:
    """The service pipeline's deploy pushes the manifest, which starts main, which starts the data pipeline's chain."""
    main = CHAIN[f"{FOLDER}/main.yml"].replace("make lint", "gh workflow run data-pipeline.yml --ref main")
    loop, = found(tmp_path, main_yml=main)
    assert names(loop) == [
        "data-pipeline.yml", "model-pipeline.yml", "service-pipeline.yml", "kustomization.yaml", "main.yml",
        "data-pipeline.yml",
    ]
    for said in ("`.venv/bin/mlops handover data`", f"pushes {MANIFEST}", "`gh workflow run data-pipeline.yml --ref"):
        assert said in loop.message
    finding, = [each for each in audit(tmp_path) if each.rule == "loop"]
    assert (finding.workflow, finding.chain) == (loop.chain[0], loop.chain)


@pytest.mark.parametrize("command", [
    "mlops deploy bump --branch main --path services/manifests", "mlops deploy bump --path=services/x/ --branch main",
    "uv run mlops deploy bump --path services/x", "python -m mlops.cli deploy bump --path services/x",
    'mlops deploy bump --branch "$BRANCH" --path "services/x"', "git push origin HEAD", "sudo git push",
    "gh api -X POST /repos/o/r/actions/workflows/service-pipeline.yml/dispatches",
    "gh workflow run service-pipeline.yml", 'gh workflow run "$NAME"', "mlops handover model",
    'mlops handover "$WHAT"', "sh -c 'git push'",
    'echo "$(git push)"', "true && git push || true",
])
def test_a_pipeline_that_starts_itself(tmp_path: Path, command: str) -> None:
    loop, = [each for each in found(tmp_path, **{"service-pipeline_yml": DISPATCHED % "services" + job(command)})
             if names(each)[0] == names(each)[-1] == "service-pipeline.yml"]
    assert set(names(loop)) <= {"service-pipeline.yml", "kustomization.yaml"}


@pytest.mark.parametrize("command", [
    "mlops deploy check", "mlops handover", "git pushd", "git push --dry-run", "echo git push", "# git push",
    "mlops deploy bump --branch manifests --path services/x", "mlops deploy bump --path elsewhere/x",
    "gh workflow list", "mlops handover data", "gh workflow run main.yml",
])
def test_a_pipeline_that_does_not(tmp_path: Path, command: str) -> None:
    """A branch that no filter takes, a path that starts nothing of it, a workflow that no dispatch starts."""
    files = {"service-pipeline_yml": DISPATCHED % "services" + job(command), "data-pipeline_yml": DISPATCHED % "data"}
    assert found(tmp_path, **files, **{"model-pipeline_yml": DISPATCHED % "model"}) == []


@pytest.mark.parametrize(("files", "through"), [
    ({"scripts/lint": "#!/bin/sh\n. scripts/more.sh\n", "scripts/more.sh": "git push\n"}, "a sourced script"),
    ({"Makefile": "lint: ship\n\ttrue\nship:\n\tmlops deploy bump --path docs\n"}, "a need of a target"),
    ({"Makefile": "lint:\n\t$(MAKE) ship\nship:\n\tgit push\n"}, "make inside make"),
])
def test_what_a_command_runs_counts(tmp_path: Path, files: dict[str, str], through: str) -> None:
    loop = found(tmp_path, **files)[0]
    assert set(names(loop)) - {"kustomization.yaml"} == {"main.yml"}, through


def test_actions_and_called_workflows_count_for_those_that_use_them(tmp_path: Path) -> None:
    action = "runs:\n  using: composite\n  steps:\n    - run: mlops deploy bump --path docs\n      shell: bash\n"
    called = "on: workflow_call\n" + job(uses="./.github/actions/ship")
    main = "on: {push: {paths: [docs/**]}}\njobs:\n  a:\n    uses: ./.github/workflows/called.yml\n"
    loop, = found(tmp_path, **{".github/actions/ship/action.yml": action, "called_yml": called, "main_yml": main})
    assert names(loop) == ["main.yml", "kustomization.yaml", "main.yml"]


def test_a_target_that_nobody_makes_does_not_count(tmp_path: Path) -> None:
    assert "ship" in CHAIN["Makefile"] and found(tmp_path) == []


@pytest.mark.parametrize(("on", "looped"), [
    ("workflow_run: {workflows: [one], types: [completed]}", True),
    ("workflow_run: {workflows: [other]}", False),
    ("workflow_run: {workflows: [one], branches: [main]}", True),  # which branch one ran on cannot be known
    ("workflow_dispatch: ", False),
])
def test_workflows_that_wait_for_each_other(tmp_path: Path, on: str, looped: bool) -> None:
    one = "name: one\non: {workflow_run: {workflows: [two]}}\n" + job("true")
    two = "name: two\non: {%s}\n" % on + job("true")
    assert [names(each) for each in found(tmp_path, one_yml=one, two_yml=two)] == (
        [["one.yml", "two.yml", "one.yml"]] if looped else [])


def test_a_file_that_cannot_be_read_is_another_finding(tmp_path: Path) -> None:
    assert found(tmp_path, broken_yml="on: [\n") == []


def test_every_loop_of_a_small_graph_is_found() -> None:
    """Over every graph of three workflows: a loop is told where, and only where, one can come back to oneself."""
    edges = [(one, other) for one in "abc" for other in "abc"]
    for size in range(len(edges) + 1):
        for chosen in itertools.combinations(edges, size):
            starts = {each: [Start(other, None, "x") for one, other in chosen if one == each] for each in "abc"}
            reached = {each: {other for one, other in chosen if one == each} for each in "abc"}
            for middle, one in itertools.product("abc", "abc"):
                if middle in reached[one]:
                    reached[one] |= reached[middle]
            told = cycles(starts)
            assert {each for loop in told for each in loop.chain} == {each for each in "abc" if each in reached[each]}
            assert all(loop.chain[0] == loop.chain[-1] for loop in told)


def test_the_table_names_commands_and_workflows_that_there_are() -> None:
    top = Path(__file__).resolve().parents[5]
    assert MANIFESTS == f"{local.OVERLAYS}/"
    for words, emission in EMISSIONS.items():
        assert words.split()[0] == "mlops"
        assert words.split()[1] in NOUNS
        assert not emission.dispatches or (top / FOLDER / emission.dispatches).is_file()
    dispatched = {words.split()[2]: each.dispatches for words, each in EMISSIONS.items() if each.dispatches}
    assert dispatched == {name: follow.workflow for name, follow in NEXT.items()}
