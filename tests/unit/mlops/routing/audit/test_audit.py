"""The audit's parts on made-up trees: patterns, readers of files, chains, and lists written anew."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mlops.errors import ConfigurationError
from mlops.routing.audit.commands import Commands, simple_commands
from mlops.routing.audit.findings import audit, starts_nothing
from mlops.routing.audit.inputs import Pipeline, Seed, inputs
from mlops.routing.audit.makefiles import Makefile
from mlops.routing.audit.patterns import faults
from mlops.routing.audit.references import copied, copies, named, required, texts
from mlops.routing.audit.sync import computed, rewritten
from mlops.routing.audit.tree import Tree, read
from mlops.routing.router.workflows import parse
from mlops.sources import Sources

HERE = Path(".")
FILES = ("a/b/c.py", "a/x.py", "a/y.md", "d/e.py", "top.md")


def put(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def tree_of(*names: str, **more: object) -> Tree:
    return Tree(HERE, frozenset(names), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("patterns", "expected"), [
    (["a/**", "d/**"], {}),
    (["a/**", "a/b/**"], {"a/b/**": "shadowed-pattern"}),
    (["a/b/**", "a/**"], {"a/b/**": "shadowed-pattern"}),
    (["a/**", "a/**"], {"a/**": "shadowed-pattern"}),
    (["**.py", "a/**"], {}),  # neither holds all of the other
    (["a/b/**", "a/b/*.py"], {"a/b/*.py": "shadowed-pattern"}),
    (["a/b/*.py", "a/b/**"], {"a/b/*.py": "shadowed-pattern"}),
    (["d/*.py", "d/**.py"], {"d/*.py": "shadowed-pattern"}),
    (["d/e.py", "d/f.py"], {"d/f.py": "dead-pattern"}),
    (["**", "!a/**"], {}),
    (["**", "!a/**", "a/x.py"], {}),  # taken in, out and in again: each line counts
    (["**", "!a/x.py", "a/**"], {"!a/x.py": "shadowed-pattern"}),
    (["a/**", "!d/**"], {"!d/**": "shadowed-pattern"}),
    (["d/**", "a/**", "!d/**"], {"d/**": "undone-pattern"}),
    (["a/x.py", "a/y.md", "!a/*"], {"a/x.py": "undone-pattern", "a/y.md": "undone-pattern"}),
    (["!a/**"], {"!a/**": "negative-only"}),
    (["!a/**", "d/**"], {"!a/**": "unportable-pattern"}),
    (["/a/**"], {"/a/**": "unportable-pattern"}),
    (["a/"], {"a/": "unportable-pattern"}),
    (["a//x.py"], {"a//x.py": "unportable-pattern"}),
    ([" a/**"], {" a/**": "unportable-pattern"}),
    (["!!a/**", "**"], {"!!a/**": "unportable-pattern"}),
])
def test_what_is_wrong_with_a_list(patterns: list[str], expected: dict[str, str]) -> None:
    assert {each.pattern: each.rule for each in faults(patterns, FILES)} == expected


@pytest.mark.parametrize("pattern", [
    "foo**/bar", "a/**/", "+a", "?a", "a*?", "a??", "a++", "[A-z]", "[^a]", "[a_b]", "\\d",
])
def test_every_shape_that_readers_disagree_on_is_refused(pattern: str) -> None:
    assert [each.rule for each in faults(["a/x.py", pattern], FILES)] == ["unportable-pattern"]


def test_a_negation_means_nothing_in_paths_ignore() -> None:
    assert [each.rule for each in faults(["a/**", "!a/x.py"], FILES, ignore=True)] == ["unportable-pattern"]


def test_what_a_dockerfile_copies(tmp_path: Path) -> None:
    put(tmp_path, {"s/Dockerfile": (
        "FROM x AS one\nCOPY --from=one /a /b\n# COPY no /x\nCOPY a/x.py \\\n  a/b /to/\nADD https://e.org/f /f\n"
        'copy ["d", "/d"]\nCOPY <<EOF /inline\nEOF\nRUN --mount=type=bind,source=top.md,target=/t true\n'
    )})
    sources = copied(tmp_path / "s/Dockerfile")
    assert sources == ["a/x.py", "a/b", "d", "top.md"]
    assert list(copies(tree_of(*FILES, "s/Dockerfile"), "s/Dockerfile", sources)) == [
        "a/x.py", "a/b/c.py", "d/e.py", "top.md"
    ]


def test_an_images_own_folder_is_its_context_where_the_top_has_no_such_file() -> None:
    tree = tree_of("s/Dockerfile", "s/app/m.py", "s/.dockerignore", "other.py")
    assert list(copies(tree, "s/Dockerfile", ["app"])) == ["s/app/m.py", "s/.dockerignore"]
    assert "other.py" not in list(copies(tree, "s/Dockerfile", ["."]))
    assert "other.py" in list(copies(tree_of("s/Dockerfile", "other.py"), "s/Dockerfile", ["."]))


def test_what_requirements_include(tmp_path: Path) -> None:
    text = "a==1\n-r b.txt\n-c ../c.txt  # limits\n--requirement=d.txt\n-e ./p[x]\n-r https://e.org/x\n"
    put(tmp_path, {"r.txt": text})
    assert required(tmp_path / "r.txt") == ["b.txt", "../c.txt", "d.txt", "./p[x]"]


def test_what_a_configuration_names(tmp_path: Path) -> None:
    put(tmp_path, {"k/base/kustomization.yaml": "", "k/over/kustomization.yaml":
                   "resources: [../base, one.yaml]\ntext: a sentence with a/x.py\nlike: {deep: ['a.x:run', a/y.md]}\n"})
    tree = tree_of(*FILES, "k/base/kustomization.yaml", "k/over/one.yaml", "k/over/kustomization.yaml")
    words = texts(tmp_path / "k/over/kustomization.yaml")["texts"]
    assert set(named(tree, "k/over/kustomization.yaml", words)) == {
        "k/base/kustomization.yaml", "k/over/one.yaml", "a/x.py", "a/y.md"
    }


def test_links_and_submodules_are_changes_to_other_paths() -> None:
    tree = tree_of(
        "link", "real/one.py", "real/two.py", "loop", "out", "sub", ".gitmodules",
        links={"link": "real", "loop": "loop", "out": "/etc"}, submodules=frozenset({"sub"}),
    )
    assert tree.resolve("link/one.py") == ["link", "real/one.py"]
    assert tree.resolve("link") == ["link", "real/one.py", "real/two.py"]
    assert tree.resolve("sub/inner/file") == ["sub", ".gitmodules"]
    assert set(tree.resolve("loop/x")) == {"loop"} and tree.resolve("out/passwd") == ["out"]
    assert tree.resolve("../outside") == tree.resolve("absent") == tree.resolve("") == []


def test_a_shell_is_read_as_commands() -> None:
    assert simple_commands("cd x && python 'a b' y.py; sh -c 'cat z' # c\n") == [
        ["cat", "z"], ["cd", "x"], ["python", "y.py"], ["sh", "-c"],
    ]
    read_ = Commands(tree_of("x/y.py", "x/conftest.py", "pyproject.toml", "t.sh", "n.py"), {"own do": ("n.py",)})

    def paths(script: str) -> set[str]:
        return {each.path for each in read_.read(script)}

    assert paths("cd x && python y.py") == {"x/y.py"}
    assert paths("VAR=1 exec ./t.sh --flag=x/y.py") == {"t.sh", "x/y.py"}
    assert paths("pytest x/y.py::test_one -q") == {"x/y.py", "x/conftest.py", "pyproject.toml"}
    assert paths(".venv/bin/own do it") == {"n.py"} and paths("own other") == set()
    assert paths("python -m x.y") == {"x/y.py"} and paths("python -m compileall x") == set()
    assert paths("echo x/y.py") == set() and paths("# python x/y.py") == set()
    assert paths("cat < t.sh | sort") == {"t.sh"}
    assert not [each for each in read_.read("flake8 x") if each.whole]


def test_the_name_of_an_option_is_no_path() -> None:
    commands = Commands(tree_of("x/y.py", "n.py"), {})
    assert [each.path for each in commands.read('tool --x "$VALUE" --n.py')] == []
    assert [each.path for each in commands.read("tool --x=n.py -Ix")] == ["n.py", "x/y.py"]


def test_a_makefile_is_read_by_target() -> None:
    text = (
        "A := x/y.py\nREADY := done\ndefault: one\n$(READY): $(A)\n\ttouch done\none: $(READY) ## help\n\t@sh t.sh\n"
        "other:\n\tpython n.py\n"
    )
    commands = Commands(tree_of("Makefile", "x/y.py", "t.sh", "n.py"), {})
    made = Makefile(text)
    assert made.goal == "default"
    assert {(each.path, each.part) for each in made.reads(commands, "Makefile", "one")} == {
        ("Makefile", ""), ("Makefile", "done"), ("t.sh", "")
    }
    assert "x/y.py" in {each.path for each in made.reads(commands, "Makefile", "done")}
    assert "n.py" not in {each.path for target in made.needs if target != "other"
                          for each in made.reads(commands, "Makefile", target)}


WORKFLOW = "on:\n  push:\n    paths:\n      - pkg/a.py\n      - .github/workflows/w.yml\njobs: {}\n"


def test_chains_are_the_shortest_and_of_dispatchers_only_what_is_reached_counts(tmp_path: Path) -> None:
    put(tmp_path, {
        ".github/workflows/w.yml": WORKFLOW, "pkg/__init__.py": "", "pkg/a.py": "from pkg import table\ntable.go()\n",
        "pkg/table.py": "from pkg import near, far\nT = [near.one]\ndef go():\n    return T, inner()\n"
                        "def inner():\n    from pkg import late\ndef apart():\n    from pkg import never\n",
        "pkg/near.py": "def one():\n    from pkg import used\ndef two():\n    from pkg import never\n",
        "pkg/far.py": "", "pkg/late.py": "from pkg import used\n", "pkg/used.py": "", "pkg/never.py": "",
    })
    pipeline = Pipeline(
        ".github/workflows/w.yml", (Seed("pkg/a.py"),), dispatchers=frozenset({"pkg/table.py", "pkg/near.py"})
    )
    chains = inputs(read(tmp_path), Sources(tmp_path), pipeline).chains
    assert "pkg/never.py" not in chains and {"pkg/far.py", "pkg/late.py", "pkg/__init__.py"} <= set(chains)
    assert chains["pkg/used.py"] in {
        (".github/workflows/w.yml", "pkg/a.py", "pkg/table.py", each, "pkg/used.py") for each in
        ("pkg/near.py", "pkg/late.py")
    }


def test_any_repository_can_be_asked_with_git_or_without(tmp_path: Path) -> None:
    put(tmp_path, {".github/workflows/w.yml": WORKFLOW.replace(
        "jobs: {}", "jobs: {a: {runs-on: x, steps: [{run: python pkg/a.py}]}}"
    ), "pkg/a.py": "import b\n", "pkg/b.py": "", "README": ""})
    expected = {("input-outside", "pkg/b.py"), ("starts-nothing", "README"), ("starts-nothing", "pkg/b.py")}
    assert {(each.rule, each.path) for each in audit(tmp_path)} == expected
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    subprocess.run(["git", "add", "-A"], cwd=tmp_path, check=True)
    assert {(each.rule, each.path) for each in audit(tmp_path)} == expected


def test_a_broken_workflow_is_a_finding(tmp_path: Path) -> None:
    put(tmp_path, {".github/workflows/w.yml": "on: [\n"})
    assert [each.rule for each in audit(tmp_path)] == ["broken-workflow"]


def test_only_pushes_to_branches_start_something() -> None:
    tags = parse("t.yml", "on: {push: {tags: ['v*']}}\njobs: {}")
    requests = parse("r.yml", "on: pull_request\njobs: {}")
    some = parse("s.yml", "on: {push: {paths: [a]}}\njobs: {}")
    assert [each.path for each in starts_nothing([tags, requests, some], ["a", "b"])] == ["b"]
    assert list(starts_nothing([requests], ["a"])) == []


def test_a_list_is_folders_where_whole_folders_are_inputs() -> None:
    tree = tree_of(*FILES, "w/.github/setup/action.yml", "odd[1]/f.py", "own/new.py")
    pipeline = Pipeline("w.yml", own=("own",))
    found = ["a/b/c.py", "a/x.py", "a/y.md", "top.md", "w/.github/setup/action.yml", "odd[1]/f.py", "own/x"]
    assert computed(pipeline, found, tree.folders) == [
        "own/**", "a/**", "odd\\[1\\]/**", "top.md", "w/.github/setup/**"
    ]
    assert computed(pipeline, ["a/x.py", "a/b/c.py"], tree.folders) == ["own/**", "a/b/**", "a/x.py"]
    fallback = Pipeline("m.yml", leaves=("own", "a"), fallback=True)
    assert computed(fallback, [], tree.folders) == ["**", "!own/**", "!a/**"]


LISTED = """on:
  push:
    # why these
    paths:  # all of them
      - a/**   # the room
      # a note on d
      - d/**
      - "keep/this"  # keep: read by a tool that no file names

      - "!z"
  workflow_call:
"""


def test_a_list_is_rewritten_and_everything_around_it_stays() -> None:
    assert rewritten(LISTED, "push", ["a/**", "a/new.py", "**/x"], where="w") == """on:
  push:
    # why these
    paths:  # all of them
      - a/**   # the room
      - a/new.py
      # a note on d
      - "keep/this"  # keep: read by a tool that no file names

      - "**/x"
  workflow_call:
