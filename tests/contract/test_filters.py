"""The path filters of this repository: complete as they are, and every hole that is planted in a copy is found."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mlops.cli.filters import gather
from mlops.pipelines.declared.service import image_files
from mlops.product import services
from mlops.routing import route_files
from mlops.routing.audit.findings import Finding, audit
from mlops.routing.audit.loops import EMISSIONS, started
from mlops.routing.audit.references import copied, copies
from mlops.routing.audit.sync import sync
from mlops.routing.audit.tree import read
from mlops.routing.router.plans import read_tree
from mlops.sources import Sources

ROOT = Path(__file__).resolve().parents[2]
DATA, MODEL = ".github/workflows/data-pipeline.yml", ".github/workflows/model-pipeline.yml"
SERVICE, MAIN = ".github/workflows/service-pipeline.yml", ".github/workflows/main.yml"
OUTSIDE = "mlops/gitops/splice.py"  # a file that no product pipeline needs


def git(folder: Path, *words: str) -> bytes:
    return subprocess.run(["git", *words], cwd=folder, capture_output=True, check=True).stdout


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree's files, with a repository of its own and what the audit remembers of them."""
    copy = tmp_path_factory.mktemp("original") / "tree"
    for name in read(ROOT).files:
        target = copy / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target, follow_symlinks=False)
    git(copy.parent, "init", "-q", str(copy))
    git(copy, "add", "-A")
    sources, pipelines = gather(copy)
    audit(copy, pipelines, sources=sources)
    sources.save()
    return copy


@pytest.fixture
def tree(original: Path, tmp_path: Path) -> Path:
    """A copy of the copy whose files are the same files, until one is written: so what is remembered of them holds."""
    copy = tmp_path / "tree"
    shutil.copytree(original, copy, symlinks=True, copy_function=os.link)
    return copy


def findings(tree: Path) -> list[Finding]:
    git(tree, "add", "-A")
    sources, pipelines = gather(tree)
    return audit(tree, pipelines, sources=sources)


def write(tree: Path, name: str, text: str, *, at_end: bool = False) -> None:
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = (path.read_text() if at_end else "") + text
    mode = path.stat().st_mode if path.exists() else 0o644
    path.unlink(missing_ok=True)  # another copy has it too
    path.write_text(whole)
    path.chmod(mode)


def replace(tree: Path, name: str, old: str, new: str) -> None:
    text = (tree / name).read_text()
    assert old in text
    write(tree, name, text.replace(old, new, 1))


def run(tree: Path, *words: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from mlops.cli import main; main(sys.argv[1:])"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code, "route", *words, "--repository", str(tree)], capture_output=True, text=True,
        env=environment, check=False,
    )


def test_the_tree_is_clean_and_its_filters_are_what_sync_would_write(original: Path) -> None:
    assert findings(original) == []
    sources, pipelines = gather(original)
    assert sync(original, pipelines, write=False, sources=sources) == []


@pytest.mark.parametrize(("file", "pipeline"), [
    ("services/api/app/main.py", "service"), ("data/src/preprocess.py", "data"), ("model/housing_models.py", "model"),
    ("data/src/housing.py", "data"), ("model/src/housing.py", "model"), ("model/configs/lab.yaml", "model"),
    ("data/datasets/lab.yaml", "data"), ("data/raw/housing.md", "data"), ("services/predict/Dockerfile", "service"),
])
def test_a_change_to_the_product_starts_exactly_its_own_workflow(file: str, pipeline: str) -> None:
    plan = route_files(ROOT, [file])
    assert [each.pipeline for each in plan.workflows if each.verdict != "SKIP"] == [pipeline]


def test_no_step_of_another_pipeline_reads_the_product(original: Path) -> None:
    from mlops.config import ConfigManager, Environment
    from mlops.pipelines.steps import Run
    from mlops.pipelines.walk import DECLARED

    manager, sources = ConfigManager(original), Sources(original)
    steps = DECLARED["main"](Run(manager.workspace(), manager.load_config(Environment.DEVELOPMENT)), sources)
    read_by_main = [*(file for step in steps for file in step.files)]
    assert "README.md" in read_by_main
    assert not [file for file in read_by_main if file.startswith(("services/", "data/", "model/"))]


@pytest.mark.parametrize("name", services(ROOT))
def test_an_image_copies_what_its_service_imports(name: str) -> None:
    recipe = f"services/{name}/Dockerfile"
    there = set(copies(read(ROOT), recipe, copied(ROOT / recipe)))
    own = ("mlops/", f"services/{name}/app/")
    assert {file for file in image_files(ROOT, name, Sources(ROOT)) if file.startswith(own)} <= there


