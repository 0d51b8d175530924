"""Every way in which a pipeline comes to depend on a file, on a small tree: the audit names it. And what is no way."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops.routing.audit.findings import audit

FOLDER = ".github/workflows"
RUN = "python app/start.py"
HEAD = "on:\n  push:\n    paths: [.github/**, app/**, Makefile, scripts/**, docker/**, k8s/**]\n"
REST = "  pull_request:\n"
OTHER = "on: {push: {paths: ['far/**', 'more/**', '*.toml', '*.yaml', 'setup.cfg', 'conftest.py']}}\njobs: {}\n"


def workflow(*runs: str, more: str = "", top: str = "", job: str = "") -> str:
    steps = "".join(f"      - run: {run}\n" for run in runs)
    return f"{HEAD}{REST}{top}jobs:\n  a:\n    runs-on: ubuntu-latest\n{job}    steps:\n{steps}{more}"


GLOB = workflow(RUN).replace("app/**", "app/*.py")  # the package's modules, and none of its other files
TREE = {
    f"{FOLDER}/w.yml": workflow(RUN), f"{FOLDER}/other.yml": OTHER, "app/__init__.py": "", "app/start.py": "",
    "far/__init__.py": "", "far/target.py": "def go(): pass\n", "far/target.txt": "x", "far/target.sh": "true\n",
    "Makefile": "all:\n\ttrue\n", "scripts/go.sh": "#!/bin/sh\ntrue\n",
}

PY, TXT, SH = "far/target.py", "far/target.txt", "far/target.sh"


def code(text: str, **files: str) -> dict[str, str]:
    return {"app/start.py": text + "\n", **files}


def shell(text: str) -> dict[str, str]:
    return {f"{FOLDER}/w.yml": workflow("scripts/go.sh"), "scripts/go.sh": f"#!/bin/sh\n{text}\n"}


def runs(*commands: str, **more: str) -> dict[str, str]:
    return {f"{FOLDER}/w.yml": workflow(*commands, **more)}


def image(text: str) -> dict[str, str]:
    return {
        f"{FOLDER}/w.yml": workflow("docker build -f docker/Dockerfile ."), "docker/Dockerfile": f"FROM x\n{text}\n",
    }


def manifest(text: str) -> dict[str, str]:
    return {f"{FOLDER}/w.yml": workflow("kubectl apply -k k8s"), "k8s/kustomization.yaml": text}


HOLES: dict[str, tuple[dict[str, str], str]] = {
    # Python
    "an import": (code("import far.target"), PY),
    "an import from": (code("from far import target"), PY),
    "a star": (code("from far.target import *"), PY),
    "an import under another name": (code("import far.target as x"), PY),
    "a late import": (code("def f():\n    from far.target import go"), PY),
    "an import in an async method": (code("class A:\n    async def f(self):\n        import far.target"), PY),
    "an import in except": (code("try:\n    import json\nexcept ImportError:\n    import far.target"), PY),
    "an import in else of a type check": (
        code("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    pass\nelse:\n    import far.target"), PY),
    "a relative import": (code("from .deep import x", **{
        "app/deep/__init__.py": "from ...far import target"}) | {"app/start.py": "from app.deep import x\n"}, PY),
    "a relative import of a sibling": (code("from app import one", **{"app/one.py": "from .two import x\n",
                                                                      "app/two.py": "import far.target\n"}), PY),
    "import_module": (code("import importlib\nimportlib.import_module('far.target')"), PY),
    "import_module, relative": (
        code("from importlib import import_module\nimport_module('.target', package='far')"), PY),
    "__import__": (code("__import__('far.target')"), PY),
    "find_spec": (code("import importlib.util\nimportlib.util.find_spec('far.target')"), PY),
    "run_module": (code("import runpy\nrunpy.run_module('far.target')"), PY),
    "run_path": (code("import runpy\nrunpy.run_path('far/target.py')"), PY),
    "python -m in a list": (code("import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'far.target'])"), PY),
    "a script in a list": (code("import subprocess\nsubprocess.run(['bash', 'far/target.sh'], check=True)"), SH),
    "a script in one string": (code("import os\nos.system('sh far/target.sh now')"), SH),
    "a file beside": (code("from pathlib import Path\nX = Path(__file__).parent / '..' / 'far' / 'target.txt'"), TXT),
    "a file beside, by parents": (
        code("from pathlib import Path\nX = Path(__file__).parents[1] / 'far/target.txt'"), TXT),
    "a file beside, by a constant": (
        code("from pathlib import Path\nHERE = Path(__file__).resolve().parent\n"
             "def f():\n    return HERE.parent / 'far/target.txt'"),
        TXT),
    "a file beside, by os.path": (
        code("import os\nX = os.path.join(os.path.dirname(__file__), '..', 'far', 'target.txt')"), TXT),
    "a file beside, with_name": (code("from pathlib import Path\nX = Path(__file__).with_name('one.py')",
                                      **{"app/one.py": "import far.target\n"}), PY),
    "another suffix": (code("from pathlib import Path\nX = Path(__file__).with_suffix('.txt')",
                            **{"app/start.txt": "x"}) | {f"{FOLDER}/w.yml": GLOB},
                       "app/start.txt"),
    "a package's file": (code("from importlib.resources import files\nX = files('far') / 'target.txt'"), TXT),
    "a package's file, joined": (
        code("from importlib import resources\nX = resources.files('far').joinpath('target.txt')"), TXT),
    "get_data": (code("import pkgutil\nX = pkgutil.get_data('far', 'target.txt')"), TXT),
    "a package's data": (code("import app.deep", **{"app/deep/__init__.py": "", "app/deep/x.txt": "x"}) | {
        f"{FOLDER}/w.yml": workflow(RUN).replace("app/**", "app/**.py")}, "app/deep/x.txt"),
    "a name that loads late": (code("from far import late", **{"far/__init__.py": (
        "_LAZY = {'late': 'far.target'}\ndef __getattr__(name):\n    import importlib\n"
        "    return getattr(importlib.import_module(_LAZY[name]), name)\n")}), PY),
    "a package that does not say what it loads": (code("from far import late", **{"far/__init__.py": (
        "def __getattr__(name):\n    import importlib\n    return importlib.import_module(f'far.{name}')\n")}), PY),
    "a namespace package": (code("import more.deep.x", **{"more/deep/x.py": ""}), "more/deep/x.py"),
    "a module below src": (code("import lib", **{"src/lib.py": "import far.target\n"}), PY),
    # tests
    "a test's conftest": (runs("pytest far/test_x.py") | {"far/test_x.py": "", "conftest.py": ""}, "conftest.py"),
    "a test's plugin": (runs("pytest app") | {"app/conftest.py": "pytest_plugins = ['far.target']\n"}, PY),
    "a test's data": (runs("pytest app") | {"app/test_x.py": (
        "from pathlib import Path\nDATA = Path(__file__).parent.parent / 'far'\n"
        "def test(): (DATA / 'target.txt').read_text()\n"
    )}, TXT),
    "what configures the tests": (runs("pytest app") | {"setup.cfg": "[tool:pytest]\n"}, "setup.cfg"),
    # commands
    "python -m": (runs("python -m far.target"), PY),
    "python -c": (runs("python -c 'import far.target; far.target.go()'"), PY),
    "a script of Python": (runs("python3.12 -X dev far/target.py"), PY),
    "an entry point": (runs("tool --x") | {
        "pyproject.toml": "[project]\nname='x'\n[project.scripts]\ntool = 'far.target:go'\n"},
                       PY),
    "an installed project": (runs("pip install .") | {"pyproject.toml": "[project]\nname='x'\n"}, "pyproject.toml"),
    "a command's own configuration": (runs("pre-commit run --all-files") | {".pre-commit-config.yaml": "repos: []\n"},
                                      ".pre-commit-config.yaml"),
    "a hook's command": (runs("pre-commit run") | {
        ".pre-commit-config.yaml": "repos: [{repo: local, hooks: [{id: x, entry: python far/target.py}]}]\n"}, PY),
    "a wrapper": (runs("uv run python far/target.py"), PY),
    "a variable before": (runs("A=1 B=2 far/target.sh"), SH),
    "a substitution": (runs("'echo \"$(cat far/target.txt)\"'"), TXT),
    "a redirection": (runs("cat < far/target.txt"), TXT),
    "a pipe": (runs("true | sh far/target.sh"), SH),
    "an option's value": (runs("tool --config=far/target.txt"), TXT),
    "a file behind @": (runs("curl -d @far/target.txt https://localhost"), TXT),
    "a pattern of the shell": (runs("'for x in far/*.sh; do sh \"$x\"; done'"), SH),
    "the workspace": (runs('\'sh "$GITHUB_WORKSPACE/far/target.sh"\''), SH),
    "the workspace, as an expression": (runs("sh ${{ github.workspace }}/far/target.sh"), SH),
    "an env file": (runs("docker run --env-file far/target.txt x"), TXT),
    "a compose file": (runs("docker compose up -d") | {"compose.yaml": "services: {a: {image: x}}\n"}, "compose.yaml"),
    "an env file of compose": (runs("docker compose up") | {
        "compose.yaml": "services: {a: {image: x, env_file: [far/target.txt], command: sh far/target.sh}}\n"}, TXT),
    "a command of compose": (runs("docker compose up") | {
        "compose.yaml": "services: {a: {image: x, command: sh far/target.sh}}\n"}, SH),
    "cd": (runs("cd far && sh target.sh"), SH), "pushd": (runs("pushd far && sh target.sh"), SH),
    "a folder of terraform": (runs("terraform -chdir=far plan") | {"far/main.tf": ""}, "far/main.tf"),
    "a module of terraform": (runs("terraform -chdir=far plan") | {
        "far/main.tf": 'module "x" {\n  source = "../more/x"\n}\n', "more/x/main.tf": ""}, "more/x/main.tf"),
    # scripts and make
    "a sourced file": (shell(". far/target.sh"), SH),
    "a sourced file beside": (shell('. "$(dirname "$0")/../far/target.sh"'), SH),
    "a sourced file, by a variable": (shell('here=$(cd "$(dirname "$0")" && pwd)\n. "$here/../far/target.sh"'), SH),
    "a sourced file, by BASH_SOURCE": (shell('source "$(dirname "${BASH_SOURCE[0]}")/../far/target.sh"'), SH),
    "a quotation over lines": (shell("python - \"a\nb\" far/target.txt"), TXT),
    "a continued line": (shell("cat \\\n  far/target.txt"), TXT),
    "a target": (runs("make go") | {"Makefile": "go:\n\tsh far/target.sh\n"}, SH),
    "a need": (runs("make go") | {"Makefile": "go: far/target.txt\n"}, TXT),
    "a need's recipe": (runs("make go") | {"Makefile": "go: one\none: two\ntwo:\n\t@-sh far/target.sh\n"}, SH),
    "make in make": (runs("make go") | {
        "Makefile": "go:\n\t$(MAKE) -C far x\n", "far/Makefile": "x:\n\tsh target.sh\n"}, SH),
    "an included makefile": (runs("make go") | {
        "Makefile": "include far/more.mk\n", "far/more.mk": "go:\n\tsh far/target.sh\n"}, SH),
    "a variable of make": (runs("make go") | {"Makefile": "S := far/target.sh\ngo:\n\tsh $(S)\n"}, SH),
    "the first target": (runs("make") | {"Makefile": "go:\n\tsh far/target.sh\n"}, SH),
    # workflows and actions
    "a working directory": (runs() | {f"{FOLDER}/w.yml": workflow(
        more="      - run: sh target.sh\n        working-directory: ./far/\n")}, SH),
    "a job's working directory": (runs("sh target.sh", job="    defaults: {run: {working-directory: far}}\n"), SH),
    "a workflow's working directory": (runs("sh target.sh", top="defaults: {run: {working-directory: far}}\n"), SH),
    "a step's environment": (runs() | {f"{FOLDER}/w.yml": workflow(
        more="      - run: tool\n        env: {CONFIG: far/target.txt}\n")}, TXT),
    "a job's environment": (runs("tool", job="    env: {CONFIG: far/target.txt}\n"), TXT),
    "a workflow's environment": (runs("tool", top="env: {CONFIG: far/target.txt}\n"), TXT),
    "a matrix": (runs("python ${{ matrix.script }}", job="    strategy: {matrix: {script: [far/target.py]}}\n"), PY),
    "what an action is given": (runs() | {f"{FOLDER}/w.yml": workflow(
        more="      - uses: o/a@v1\n        with: {file: far/target.txt}\n")}, TXT),
    "hashFiles": (runs() | {f"{FOLDER}/w.yml": workflow(
        more="      - uses: o/a@v1\n        with: {key: \"${{ hashFiles('far/*.txt') }}\"}\n")}, TXT),
    "a called workflow": (runs() | {
        f"{FOLDER}/w.yml": f"{HEAD}jobs: {{a: {{uses: ./{FOLDER}/x.yml}}}}\n",
        f"{FOLDER}/x.yml": "on: workflow_call\n" + workflow("sh far/target.sh").partition(REST)[2]}, SH),
    "a workflow called by a called one": (runs() | {
        f"{FOLDER}/w.yml": f"{HEAD}jobs: {{a: {{uses: ./{FOLDER}/x.yml}}}}\n",
        f"{FOLDER}/x.yml": f"on: workflow_call\njobs: {{a: {{uses: ./{FOLDER}/y.yml}}}}\n",
        f"{FOLDER}/y.yml": "on: workflow_call\n" + workflow("sh far/target.sh").partition(REST)[2]}, SH),
    "what a called workflow is given": ({
        f"{FOLDER}/w.yml": f"{HEAD}jobs: {{a: {{uses: ./{FOLDER}/x.yml, with: {{config: far/target.txt}}}}}}\n",
        f"{FOLDER}/x.yml": "on: {workflow_call: {inputs: {config: {type: string}}}}\njobs: {}\n"}, TXT),
    "an action of the tree": (runs() | {
        f"{FOLDER}/w.yml": workflow(more="      - uses: ./.github/actions/x\n"),
        ".github/actions/x/action.yml": "runs: {using: composite, steps: [{run: sh far/target.sh}]}\n"}, SH),
    "an action of another folder": (runs() | {
        f"{FOLDER}/w.yml": workflow(more="      - uses: ./more/x\n"),
        "more/x/action.yaml": "runs: {using: composite, steps: []}\n",
        "more/x/help.txt": ""}, "more/x/help.txt"),
    "an action's image": (runs() | {
        f"{FOLDER}/w.yml": workflow(more="      - uses: ./.github/actions/x\n"),
        ".github/actions/x/action.yml": "runs: {using: docker, image: ../../../far/Dockerfile}\n",
        "far/Dockerfile": "FROM x\n"},
        "far/Dockerfile"),
    # images
    "COPY": (image("COPY far/target.txt /x"), TXT), "COPY of a folder": (image("COPY far /x"), TXT),
    "COPY of a pattern": (image("COPY far/*.tx? /x"), TXT),
    "COPY as a list": (image('COPY ["far/target.txt", "/x"]'), TXT),
    "COPY over lines": (image("COPY a \\\n  # why\n  far/target.txt \\\n  /x"), TXT),
    "COPY with options": (image("COPY --chown=1:1 --link far/target.txt /x"), TXT),
    "COPY in a first stage": (image("AS one\nCOPY far/target.txt /x\nFROM y\nCOPY --from=one /x /x"), TXT),
    "COPY of an argument": (image("ARG WHERE=far\nCOPY ${WHERE}/target.txt /x"), TXT),
    "COPY of everything": (image("COPY . /x"), TXT), "ADD": (image("ADD far/target.txt /x"), TXT),
    "ONBUILD": (image("ONBUILD COPY far/target.txt /x"), TXT),
    "a mount": (image("RUN --mount=type=bind,source=far/target.txt,target=/x true"), TXT),
    # configurations and manifests
    "a resource": (manifest("resources: [../far/more.yaml]\n") | {"far/more.yaml": ""}, "far/more.yaml"),
    "a base": (manifest("resources: [../far]\n") | {
        "far/kustomization.yaml": "resources: [deep.yaml]\n", "far/deep.yaml": ""},
               "far/deep.yaml"),
    "a generator": (manifest("configMapGenerator: [{name: x, files: [key=../far/target.txt]}]\n"), TXT),
    "a patch": (manifest("patches: [{path: ../far/target.txt}]\n"), TXT),
    "module:callable": (runs("tool k8s/x.yaml") | {"k8s/x.yaml": "run: far.target:go\n"}, PY),
    "a path in JSON": (runs("tool k8s/x.json") | {"k8s/x.json": '{"a": [{"b": "far/target.txt"}]}'}, TXT),
    "a path in TOML": (runs("tool k8s/x.toml") | {"k8s/x.toml": "[a]\nb = ['far/target.txt']\n"}, TXT),
    "a path as a key": (runs("tool k8s/x.yaml") | {"k8s/x.yaml": "files: {far/target.txt: yes}\n"}, TXT),
    "a command in a configuration": (runs("tool k8s/x.yaml") | {
        "k8s/x.yaml": "stages: {a: {cmd: python far/target.py --x}}\n"}, PY),
    # requirements
    "-r": (runs("pip install -r k8s/requirements.txt") | {
        "k8s/requirements.txt": "-r ../far/more.txt\n", "far/more.txt": ""}, "far/more.txt"),
    "a chain of -r and -c": (runs("pip install -rk8s/requirements.txt") | {
        "k8s/requirements.txt": "-r requirements.in\n",
        "k8s/requirements.in": "--constraint ../far/target.txt\n"}, TXT),
    "-e": (runs("pip install -r k8s/requirements.txt") | {
        "k8s/requirements.txt": "-e ../far[x]\n", "far/pyproject.toml": ""},
           "far/pyproject.toml"),
}


def lay(folder: Path, files: dict[str, str]) -> Path:
    for name, text in (TREE | files).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize("name", HOLES)
def test_a_hole_is_found(tmp_path: Path, name: str) -> None:
    files, path = HOLES[name]
    found = [each for each in audit(lay(tmp_path, files)) if each.workflow == f"{FOLDER}/w.yml" and each.path == path]
    assert [each.rule for each in found] == ["input-outside"]
    assert found[0].chain[0] == f"{FOLDER}/w.yml" and found[0].chain[-1] == path


@pytest.mark.parametrize("kind", ["file", "folder", "chain", "package"])
def test_what_a_link_leads_to_is_found(tmp_path: Path, kind: str) -> None:
    lay(tmp_path, runs("sh app/linked.sh") if kind in ("file", "chain") else runs("sh app/linked/target.sh"))
    if kind == "file":
        (tmp_path / "app/linked.sh").symlink_to("../far/target.sh")
    elif kind == "chain":
        (tmp_path / "app/linked.sh").symlink_to("again.sh")
        (tmp_path / "app/again.sh").symlink_to("../far/target.sh")
    elif kind == "folder":
        (tmp_path / "app/linked").symlink_to("../far")
    else:
        (tmp_path / "app/linked").symlink_to("../far")
        lay(tmp_path, code("from app.linked import target"))
    found = {each.path for each in audit(tmp_path) if each.rule == "input-outside"}
    assert (PY if kind == "package" else SH) in found


CLEAN: dict[str, dict[str, str]] = {
    "nothing": {},
    "an import for type checkers": code("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import far.target"),
    "a comment": code("# import far.target, far/target.txt"),
    "a sentence": code('"""See far/target.txt and far.target."""\nX = "far/target.txt is not read here"'),
    "a module of the standard library": code("import json, email.message", **{"far/json.py": ""}),
    "a relative import of a namesake": code("from app import target", **{"app/target.py": ""}),
    "a method called run": code("class A:\n    def run(self, what): ...\nA().run('far')\nA().run('far target')"),
    "a folder around the file": code("from pathlib import Path\nTOP = Path(__file__).resolve().parents[1]\nprint(TOP)"),
    "a link to a page": runs("tool https://example.org/far/target.txt"),
    "echo": runs("echo far/target.txt"), "a comment of the shell": runs("true # far/target.txt"),
    "the name of an option": runs("tool --far x"), "a variable": runs('tool "$FAR"'),
    "a target that is not made": {"Makefile": "all:\n\ttrue\nother:\n\tsh far/target.sh\n", **runs("make all")},
    "a comment of a makefile": {"Makefile": "all:\n\ttrue # sh far/target.sh\n", **runs("make")},
    "a stage": image("AS one\nFROM y\nCOPY --from=one /far/target.txt /x"),
    "a comment of a Dockerfile": image("# COPY far/target.txt /x"),
    "an address": image("ADD https://x.org/far/target.txt /"),
    "a heredoc": image("COPY <<far/target.txt /x\nfar/target.txt"),
    "a sentence in a configuration": runs("tool k8s/x.yaml") | {"k8s/x.yaml": "note: it once was far/target.txt\n"},
    "a comment in a configuration": runs("tool k8s/x.yaml") | {"k8s/x.yaml": "a: b # far/target.txt\n"},
    "a comment in requirements": runs("pip install -r k8s/requirements.txt") | {
        "k8s/requirements.txt": "# -r ../far/target.txt\nfar==1\n"},
    "a workflow that is not called": {
        f"{FOLDER}/x.yml": "on: workflow_call\n" + workflow("sh far/target.sh").partition(REST)[2]},
    "an action that is not used": {
        ".github/actions/x/action.yml": "runs: {using: composite, steps: [{run: sh far/target.sh}]}\n"},
    "an action of another repository": runs() | {f"{FOLDER}/w.yml": workflow(more="      - uses: far/target.sh@v1\n")},
    "a file that git would not see": {".gitignore": "far/\n"},
}


@pytest.mark.parametrize("name", CLEAN)
def test_what_is_no_dependency_is_not_told(tmp_path: Path, name: str) -> None:
    found = [each for each in audit(lay(tmp_path, CLEAN[name])) if each.path.startswith("far/") and each.workflow]
    assert found == []
