"""The comment's text: the plan with its reasons, results, data, models; hostile names leave the table whole."""

from __future__ import annotations

import html
import re

from markdown_it import MarkdownIt

from mlops.github import Job
from mlops.pipelines.reporting import comment, evidence
from mlops.records import Plan, WorkflowVerdict
from tests.unit.mlops.pipelines.reporting.making import ran, receipt, tree, validated

EVIL = "services/a|b`c\n::error::x @octocat <img src=x> [l](http://e) #1 \u202e.md"
JOB = Job(
    event="pull_request", repository="team/tree", run="12", attempt="2", sha="m" * 40,
    payload={"pull_request": {"number": 7, "head": {"sha": "c" * 40}}},
)


def verdict(
    pipeline: str, said: str, reason: str, file: str | None = None, pattern: str | None = None
) -> WorkflowVerdict:
    return WorkflowVerdict(
        workflow=f".github/workflows/{pipeline}.yml", pipeline=pipeline, verdict=said,  # type: ignore[arg-type]
        reason=reason, file=file, pattern=pattern, called_by=".github/workflows/pull-request.yml",
    )


FILES = ["data/src/houses.py", EVIL]
PLAN = Plan(event="pull_request", ref="refs/heads/main", level="bounded", files=FILES, workflows=[
    verdict("pull-request", "RUN", "no filter"),
    verdict("service", "RUN", "a changed file is included", EVIL, "services/**"),
    verdict("data", "RUN", "a changed file is included", "data/src/houses.py", "data/**"),
    verdict("model", "UNKNOWN", "more than 3,000 commits"), verdict("main", "SKIP", "no changed file is included"),
])
NEEDS = {"plan": "success", "service": "success", "data": "failure", "model": "success", "main": "skipped"}


def rows(text: str) -> list[list[str]]:
    """The cells of the first table, as they are shown."""
    rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    table = rendered[rendered.index("<table>"): rendered.index("</table>")]
    return [
        [html.unescape(re.sub("<[^>]*>", "", cell)).replace("\u200b", "") for cell in re.findall("<td>(.*?)</td>", row)]
        for row in re.findall("<tr>(.*?)</tr>", table, re.DOTALL)[1:]
    ]


def test_the_plan_its_reasons_and_what_came_of_it(tmp_path) -> None:
    places = tree(tmp_path)
    validated(places)
    ran(places, "data", receipt("data", "ingest"), receipt("data", "validate", outcome="failure", error="broken"))
    text = comment.render(PLAN, NEEDS, {"data": evidence.gather(places, "data")}, JOB)
    assert text.startswith(comment.MARKER + "\n## ❌ The pipelines failed")
    shown = rows(text)
    evil = EVIL.replace("\n", "\\n").replace("\u202e", "\\u202e")
    assert [row[:4] for row in shown] == [
        ["service", "RUN", f"{evil} is in services/**", "✅ success"],
        ["data", "RUN", "data/src/houses.py is in data/**", "❌ failure"],
        ["model", "UNKNOWN", "more than 3,000 commits", "✅ success"],
        ["main", "SKIP", "no changed file is included", "➖ skipped"],
        ["plan", "–", "", "✅ success"],
    ]
    assert shown[1][4] == "steps: 1 ran, 1 failed"
    for expected in ("actions/runs/12)", "actions/runs/12#artifacts)", "attempt 2", "level bounded", "c" * 12,
                     "2 of 40 (5.00%)"):
        assert expected in text, expected


def test_nothing_from_outside_pings_or_commands() -> None:
    text = comment.render(PLAN, NEEDS, {}, JOB)
    assert "@octocat" not in text and "::error" not in text and "<img" not in text and "\u202e" not in text
    assert not re.search(r"^\s*::|##\[", text, re.MULTILINE)


def test_without_a_plan() -> None:
    text = comment.render("cannot be read: <b>", {"plan": "failure"}, {}, JOB)
    assert "There is no plan" in text and "<b>" not in text and "The pipelines failed" in text


def test_the_verdicts() -> None:
    def head(**needs: str) -> str:
        return comment.render(PLAN, needs, {}, JOB).splitlines()[1]

    assert head(plan="success", data="success") == "## ✅ The pipelines passed"
    assert head(plan="success", data="cancelled") == "## 🚫 The pipelines were cancelled"
    assert head(plan="skipped") == "## ❔ The pipelines were not planned"
    assert "❔ missing" in comment.render(PLAN, {"plan": "success"}, {}, JOB)


def test_it_stays_within_what_github_takes() -> None:
    many = Plan(event="pull_request", ref=None, files=[f"{'long|' * 60}{number}" for number in range(3000)], workflows=[
        verdict(f"p{number}", "RUN", "x" * 300 + "|" * 300) for number in range(300)])
    text = comment.render(many, {}, {}, JOB)
    assert len(text) <= comment.MOST and "characters are left out" in text