# --- holes: (what is done to the copy, workflow, path, the end of the shortest chain) ---------------------------

def an_import(tree: Path) -> None:
    write(tree, "mlops/data_pipeline/steps.py", "\nimport mlops.gitops.splice\n", at_end=True)


def a_late_import(tree: Path) -> None:
    write(tree, "mlops/validation/gx.py", "\n\ndef late():\n    from mlops.gitops import splice\n", at_end=True)


def a_late_import_in_a_method(tree: Path) -> None:
    text = "\n\nclass Late:\n    def method(self):\n        if self:\n            from mlops.gitops.splice import put\n"
    write(tree, "mlops/data_pipeline/dataset.py", text, at_end=True)


def a_relative_import(tree: Path) -> None:
    write(tree, "mlops/data_pipeline/steps.py", "\nfrom ..gitops import splice\n", at_end=True)


def an_import_by_name(tree: Path) -> None:
    text = "\nimport importlib\nimportlib.import_module('mlops.gitops.splice')\n"
    write(tree, "mlops/data_pipeline/steps.py", text, at_end=True)


def a_name_that_a_package_loads_late(tree: Path) -> None:
    write(tree, "mlops/data_pipeline/steps.py", "\nfrom mlops import PathFilter\n", at_end=True)


def a_worker_that_is_started(tree: Path) -> None:
    text = "\nimport sys\nWORKER = [sys.executable, '-m', 'mlops.gitops.splice']\n"
    write(tree, "mlops/data_pipeline/steps.py", text, at_end=True)


def a_file_beside_the_module(tree: Path) -> None:
    text = "\nfrom pathlib import Path\nNEAR = Path(__file__).parent.parent / 'gitops' / 'splice.py'\n"
    write(tree, "mlops/data_pipeline/steps.py", text, at_end=True)


def an_import_in_the_products_own_step(tree: Path) -> None:
    write(tree, "data/src/housing.py", "\nfrom mlops.gitops import splice\n", at_end=True)


def an_import_of_the_command(tree: Path) -> None:
    write(tree, "mlops/cli/data.py", "\nfrom mlops.gitops import splice\n", at_end=True)


def an_import_of_the_runner(tree: Path) -> None:
    write(tree, "mlops/pipelines/receipts.py", "\n\ndef late():\n    from mlops.gitops import splice\n", at_end=True)


def an_import_of_a_test(tree: Path) -> None:
    write(tree, "tests/unit/data/test_more.py", "from mlops.gitops import splice\n")


def a_link_in_the_data(tree: Path) -> None:
    (tree / "data/raw/linked.py").symlink_to("../../mlops/gitops/splice.py")


def a_linked_package(tree: Path) -> None:
    (tree / "mlops/data_pipeline/linked").symlink_to("../gitops")
    write(tree, "mlops/data_pipeline/steps.py", "\nfrom mlops.data_pipeline.linked import splice\n", at_end=True)


def a_callable_in_a_configuration(tree: Path) -> None:
    replace(tree, "data/datasets/lab.yaml", "process: data.src.lab:process", "process: mlops.gitops.splice:put")


def a_path_in_a_configuration(tree: Path) -> None:
    replace(tree, "data/datasets/lab.yaml", "title:", f"card: {OUTSIDE}\ntitle:")


def a_command_of_the_workflow(tree: Path) -> None:
    replace(tree, DATA, ".venv/bin/flake8 data", f".venv/bin/flake8 {OUTSIDE} data")


def a_script_of_the_shared_action(tree: Path) -> None:
    write(tree, ".github/actions/setup/more.sh", f"#!/bin/sh\n# nothing of note\ncat {OUTSIDE} # here\n")
    text = "\n    - run: $GITHUB_ACTION_PATH/more.sh\n      shell: bash\n"
    write(tree, ".github/actions/setup/action.yml", text, at_end=True)


def an_action_inside_the_action(tree: Path) -> None:
    write(tree, "mlops/gitops/inner/action.yml", "runs:\n  using: composite\n  steps:\n    - run: cat ../splice.py\n"
                                                 "      working-directory: mlops/gitops/inner\n      shell: bash\n")
    write(tree, ".github/actions/setup/action.yml", "\n    - uses: ./mlops/gitops/inner\n", at_end=True)


def a_called_workflow(tree: Path) -> None:
    text = "on: workflow_call\njobs:\n  a:\n    runs-on: ubuntu-24.04\n    steps:\n      - run: python "
    write(tree, ".github/workflows/called.yml", f"{text}{OUTSIDE}\n")
    replace(tree, DATA, "jobs:\n", "jobs:\n  called:\n    uses: ./.github/workflows/called.yml\n")