"""
    crlf = LISTED.replace("\n", "\r\n")
    assert rewritten(crlf, "push", ["a/**", "d/**", "b"], where="w").count("\r\n") == LISTED.count("\n")


@pytest.mark.parametrize(("before", "after"), [
    ("on: {push: {paths: [a, 'b/**']}}\n", 'on: {push: {paths: [a, "1.0", "**"]}}\n'),
    ("on:\n  push:\n    paths: a\n", 'on:\n  push:\n    paths: [a, "1.0", "**"]\n'),
    ("on:\n  push:\n    paths:\n    - a", 'on:\n  push:\n    paths:\n    - a\n    - "1.0"\n    - "**"\n'),
    ("on:\n  push:\n    paths:\n    - old\n", 'on:\n  push:\n    paths:\n    - a\n    - "1.0"\n    - "**"\n'),
])
def test_every_way_to_write_a_list_is_known(before: str, after: str) -> None:
    wanted = ["a", "1.0", "**"]
    written = rewritten(before, "push", wanted, where="w")
    assert written == after
    assert set(parse("w", written + "jobs: {}").on["push"].paths or ()) == set(wanted)
    assert rewritten(written, "push", wanted, where="w") == written


@pytest.mark.parametrize("text", [
    "x: &p [a]\non: {push: {paths: *p}}\n", "on:\n  push:\n    paths: &p\n      - a\n",
    "on:\n  push:\n    paths:\n      - a\n      - >-\n        b\n        c\n",
])
def test_a_list_that_cannot_be_changed_in_place_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be rewritten"):
        rewritten(text, "push", ["z"], where="w")
