"""A small tree in which every check is content; a test plants one defect in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mlops import infra

FILES = {
    "README.md": "# Top\n\n[guide](docs/guide/start.md#first-steps), [self](#top)\n",
    "docs/guide/start.md": "# Start\n\n## First steps\n\n[back](../../README.md) ![picture](../picture.svg)\n",
    "docs/picture.svg": "<svg/>\n",
    "infrastructure/kubernetes/base/kustomization.yaml": "resources:\n  - api.yaml\n",
    "infrastructure/kubernetes/base/api.yaml":
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: api\n---\n"
        "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: api\n",
    "argocd/project.yaml":
        "kind: AppProject\nmetadata:\n  name: p\nspec:\n  sourceRepos: [https://git.example/m.git]\n"
        "  destinations:\n    - {server: https://kubernetes.default.svc, namespace: '*'}\n",
    "infrastructure/terraform/main.tf":
        'variable "region" {\n  type = string\n}\n\n'
        'resource "aws_kms_key" "a" {\n  description = "in ${var.region}"\n}\n\n'
        'output "key" {\n  value = aws_kms_key.a.arn # "not a string\n}\n',
    "mlops/short.py": "x = 1\n" * 400,
}
OVERLAY = (
    "resources:\n  - ../../base\nimages:\n  - name: api\n    digest: sha256:" + "a" * 64 + "\n"
    "configMapGenerator:\n  - name: release\n    files:\n      - release.yaml\n"
)
APPLICATION = """kind: Application
metadata:
  name: app-{0}
spec:
  project: p
  source:
    repoURL: https://git.example/m.git
    path: infrastructure/kubernetes/overlays/{0}
  destination: {{server: https://kubernetes.default.svc, namespace: {0}}}
"""
for environment in ("development", "staging", "production"):
    FILES[f"infrastructure/kubernetes/overlays/{environment}/kustomization.yaml"] = OVERLAY
    FILES[f"infrastructure/kubernetes/overlays/{environment}/release.yaml"] = "images: {}\nmodels: {}\n"
    FILES[f"argocd/{environment}.yaml"] = APPLICATION.format(environment)

Found = Callable[[], list[str]]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "tree"


@pytest.fixture
def found(tree: Path) -> Found:
    """The findings on the tree as lines."""
    return lambda: [str(finding) for finding in infra.check(tree)]
