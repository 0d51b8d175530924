"""How the workflow files hang together: calls, rights, secrets, groups, and the wires from the plan to the gate."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops import product
from mlops.routing.router.yaml12 import load

ROOT = Path(__file__).parents[2]
PIPELINES = {
    "service": "service-pipeline.yml", "data": "data-pipeline.yml", "model": "model-pipeline.yml", "main": "main.yml",
}
CALLER = "pull-request.yml"
# A pull request has nothing else to hand over: no credentials, no addresses.
REQUESTED = {"CODECOV_TOKEN"}
PUSHED = """contains(fromJSON('["push", "workflow_dispatch"]'), github.event_name)"""


class Files:
    """The workflow files of a folder."""

    def __init__(self, folder: Path) -> None:
        self.texts = {path.name: path.read_text() for path in sorted(folder.glob("*.yml"))}
        self.read: dict[str, Any] = {name: load(text, where=name) for name, text in self.texts.items()}

    def jobs(self, name: str) -> dict[str, Any]:
        return self.read[name]["jobs"]  # type: ignore[no-any-return]

    def calls(self) -> Iterator[tuple[str, dict[str, Any], str]]:
        """Each call: where it stands, the job, the file that is called."""
        for name in self.read:
            for key, job in self.jobs(name).items():
                if "uses" in job:
                    yield f"{name}:{key}", job, job["uses"].rpartition("/")[2]


def of_calls(files: Files) -> Iterator[str]:
    """What is wrong with inputs, secrets and rights of the calls."""
    for where, job, name in files.calls():
        called = files.read[name]["on"]["workflow_call"] or {}
        inputs, secrets = called.get("inputs") or {}, called.get("secrets") or {}
        given = job.get("with") or {}
        required = {key for key, value in inputs.items() if value.get("required")}
        if not required <= set(given) <= set(inputs):
            yield f"{where}: gives {sorted(given)}, and {name} takes {sorted(inputs)}"
        handed = job.get("secrets") or {}
        if handed == "inherit" or set(handed) - REQUESTED:
            yield f"{where}: hands over more secrets than {sorted(REQUESTED)}"
            continue
        if not {key for key, value in secrets.items() if value.get("required")} <= set(handed) <= set(secrets):
            yield f"{where}: hands over {sorted(handed)}, and {name} takes {sorted(secrets)}"
        if any(value != f"${{{{ secrets.{key} }}}}" for key, value in handed.items()):
            yield f"{where}: hands over a secret under another's name"
        asked: dict[str, str] = {}
        for inner in files.jobs(name).values():
            for right, value in inner["permissions"].items():
                asked[right] = "write" if "write" in (value, asked.get(right)) else value
        if job["permissions"] != asked:  # less: GitHub starts nothing; more: nobody needs it
            yield f"{where}: permits {job['permissions']}, and the jobs of {name} ask for {asked}"


def of_secrets(files: Files) -> Iterator[str]:
    """Secrets and inputs that are used and not declared, or declared and not used."""
    for name, text in files.texts.items():
        on = files.read[name]["on"]
        if "workflow_call" not in on:
            continue
        for kind in ("inputs", "secrets"):
            declared = {*((on["workflow_call"] or {}).get(kind) or {})}
            declared |= {*((on.get("workflow_dispatch") or {}).get(kind) or {})}
            used = set(re.findall(rf"(?<![\w/]){kind}\.(\w+)", text))
            if declared != used:
                yield f"{name}: {kind} {sorted(declared ^ used)} are declared or used, and not both"


def of_groups(files: Files) -> Iterator[str]:
    """Runs that would wait for themselves for ever, or be dropped."""
    groups = [read["concurrency"]["group"].partition("${{")[0] for read in files.read.values()]
    groups += [job["concurrency"]["group"] for name in files.read for job in files.jobs(name).values()
               if "concurrency" in job]
    if len({each.lower() for each in groups}) != len(groups) or not all(groups):
        yield f"two of {groups} share a group: a caller would wait for itself for ever"
    kept = [(name, files.read[name]["concurrency"]) for name in PIPELINES.values()]
    kept += [(f"{name}:{key}", job["concurrency"]) for name in files.read for key, job in files.jobs(name).items()
             if "concurrency" in job]
    for where, group in kept:
        if group.get("cancel-in-progress") or group.get("queue") != "max":
            yield f"{where}: a run that waits may be dropped"


def of_wires(files: Files) -> Iterator[str]:
    """The wires from the planner to the pipelines and from all of them to the gate."""
    request = files.read[CALLER]
    if request["on"] != {"pull_request": None, "merge_group": None}:
        yield "a filter on the event leaves the required check pending"
    jobs = files.jobs(CALLER)
    if {name for name, job in jobs.items() if "uses" in job} != set(PIPELINES):
        yield "the called pipelines are not the four"
    plan = jobs["plan"]
    if any(key in plan for key in ("if", "needs", "continue-on-error")):
        yield "the planner does not always run, or may fail unseen"
    for name, file in PIPELINES.items():
        job = jobs.get(name, {})
        if job.get("uses") != f"./.github/workflows/{file}" or job.get("needs") != "plan":
            yield f"{name}: does not call {file} after the plan"
        if job.get("if") != f"needs.plan.outputs.{name} == 'true'":
            yield f"{name}: does not run exactly where it is planned"
        if plan["outputs"].get(name) != f"${{{{ steps.route.outputs.{name} }}}}":
            yield f"{name}: the plan does not say whether it runs"
    for name, output in (("service", "services"), ("model", "level")):
        if plan["outputs"].get(output) != f"${{{{ steps.route.outputs.{output} }}}}" or (
            (jobs[name].get("with") or {}).get(output) != f"${{{{ needs.plan.outputs.{output} }}}}"
        ):
            yield f"{name}: does not get {output} from the plan"


def of_the_gate(files: Files) -> Iterator[str]:
    """What the gate is shown, and what the pipelines leave for it."""
    gate = files.jobs(CALLER)["gate"]
    if gate.get("if") != "always()" or sorted(gate["needs"]) != sorted(["plan", *PIPELINES]):
        yield "the gate does not always run, or does not see every job"
    command = '.venv/bin/mlops gate --plan plan.json --needs /dev/stdin --receipts receipts <<< "$NEEDS"'
    last = gate["steps"][-1]
    if last.get("run") != command or last.get("env") != {"NEEDS": "${{ toJSON(needs) }}"} or "if" in last:
        yield "the gate's last step does not ask for everything that it must see"
    taken = [step["with"] for step in gate["steps"] if "download-artifact" in step.get("uses", "")]
    if taken != [{"name": "plan"}, {"pattern": "receipts-*", "path": "receipts"}]:
        yield "the gate does not take the plan and every receipt"
    for name, file in PIPELINES.items():
        left = [step for job in files.jobs(file).values() for step in job.get("steps", [])
                if (step.get("with") or {}).get("name") == f"receipts-{name}"]
        if len(left) != 1 or left[0]["with"]["path"] != ".mlops/proof/" or left[0].get("if") != "always()":
            yield f"{name}: does not leave its receipts for the gate"
    for name in files.read:
        for key, job in files.jobs(name).items():
            if "continue-on-error" in job or any("continue-on-error" in step for step in job.get("steps", [])):
                yield f"{name}:{key}: a failure is not seen"


def of_releases(files: Files) -> Iterator[str]:
    """What only main may do, and what a pull request may not save."""
    for name in PIPELINES.values():
        for key, job in files.jobs(name).items():
            condition = str(job.get("if", ""))
            if key in ("deploy", "handover") and not condition.startswith("github.ref == 'refs/heads/main' && "):
                yield f"{name}:{key}: is not for main alone"
            started = PUSHED in condition or "github.event_name == '" in condition
            if key in ("deploy", "handover") and not started:
                yield f"{name}:{key}: is not for pushes and dispatches alone"
            if key == "notify" and PUSHED not in condition:
                yield f"{name}:{key}: is not for pushes and dispatches alone"
            for step in job.get("steps", []):
                if "cache/save" in step.get("uses", "") and step.get("if") != PUSHED:
                    yield f"{name}:{key}: a pull request would save state"
    for key, job in files.jobs(CALLER).items():
        if "environment" in job or "secrets." in str(job.get("steps", "")):
            yield f"{CALLER}:{key}: uses what only a release may use"


RULES = [of_calls, of_secrets, of_groups, of_wires, of_the_gate, of_releases]


def problems(folder: Path) -> list[str]:
    """Everything that is wrong, by every rule."""
    files = Files(folder)
    return [found for rule in RULES for found in rule(files)]


def test_the_tree_has_no_problem() -> None:
    assert problems(ROOT / ".github" / "workflows") == []


# What somebody might change without a thought: file, text, what stands there instead, what is said of it.
CUTS = {
    "a need of the gate is gone": (CALLER, "needs: [plan, service, data, model, main]\n    if: always()\n    runs",
                                   "needs: [plan, service, model, main]\n    if: always()\n    runs", "every job"),
    "the gate runs only on success": (CALLER, "if: always()\n    runs", "if: success()\n    runs", "always run"),
    "the plan lacks an output": (CALLER, "      data: ${{ steps.route.outputs.data }}\n", "", "data: the plan"),
    "a pipeline runs where it is not planned": (CALLER, "needs.plan.outputs.model == 'true'",
                                                "needs.plan.outputs.model != 'false'", "model: does not run"),
    "a pipeline runs whatever is planned": (CALLER, "    if: needs.plan.outputs.main == 'true'\n", "", "main: does"),
    "a pipeline calls another file": (CALLER, "uses: ./.github/workflows/data-pipeline.yml",
                                      "uses: ./.github/workflows/main.yml", "data: does not call"),
    "the needs are written by hand": (CALLER, "          NEEDS: ${{ toJSON(needs) }}\n\n  # Beside",
                                      "          NEEDS: '{}'\n\n  # Beside", "everything that it must see"),
    "the gate sees no receipts": (CALLER, " --receipts receipts <<<", " <<<", "everything that it must see"),
    "the gate takes one receipt": (CALLER, "pattern: receipts-*\n          path: receipts\n      - name: Open",
                                   "pattern: receipts-data\n          path: receipts\n      - name: Open",
                                   "every receipt"),
    "a pipeline leaves no receipt": ("model-pipeline.yml", "name: receipts-model", "name: left-model",
                                     "model: does not leave"),
    "a planner that may fail": (CALLER, "    name: plan\n", "    name: plan\n    continue-on-error: true\n", "unseen"),
    "a step that may fail": ("main.yml", "        run: make lint\n",
                             "        run: make lint\n        continue-on-error: true\n", "not seen"),
    "a filter on the event": (CALLER, "  pull_request:\n", "  pull_request:\n    paths: [services/**]\n", "pending"),
    "the level is not handed on": (CALLER, "      level: ${{ needs.plan.outputs.level }}\n", "      level: full\n",
                                   "does not get level"),
    "an input that nobody takes": (CALLER, "      services: ${{ needs.plan.outputs.services }}\n",
                                   "      service: ${{ needs.plan.outputs.services }}\n", "takes ['services']"),
    "a secret that is inherited": (
        CALLER, "    secrets:\n      CODECOV_TOKEN: ${{ secrets.CODECOV_TOKEN }}\n\n  data:",
        "    secrets: inherit\n\n  data:", "more secrets"),
    "a secret of a deploy is handed over": (
        CALLER, "      CODECOV_TOKEN: ${{ secrets.CODECOV_TOKEN }}\n\n  data:",
        "      AWS_REGION: ${{ secrets.AWS_REGION }}\n\n  data:", "more secrets"),
    "a right too few": (
        CALLER, "      actions: write # its job handover, which only main has, asks for it\n    secrets",
        "    secrets", "data: permits"),
    "a right too many": (CALLER, "      security-events: write", "      packages: write\n      security-events: write",
                         "main: permits"),
    "a secret that is not declared": (
        "data-pipeline.yml", "secrets.MLOPS_NOTIFY_SLACK }}", "secrets.SLACK }}", "'SLACK'"),
    "a group of one's caller": ("data-pipeline.yml", "group: data-pipeline-${{ github.ref }}",
                                "group: Pull-Request-${{ github.ref }}", "share a group"),
    "a push that is dropped": ("data-pipeline.yml", "  queue: max\n", "", "may be dropped"),
    "a deploy that is dropped": (
        "service-pipeline.yml", "      queue: max\n", "", "service-pipeline.yml:deploy: a run"),
    "a deploy from any branch": ("service-pipeline.yml", "    if: github.ref == 'refs/heads/main' && ", "    if: ",
                                 "deploy: is not for main"),
    "a hand-over by a pull request": ("data-pipeline.yml", " && github.event_name == 'push'\n", " && true\n",
                                      "handover: is not for pushes"),
    "state that a pull request saves": (
        "model-pipeline.yml",
        "      - name: Keep the state for the next run\n        if: " + PUSHED + "\n",
        "      - name: Keep the state for the next run\n", "would save state"),
}


@pytest.mark.parametrize("cut", CUTS)
def test_a_cut_wire_is_seen(cut: str, tmp_path: Path) -> None:
    file, text, instead, says = CUTS[cut]
    folder = shutil.copytree(ROOT / ".github" / "workflows", tmp_path / "workflows")
    before = (folder / file).read_text()
    assert text in before, "the cut fits the file no more"
    (folder / file).write_text(before.replace(text, instead, 1))
    assert any(says in each for each in problems(folder)), problems(folder)


def test_the_matrix_holds_every_service() -> None:
    """Where a push starts the pipeline nobody says which services: the default must name them all."""
    text = (ROOT / ".github" / "workflows" / PIPELINES["service"]).read_text()
    lists = re.findall(r"'(\[\"[^']*\])'", text.replace(PUSHED, ""))
    every = str(product.services(ROOT)).replace("'", '"')
    assert lists and set(lists) == {every}


@pytest.mark.parametrize("pipeline", ["service", "data", "model"])
def test_state_is_saved_as_it_is_restored(pipeline: str) -> None:
    """GitHub finds a cache only where the list of paths is the same to the letter."""
    files, found = Files(ROOT / ".github" / "workflows"), []
    for name in PIPELINES.values():
        for job in files.jobs(name).values():
            found += [step["with"] for step in job.get("steps", []) if "actions/cache/" in step.get("uses", "")]
    own = [each for each in found if each["key"].startswith(f"state-{pipeline}-")]
    assert len(own) >= 2 and len({each["path"] for each in own}) == 1
    assert all(line.startswith(".mlops/") for line in own[0]["path"].split())
    assert all(f"state-{pipeline}-main-" in each["restore-keys"] for each in own if "restore-keys" in each)
