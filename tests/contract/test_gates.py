"""Red proofs: every gate refuses its planted defect, and would not without what enforces it. See gates.yaml."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mlops.infra import gates_page
from mlops.infra.gates_page import Gate
from tests.contract.acting import TREE, copy_tree
from tests.contract.stand_ins.stand_in import lay_environment

GATES = gates_page.read(TREE)
# A repository of one module and its test, for tools that read, run or measure all that they find.
SMALL = {
    "mlops/__init__.py": "",
    "mlops/small.py": "def twice(number: int) -> int:\n    return 2 * number\n",
    "data/__init__.py": "",
    "model/__init__.py": "",
    "benchmarks/__init__.py": "",
    "services/one/tests/test_one.py": "def test_one():\n    assert 1 == 1\n",
    "tests/test_small.py": (
        "import data\nimport model\nfrom mlops.small import twice\n\n\n"
        "def test_twice():\n    assert twice(2) == 4 and data and model\n"
    ),
}
TAKEN = ["scripts/test", "scripts/lint", "pyproject.toml", ".flake8"]


def marked(gate: Gate) -> object:
    """A gate with the marks that its proof asks for."""
    marks = [pytest.mark.engine] if gate.needs else []
    return pytest.param(gate, id=gate.gate, marks=[*marks, pytest.mark.slow] if gate.slow else marks)


each_gate = pytest.mark.parametrize("gate", [marked(gate) for gate in GATES])


class Copy:
    """A copy of the repository, whole or small, in which a gate is asked."""

    def __init__(self, folder: Path, gate: Gate) -> None:
        self.folder, self.gate = folder, gate
        if gate.needs and not os.environ.get(gate.needs):
            pytest.skip(f"{gate.needs} is not set: make test-engines sets it")
        if gate.tree == "small":
            for name, text in SMALL.items() | {(name, (TREE / name).read_text()) for name in TAKEN}:
                self.write(name, text)
            for script in (folder / "scripts").iterdir():
                script.chmod(0o755)
        else:
            copy_tree(folder)
        lay_environment(Path(sys.prefix), folder)
        for name, text in gate.given.items():
            self.write(name, text)

    def write(self, name: str, text: str, *, add: bool = False) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((path.read_text() if add and path.is_file() else "") + text)

    def plant(self) -> None:
        for name, text in self.gate.defect.items():
            self.write(name, text, add=not self.gate.over)

    def take_away(self) -> None:
        enforced = self.gate.enforced
        text = (self.folder / enforced.file).read_text()
        assert text.count(enforced.text) == 1, f"{enforced.file} holds {enforced.text!r} not exactly once"
        self.write(enforced.file, text.replace(enforced.text, enforced.instead))

    def ask(self) -> tuple[int, str]:
        """Exit code and everything that the gate's command says."""
        taken = ("GIT_", "GITHUB_", "MLOPS_", "MLFLOW_", "PYTEST", "COV", "PYTHONPATH")
        environment = {name: value for name, value in os.environ.items() if not name.startswith(taken)}
        tools = {name: value for name, value in os.environ.items() if name.startswith("MLOPS_TEST_")}
        done = subprocess.run(
            ["sh", "-c", self.gate.runs], cwd=self.folder, capture_output=True, text=True,
            env=environment | tools | {"NO_COLOR": "1", "COLUMNS": "200"},
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Callable[[Gate], Copy]:
    return lambda gate: Copy(tmp_path / "tree", gate)


@each_gate
def test_green_without_the_defect_and_red_on_it(gate: Gate, copy: Callable[[Gate], Copy]) -> None:
    made = copy(gate)
    code, said = made.ask()
    assert code == 0, said
    made.plant()
    code, said = made.ask()
    assert code != 0 and gate.says in said, (code, said)  # red, and because of the defect


@each_gate
def test_without_its_enforcement_the_proof_fails(gate: Gate, copy: Callable[[Gate], Copy]) -> None:
    made = copy(gate)
    made.plant()
    made.take_away()
    code, said = made.ask()
    assert code == 0, said  # let through: red only by what was taken away


def test_every_static_check_has_its_proof() -> None:
    """A check that is added to `make lint` without a planted defect is found here."""
    lines = re.findall(r'^ *check (?:"([^"]+)"|(\S+)) ', (TREE / "scripts/lint").read_text(), re.MULTILINE)
    # the check of each service is proven by one of them
    checks = {(quoted or plain).replace("${service%/}", "services/api") for quoted, plain in lines}
    proven = {gate.runs.removeprefix("scripts/lint ").strip('"') for gate in GATES if "scripts/lint" in gate.runs}
    assert checks == proven


# Steps of workflows that refuse no change, by how they begin, and why that is so.
NO_GATES = {
    "make setup": "installs what the other steps run with",
    ".venv/bin/mlops route --format github": "plans; that a planner which fails closes the gate, act shows",
    ".venv/bin/mlops report": "tells what the others found",
    ".venv/bin/mlops handover": "starts the next pipeline after this one passed",
    ".venv/bin/mlops deploy bump": "writes what was promoted",
    ".venv/bin/zizmor --offline --quiet --format sarif": "tells as SARIF, and always ends with 0; `make lint` refuses",
    ".venv/bin/mlops route audit --format sarif": "tells as SARIF what the audit before it refuses",
}


def commands() -> set[str]:
    """The command of each step of workflows and actions, without what it reads, where it writes and reports."""
    found = set()
    for path in (TREE / ".github").rglob("*.yml"):
        for command in re.findall(r"^ +(?:- )?run: (.+)$", path.read_text(), re.MULTILINE):
            found.add(re.sub(r" (<<<|>|--junitxml=|--cov).*", "", command) if "pytest" in command else
                      re.sub(r" (<<<|>) .*", "", command))
    return found


def test_every_step_of_the_workflows_has_its_proof() -> None:
    """A step that is added to a workflow is a gate with a planted defect, or says why it is none."""
    proven = {step for gate in GATES for step in gate.steps}
    assert proven <= commands(), "a step of the list is in no workflow"
    open_ = {each for each in commands() - proven if not each.startswith(tuple(NO_GATES))}
    assert not open_, "no gate of gates.yaml names these steps"
    assert all(any(each.startswith(name) for each in commands()) for name in NO_GATES), "one is there no more"


def test_the_list_names_each_gate_once() -> None:
    names = [gate.gate for gate in GATES]
    assert len(set(names)) == len(names)
    assert {gate.tree for gate in GATES} == {"whole", "small"}


def test_the_page_is_made_from_the_list() -> None:
    page = gates_page.render(TREE)
    assert all(f"| {gate.gate} |" in page for gate in GATES)
    assert (TREE / "docs/reference/gates.md").read_text() == page, "run `mlops tree write`"
