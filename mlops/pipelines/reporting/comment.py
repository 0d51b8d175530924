"""The pull request's comment: what was planned and why, what came of it, and where to read more."""

from __future__ import annotations

from collections.abc import Mapping

from mlops import markdown as md
from mlops.github import Job
from mlops.pipelines.reporting import summary
from mlops.records import Plan
from mlops.records.plan import WorkflowVerdict
from mlops.records.report import PipelineReport

MARKER = "<!-- switchyard: what the pipelines say -->"
"""The comment's first line; it is not shown, and it is how the comment is found again."""
MOST = 65536
"""Characters that GitHub takes as a comment."""
_RESULTS = {
    "success": "✅ success", "failure": "❌ failure", "cancelled": "🚫 cancelled", "skipped": "➖ skipped",
    "missing": "❔ missing",
}
_PIPELINES = ("service", "data", "model", "main")


def render(
    plan: Plan | str, needs: Mapping[str, str], reports: Mapping[str, PipelineReport], job: Job
) -> str:
    """The comment's whole text.

    Args:
        plan: Or why there is none.
        needs: Result by job.
        reports: By pipeline.
    """
    level = "" if isinstance(plan, str) else plan.level
    lines = [MARKER, f"## {_verdict(needs)}", "", _head(job, level), ""]
    lines += [f"**There is no plan**: {md.text(plan)}", ""] if isinstance(plan, str) else []
    workflows = [] if isinstance(plan, str) else [each for each in plan.workflows if each.pipeline != "pull-request"]
    lines += _plan(workflows, needs, reports)
    files = [] if isinstance(plan, str) else plan.files
    if files:
        shown = [f"- {md.code(each)}" for each in files[:100]]
        more = [f"- and {len(files) - 100} more"] if len(files) > 100 else []
        lines += [*md.folded(f"{len(files)} changed file{'s' if len(files) != 1 else ''}", shown + more), ""]
    for report in _sorted(reports):
        failed = summary.failures(report)
        lines += [f"### ❌ {report.pipeline} pipeline", "", *failed] if failed else []
    lines += summary.data([each for report in _sorted(reports) for each in report.data if report.pipeline == "data"])
    lines += summary.models([each for report in _sorted(reports) for each in report.models])
    for report in _sorted(reports):
        bad = [each for each in report.tests if each.failures + each.errors]
        if bad:
            lines += [line.replace("### Tests", f"### Tests of the {report.pipeline} pipeline", 1)
                      for line in summary.tests(report)]
    return md.cut("\n".join(lines).rstrip() + "\n", MOST - 512)


def _verdict(needs: Mapping[str, str]) -> str:
    results = list(needs.values())
    if "failure" in results:
        return "❌ The pipelines failed"
    if "cancelled" in results:
        return "🚫 The pipelines were cancelled"
    return "✅ The pipelines passed" if needs.get("plan", "success") == "success" else "❔ The pipelines were not planned"


def _head(job: Job, level: str) -> str:
    request = job.request or {}
    commit = str((request.get("head") or {}).get("sha") or job.sha)
    attempt = f", attempt {md.text(job.attempt)}" if job.attempt not in ("", "1") else ""
    parts = [f"commit {md.code(commit[:12])}" if commit else "", md.link(f"run{attempt}", job.address)]
    parts.append(md.link("artifacts", f"{job.address}#artifacts") if job.address else "")
    parts.append(f"level {md.text(level)}" if level else "")
    return " · ".join(part for part in parts if part)


def _plan(
    workflows: list[WorkflowVerdict], needs: Mapping[str, str], reports: Mapping[str, PipelineReport]
) -> list[str]:
    rows: list[tuple[str, ...]] = []
    for each in workflows:
        result = needs.get(each.pipeline, "missing")
        report = reports.get(each.pipeline)
        rows.append((
            md.text(each.pipeline), each.verdict, _why(each), _RESULTS.get(result, md.text(result)),
            summary.counts(report) if report else "–",
        ))
    planned = {each.pipeline for each in workflows}
    for name, result in needs.items():
        if name not in planned:
            pipeline = name in _PIPELINES
            rows.append((
                md.text(name), "–", "in no plan" if pipeline else "", _RESULTS.get(result, md.text(result)), "–",
            ))
    return [*md.table(("pipeline", "plan", "why", "result", "what ran"), rows), ""]


def _why(each: WorkflowVerdict) -> str:
    if each.file is not None and each.pattern is not None:
        return f"{md.code(each.file)} is in {md.code(each.pattern)}"
    return md.text(each.reason)


def _sorted(reports: Mapping[str, PipelineReport]) -> list[PipelineReport]:
    order = {name: place for place, name in enumerate(_PIPELINES)}
    return sorted(reports.values(), key=lambda each: (order.get(each.pipeline, len(order)), each.pipeline))
