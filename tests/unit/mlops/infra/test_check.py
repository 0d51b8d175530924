"""Every check is red on a planted defect, with file and line, and green without it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from mlops import infra
from mlops.errors import ConfigurationError

Found = Callable[[], list[str]]
K = "infrastructure/kubernetes"
PRODUCTION = f"{K}/overlays/production/kustomization.yaml"
TF = "infrastructure/terraform/main.tf"


def test_nothing_is_found_in_a_sound_tree(found: Found) -> None:
    assert found() == []


# file, what is replaced (None: appended), by what, the finding
DEFECTS = [
    # yaml
    (f"{K}/base/api.yaml", "kind: Service\n", "kind: [Service\n", f"{K}/base/api.yaml:", "[yaml]"),
    ("argocd/staging.yaml", "spec:\n", "spec:\n  project: q\n",
     "argocd/staging.yaml:6: is not YAML: the key 'project'", ""),
    ("docs/x.yml", None, "a: \t- b\n", "docs/x.yml:1: is not YAML", ""),
    # kustomize
    (PRODUCTION, "../../base", "../../bass", f"{PRODUCTION}:2: '../../bass' is not there", ""),
    (PRODUCTION, "../../base", "../../../../..", f"{PRODUCTION}:2: '../../../../..' leads out", ""),
    (PRODUCTION, "../../base", "https://x.example/base", f"{PRODUCTION}:2: 'https://x.example/base' lies outside", ""),
    (PRODUCTION, "../../base", "../../../terraform", f"{PRODUCTION}:2: '../../../terraform' is a folder without", ""),
    (PRODUCTION, "- release.yaml", "- models=other.yaml", f"{PRODUCTION}:9: 'other.yaml' is not there", ""),
    (PRODUCTION, None, "patches:\n  - path: p.yaml\n", f"{PRODUCTION}:11: 'p.yaml' is not there", ""),
    (PRODUCTION, "a" * 64, "a" * 63, f"{PRODUCTION}:5: digest 'sha256:aaa", "is not sha256: and 64"),
    (PRODUCTION, "digest: sha256:" + "a" * 64, "newTag: latest", f"{PRODUCTION}:5: `latest` names no version", ""),
    (f"{K}/base/stray.yaml", None, "kind: X\n", f"{K}/base/stray.yaml: no kustomization names it", ""),
    (f"{K}/base/api.yaml", "kind: ServiceAccount", "kind: Service",
     f"{K}/base/api.yaml:6: Service 'api' stands also", ""),
    (f"{K}/base/api.yaml", "  name: api\n---", "  label: api\n---", f"{K}/base/api.yaml:3: this Service has no", ""),
    (f"{K}/overlays/testing/kustomization.yaml", None, "resources: []\n",
     f"{K}/overlays/testing: is no environment", ""),
    # argocd
    ("argocd/staging.yaml", "project: p", "project: q", "argocd/staging.yaml:5: there is no AppProject 'q'", ""),
    ("argocd/staging.yaml", "/staging", "/stage",
     "argocd/staging.yaml:8: infrastructure/kubernetes/overlays/stage has", ""),
    ("argocd/staging.yaml", "/staging", "/stage", "argocd: no Application deploys", "overlays/staging"),
    ("argocd/staging.yaml", "git.example", "evil.example", "argocd/staging.yaml:7: its project does not allow", "evil"),
    ("argocd/project.yaml", "'*'", "staging", "argocd/production.yaml:9: its project does not allow the namespace", ""),
    # terraform
    (TF, "type = string\n}", "type = string\n", f"{TF}:1: '{{' is not closed", ""),
    (TF, "type = string\n}", "type = string\n}}", f"{TF}:3: '}}' closes nothing", ""),
    (TF, "type = string\n}", "type = string\n)", f"{TF}:3: ')' closes nothing", ""),
    (TF, '${var.region}"', "${var.region}", f"{TF}:6: a string is not closed", ""),
    (TF, "${var.region}", "${var.religion}", f"{TF}:6: var.religion is declared nowhere", ""),
    (TF, "${var.region}", "", f"{TF}:1: the variable 'region' is used nowhere", ""),
    (TF, "aws_kms_key.a.arn", "aws_kms_key.b.arn", f"{TF}:10: aws_kms_key.b is declared nowhere", ""),
    # links
    ("README.md", "start.md", "begin.md", "README.md:3: 'docs/guide/begin.md#first-steps' leads to no file", ""),
    ("README.md", "#first-steps", "#last-steps", "README.md:3: docs/guide/start.md has no heading #last-steps", ""),
    ("README.md", "(#top)", "(#bottom)", "README.md:3: README.md has no heading #bottom", ""),
    ("docs/guide/start.md", "../picture.svg", "picture.svg",
     "docs/guide/start.md:5: 'picture.svg' leads to no file", ""),
    ("README.md", None, "\n[x]: ../outside.md\n", "README.md:5: '../outside.md' leads to no file", ""),
    ("README.md", None, '\n<img alt="x" src="no.png">\n', "README.md:5: 'no.png' leads to no file", ""),
    # size
    ("mlops/short.py", None, "x = 1\n", "mlops/short.py:400: has 401 lines", ""),
]


@pytest.mark.parametrize(("name", "old", "new", "begins", "holds"), DEFECTS, ids=lambda value: str(value)[:40])
def test_a_planted_defect_is_found(
    tree: Path, found: Found, name: str, old: str | None, new: str, begins: str, holds: str
) -> None:
    path = tree / name
    before = path.read_text() if path.exists() else ""
    if old is not None:
        assert old in before
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(before + new if old is None else before.replace(old, new, 1))
    lines = found()
    assert any(line.startswith(begins) and holds in line for line in lines), lines


def test_a_missing_overlay(tree: Path, found: Found) -> None:
    for path in (tree / K / "overlays" / "staging").iterdir():
        path.unlink()
    assert any(line.startswith(f"{K}/overlays/staging: is not there") for line in found())


def test_what_is_no_link_is_left_alone(tree: Path, found: Found) -> None:
    (tree / "README.md").write_text(
        "# Top\n\n```\n[a](none.md)\n```\n\n~~~ yaml\n[a](none.md)\n```\n~~~\n`[a](none.md)` "
        "[b](https://x.example/none.md) [c](mailto:a@b.c) [d](docs/) "
        "[e](</docs/guide/start.md>) [f](docs/guide/start.md 'title')\n"
    )
    assert found() == []


def test_anchors_as_github_makes_them(tree: Path, found: Found) -> None:
    (tree / "README.md").write_text(
        "# Über `code` & [links](docs/guide/start.md)!\n## Same\n## Same\n<a name=\"named\"></a>\n\n"
        "[a](#über-code--links) [b](#same-1) [c](#named) [d](#%C3%BCber-code--links)\n"
    )
    assert found() == []


def test_files_that_git_ignores_are_not_looked_at(tree: Path, found: Found) -> None:
    subprocess.run(["git", "init", "-q", tree], check=True)
    (tree / ".gitignore").write_text("ignored/\n")
    (tree / "ignored").mkdir()
    (tree / "ignored" / "x.yaml").write_text("a: [\n")
    (tree / "README.md").write_text("[to an ignored file](ignored/x.yaml)\n")
    assert found() == ["README.md:1: 'ignored/x.yaml' leads to no file of the tree [links]"]


def test_configurations_are_read_by_the_functions_given(tree: Path) -> None:
    folder = tree / "data" / "datasets"
    folder.mkdir(parents=True)
    for name in ("good", "bad", "worse"):
        (folder / f"{name}.yaml").write_text("a: 1\n")

    def load(repository: Path, name: str) -> None:
        if name == "bad":
            raise ConfigurationError("field 'x': is wrong", where=f"{repository}/data/datasets/bad.yaml:7")
        if name == "worse":
            raise ConfigurationError("is worse")

    assert [str(each) for each in infra.check(tree, {"data/datasets": load})] == [
        "data/datasets/bad.yaml:7: field 'x': is wrong [configuration]",
        "data/datasets/worse.yaml: is worse [configuration]",
    ]


def test_a_tree_with_nothing_in_it(tmp_path: Path) -> None:
    assert infra.check(tmp_path) == []
