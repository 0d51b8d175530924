"""Annotations for what the audit of the path filters found, each at the line that it is about."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlops.pipelines.reporting.annotations import Annotation
from mlops.routing.audit.findings import Finding


def of_audit(repository: Path, findings: Sequence[Finding]) -> list[Annotation]:
    """The audit's findings, each at the line that it is about."""
    made = []
    for each in findings:
        file, line = place(repository, each)
        chain = f"\n{' → '.join(each.chain)}" if len(each.chain) > 1 else ""
        made.append(Annotation("error", file, line, f"route audit: {each.rule}", f"{each.path}: {each.message}{chain}"))
    return made


def place(repository: Path, finding: Finding) -> tuple[str, int]:
    """File and line of a finding: the pattern's line in its workflow, else where the paths begin, else the file."""
    if not finding.workflow:
        return finding.path, 1
    try:
        lines = (repository / finding.workflow).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return finding.workflow, 1
    entries = [line.strip().removeprefix("-").split(" #")[0].strip().strip("'\"") for line in lines]
    for wanted in (finding.path, "paths:", "paths-ignore:"):
        if wanted in entries:
            return finding.workflow, entries.index(wanted) + 1
    return finding.workflow, 1
