"""The audit's findings as SARIF 2.1.0, which GitHub shows under "Security" and beside the change."""

from __future__ import annotations

import hashlib
import urllib.parse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlops import __version__
from mlops.pipelines.reporting.findings import place
from mlops.routing.audit.findings import Finding

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
RULES = {
    "input-outside": "An input of the pipeline lies outside its path filter",
    "own-file-outside": "The workflow's own file lies outside its path filter",
    "starts-nothing": "A tracked file starts no workflow",
    "broken-workflow": "The workflow file cannot be read",
    "unreadable-input": "An input of the pipeline cannot be read",
}
"""The audit's own rules; those of patterns are told by their name."""


def document(repository: Path, findings: Sequence[Finding]) -> dict[str, Any]:
    """The log of one run of the audit; without findings it has no results, which closes what was open before."""
    rules = sorted({each.rule for each in findings} | set(RULES))
    index = {rule: number for number, rule in enumerate(rules)}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "mlops route audit", "version": __version__,
                "rules": [
                    {
                        "id": rule, "shortDescription": {"text": RULES.get(rule, rule.replace("-", " "))},
                        "defaultConfiguration": {"level": "error"},
                    }
                    for rule in rules
                ],
            }},
            "automationDetails": {"id": "route-audit/"},
            "columnKind": "utf16CodeUnits",
            "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The top of the repository"}}},
            "results": [_result(repository, each, index[each.rule]) for each in findings],
        }],
    }


def _result(repository: Path, finding: Finding, rule: int) -> dict[str, Any]:
    file, line = place(repository, finding)
    chain = f"\n{' → '.join(finding.chain)}" if len(finding.chain) > 1 else ""
    # What makes it the same finding in the next run, though lines move; the name is the one that GitHub reads.
    print_ = hashlib.sha256("\0".join((finding.rule, finding.workflow, finding.path)).encode(errors="surrogateescape"))
    made: dict[str, Any] = {
        "ruleId": finding.rule, "ruleIndex": rule, "level": "error",
        "message": {"text": _text(f"{finding.path}: {finding.message}{chain}")},
        "locations": [_location(file, line)],
        "partialFingerprints": {"primaryLocationLineHash": print_.hexdigest()},
    }
    related = [path for path in finding.chain if path != file]
    if related:
        made["relatedLocations"] = [
            {"id": number, "message": {"text": _text(path)}, **_location(path, 1)}
            for number, path in enumerate(related, 1)
        ]
    return made


def _location(file: str, line: int) -> dict[str, Any]:
    uri = urllib.parse.quote(file.encode(errors="surrogateescape"))
    return {"physicalLocation": {
        "artifactLocation": {"uri": uri, "uriBaseId": "SRCROOT"}, "region": {"startLine": max(line, 1)},
    }}


def _text(value: str) -> str:
    """What can be written as UTF-8."""
    return value.encode(errors="surrogateescape").decode(errors="replace")