def a_need_of_the_makefile(tree: Path) -> None:
    replace(tree, "Makefile", "setup: $(READY)", f"setup: $(READY) {OUTSIDE}")


def a_line_of_the_setup_script(tree: Path) -> None:
    write(tree, "scripts/setup", f"\n. {OUTSIDE}\n", at_end=True)


SAMPLE = (  # each kind is also planted in a small tree, see tests/unit/mlops/routing/test_holes.py
    an_import, a_late_import_in_a_method, an_import_of_a_test, a_link_in_the_data, a_callable_in_a_configuration,
    an_action_inside_the_action, a_need_of_the_makefile,
)
REST = (
    a_late_import, a_relative_import, an_import_by_name, a_worker_that_is_started, a_file_beside_the_module,
    an_import_in_the_products_own_step, an_import_of_the_command, an_import_of_the_runner, a_linked_package,
    a_path_in_a_configuration, a_command_of_the_workflow, a_script_of_the_shared_action, a_called_workflow,
    a_line_of_the_setup_script,
)


@pytest.mark.parametrize(
    "hole", [*SAMPLE, *(pytest.param(each, marks=pytest.mark.slow) for each in REST)], ids=lambda hole: hole.__name__
)
def test_a_hole_in_the_data_pipeline_is_found(tree: Path, hole: Callable[[Path], None]) -> None:
    hole(tree)
    found = [each for each in findings(tree) if each.workflow == DATA and each.path == OUTSIDE]
    assert [each.rule for each in found] == ["input-outside"], hole.__name__
    assert found[0].chain[0] == DATA and found[0].chain[-1] == OUTSIDE
    # what sync writes closes the hole, and nothing else has to be done
    sources, pipelines = gather(tree)
    assert DATA in [each.workflow for each in sync(tree, pipelines, sources=sources)]
    assert not [each for each in findings(tree) if each.workflow == DATA]


def test_a_name_that_a_package_loads_late_leads_to_its_module(tree: Path) -> None:
    a_name_that_a_package_loads_late(tree)
    found = {each.path: each for each in findings(tree) if each.workflow == DATA}
    assert "mlops/routing/router/glob.py" in found
    assert found["mlops/routing/__init__.py"].rule == "input-outside"


def test_the_chain_is_the_shortest(tree: Path) -> None:
    write(tree, "mlops/data_pipeline/steps.py", "\nfrom mlops.data_pipeline import far\n", at_end=True)
    write(tree, "mlops/data_pipeline/far.py", "from mlops.gitops import splice\n")
    chain = next(each.chain for each in findings(tree) if each.path == OUTSIDE and each.workflow == DATA)
    assert chain[0] == DATA and chain[-3:] == ("mlops/data_pipeline/steps.py", "mlops/data_pipeline/far.py", OUTSIDE)
    write(tree, "data/src/housing.py", "\nfrom mlops.gitops import splice\n", at_end=True)
    shorter = next(each.chain for each in findings(tree) if each.path == OUTSIDE and each.workflow == DATA)
    assert len(shorter) <= len(chain) and all((tree / each).exists() for each in shorter)


@pytest.mark.parametrize(("recipe", "line"), [
    ("services/predict/Dockerfile", "COPY docs/guide /srv/guide\n"),
    ("services/api/Dockerfile", 'ADD ["docs/guide/routing.md", "/srv/"]\n'),
    ("services/api/Dockerfile", "COPY --chown=1:1 docs/guide/rout*.md \\\n    /srv/\n"),
])
def test_what_an_image_copies_is_an_input(tree: Path, recipe: str, line: str) -> None:
    write(tree, recipe, line, at_end=True)
    found = [each for each in findings(tree) if each.path == "docs/guide/routing.md"]
    assert [(each.rule, each.workflow, each.chain[-2:]) for each in found] == [
        ("input-outside", SERVICE, (recipe, "docs/guide/routing.md"))
    ]


def test_requirements_lead_to_requirements(tree: Path) -> None:
    write(tree, "docs/shared.txt", "numpy\n")
    write(tree, "benchmarks/limits.txt", "numpy<3\n")
    write(tree, "services/api/requirements.in", "\n-r ../../docs/shared.txt\n", at_end=True)
    write(tree, "requirements/dev.txt", "\n--constraint=../benchmarks/limits.txt\n", at_end=True)
    found = {(each.workflow, each.path) for each in findings(tree)}
    assert (SERVICE, "docs/shared.txt") in found
    assert {(workflow, "benchmarks/limits.txt") for workflow in (SERVICE, DATA, MODEL)} <= found


