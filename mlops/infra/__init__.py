"""Checks of the tree's own files: manifests, Terraform, Argo CD, documents, generated references, sizes.

`check(repository)` runs them all; `mlops tree check` and the main pipeline are its two callers. Each
check is a function from the tree's files to findings, and reads nothing but files.
"""

from mlops.infra.check import check
from mlops.infra.findings import Finding
from mlops.infra.tree import Tree

__all__ = ["Finding", "Tree", "check"]
