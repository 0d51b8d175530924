"""A finding: what is wrong, and in which line of which file."""

from __future__ import annotations

from mlops.records.base import Record


class Finding(Record, frozen=True, kw_only=True):
    """One thing to correct.

    Attributes:
        rule: The check that found it: yaml, kustomize, argocd, terraform, links, generated, size, configuration.
        path: The file, from the repository's top.
        line: From 1; None where the whole file is meant.
    """

    rule: str
    path: str
    line: int | None
    message: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}: {self.message} [{self.rule}]"