def test_a_model_that_reads_the_datas_code_is_found(tree: Path) -> None:
    write(tree, "model/src/housing.py", "\n\ndef late():\n    from data.src import housing\n", at_end=True)
    found = [each for each in findings(tree) if each.workflow == MODEL and each.path == "data/src/housing.py"]
    assert [each.chain[-2:] for each in found] == [("model/src/housing.py", "data/src/housing.py")]


def test_a_python_input_that_is_none_is_told(tree: Path) -> None:
    write(tree, "mlops/data_pipeline/steps.py", "\ndef broken(:\n", at_end=True)
    assert ("unreadable-input", DATA) in {(each.rule, each.workflow) for each in findings(tree)}


@pytest.mark.parametrize(("pattern", "rule"), [
    ("mlops/absent/**", "dead-pattern"), ("data/src/housing.py", "shadowed-pattern"), ("data/**", "shadowed-pattern"),
    ("/docs/**", "unportable-pattern"), ("docs/", "unportable-pattern"), ("doc?s/[A-z]*", "unportable-pattern"),
    ("docs**/guide", "unportable-pattern"), ("docs/**/", "unportable-pattern"), ("./docs/**", "unportable-pattern"),
    ("!docs/**", "shadowed-pattern"),
])
def test_a_pattern_that_does_nothing_is_found(tree: Path, pattern: str, rule: str) -> None:
    replace(tree, DATA, "    paths:\n      - data/**\n", f'    paths:\n      - data/**\n      - "{pattern}"\n')
    found = [each for each in findings(tree) if each.workflow == DATA]
    assert {each.rule for each in found} == {rule}
    assert {each.path for each in found} == {pattern}


def test_a_negation_that_undoes_is_found(tree: Path) -> None:
    replace(tree, DATA, "  workflow_call:", '      - "!**"\n  workflow_call:')
    rules = {each.rule for each in findings(tree) if each.workflow == DATA}
    assert {"undone-pattern", "input-outside", "own-file-outside"} <= rules


def test_a_list_of_negations_only_is_found(tree: Path) -> None:
    replace(tree, MAIN, '      - "**"\n', "")
    assert "negative-only" in {each.rule for each in findings(tree) if each.workflow == MAIN}


def test_a_file_that_starts_nothing_is_found(tree: Path) -> None:
    replace(tree, MAIN, '      - "!services/**"\n', '      - "!services/**"\n      - "!LICENSE"\n')
    assert [(each.rule, each.path) for each in findings(tree) if not each.workflow] == [("starts-nothing", "LICENSE")]


def test_a_workflow_that_does_not_start_itself_is_found(tree: Path) -> None:
    replace(tree, MODEL, f"      - {MODEL}\n", "")
    found = [(each.rule, each.path) for each in findings(tree) if each.workflow == MODEL]
    assert found == [("own-file-outside", MODEL)]


def test_the_command_says_no_and_sync_says_yes(tree: Path) -> None:
    an_import(tree)
    git(tree, "add", "-A")
    told = run(tree, "audit", "--format", "json")
    document = json.loads(told.stdout)
    assert told.returncode == 1 and document["schema"] == 1
    assert set(document["findings"][0]) == {"rule", "workflow", "path", "chain", "message"}
    shown = run(tree, "audit")
    assert shown.returncode == 1 and OUTSIDE in shown.stdout and "mlops/data_pipeline/steps.py" in shown.stdout
    assert run(tree, "sync", "--check").returncode == 1
    before = (tree / DATA).read_text()
    assert run(tree, "sync").returncode == 0
    assert run(tree, "sync", "--check").returncode == 0 and run(tree, "audit").returncode == 0
    assert [line for line in before.splitlines() if "#" in line] == [
        line for line in (tree / DATA).read_text().splitlines() if "#" in line
    ]
    assert run(tree / "absent", "audit").returncode == 2


def test_the_pipelines_start_each_other_in_a_line_and_never_in_a_ring(tree: Path) -> None:
    """Data starts the model's pipeline, a promoted model the services', a deploy's manifest main: there it ends."""
    workflows, files, sources = read_tree(tree), read(tree), Sources(tree)
    starts = {each.pipeline: {start.workflow for start in started(files, sources, workflows, each, EMISSIONS)}
              for each in workflows}
    assert (starts["data"], starts["model"], starts["service"], starts["main"]) == ({MODEL}, {SERVICE}, {MAIN}, set())
    assert not [each for each in findings(tree) if each.rule == "loop"]
    replace(tree, MAIN, "run: make lint", "run: gh workflow run model-pipeline.yml")
    loops = [each for each in findings(tree) if each.rule == "loop"]
    assert [each for each in loops[0].chain if each.startswith(".github/")] == [MAIN, MODEL, SERVICE, MAIN]
    assert "mlops handover model" in loops[0].message and "mlops deploy bump" in loops[0].message
