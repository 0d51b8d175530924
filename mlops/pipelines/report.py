"""What a run leaves for people: the plan it begins with, the summary it ends with, and its record in the database."""

from __future__ import annotations

import json
from typing import Any

from mlops.config import Workspace
from mlops.pipelines.declared.release import release_file
from mlops.pipelines.steps import Run
from mlops.records import Plan, Receipt, Release, RunRecord, read


def planned(plan: Plan) -> str:
    """The plan, a line a pipeline: verdict, and the file and pattern or other reason that caused it."""
    lines = [f"plan ({len(plan.files)} changed file(s))" if plan.files else "plan (no changed file)"]
    for each in plan.workflows:
        cause = f"{each.file} ({each.pattern} in {each.workflow})" if each.file and each.pattern else each.reason
        lines.append(f"  {each.pipeline:<8} {each.verdict:<8} {cause}")
    return "\n".join(lines)


def summary(run: Run, record: RunRecord) -> str:
    """What ran and why, data quality, models against champions, the release, addresses, and a line to try."""
    ran = [each for each in record.receipts if each.outcome == "success"]
    cached = [each for each in record.receipts if each.outcome == "cached"]
    failed = [each for each in record.receipts if each.outcome == "failure"]
    lines = ["", f"{len(ran)} ran, {len(cached)} up to date, {len(failed)} failed, "
             f"{len(record.blocked)} not run, {record.seconds:.2f} s"]
    by_name = {(each.pipeline, each.step, each.subject): each for each in record.receipts}
    lines += _data(by_name) + _models(by_name)
    for each in failed:
        place = run.places.logs / record.id / f"{each.pipeline}.log"
        lines += ["", f"FAILED {_name(each)}", *(f"  {line}" for line in (each.error or "").splitlines())]
        lines += [f"  log: {place}"] if place.exists() else []
    if record.gate is not None and not record.gate.open:
        lines += ["", "gate closed:", *(f"  {problem}" for problem in record.gate.problems)]
        lines.append("  nothing was released; what was released before goes on as it is")
    elif not failed:
        lines += _release(run)
    return "\n".join(lines)


def _name(receipt: Receipt) -> str:
    return "/".join(part for part in (receipt.pipeline, receipt.step, receipt.subject) if part)


def _data(by_name: dict[tuple[str, str, str], Receipt]) -> list[str]:
    lines = []
    for (pipeline, step, subject), receipt in by_name.items():
        if pipeline == "data" and step == "version" and receipt.outcome != "failure":
            facts = receipt.facts
            suite = by_name.get(("data", "validate", subject))
            label = "SIMULATED sample" if facts.get("simulated") else "real"
            lines.append(
                f"  {subject:<9} version {facts.get('version')}  {facts.get('rows')} rows ({label})  "
                f"{suite.facts.get('expectations') if suite else '?'} expectations  quality {facts.get('quality'):.3f}"
            )
    return ["", "data", *lines] if lines else []


def _models(by_name: dict[tuple[str, str, str], Receipt]) -> list[str]:
    lines = []
    for (pipeline, step, subject), receipt in by_name.items():
        if pipeline == "model" and step == "evaluate" and receipt.outcome != "failure":
            facts = receipt.facts
            promoted = by_name.get(("model", "promote", subject))
            champion = (
                f"champion v{facts['champion_version']} {_figure(facts.get('champion'))}"
                if facts.get("champion_version") else "no champion before"
            )
            now = f"  → champion v{promoted.facts.get('champion')}" if promoted and promoted.facts.get("champion") else ""
            lines.append(
                f"  {subject:<9} {facts.get('metric')} {_figure(facts.get('challenger'))} against {champion} on "
                f"{facts.get('rows')} held-out rows{' (SIMULATED)' if facts.get('simulated') else ''}: "
                f"{facts.get('verdict')}{now}"
            )
    return ["", "models", *lines] if lines else []


def _figure(value: Any) -> str:
    return f"{value:.5g}" if isinstance(value, int | float) else "?"


def _release(run: Run) -> list[str]:
    release = current_release(run.places)
    if release is None:
        return []
    lines = ["", f"release {release.id}  commit {(release.commit or 'none')[:12]}"
             f"{' with changes beyond it' if release.dirty else ''}  manifest {(release.manifest or '?')[:12]}"]
    for name, model in release.models.items():
        lines.append(f"  model {name} v{model.version}  run {model.run_id[:12]}  bundle {model.sha256[:19]}")
    for name, image in release.images.items():
        lines.append(f"  image {name}  {image.digest[:19]}")
    addresses = service_addresses(run)
    if addresses:
        lines += ["", "services", *(f"  {name:<9} {address}" for name, address in addresses.items())]
    if "predict" in addresses and (try_line := example(run, release, addresses["predict"])):
        lines += ["", "try it", f"  {try_line}"]
    return lines


def current_release(places: Workspace) -> Release | None:
    """The record of the last release of this workspace, None for none."""
    path = release_file(Run(places, None))  # type: ignore[arg-type]
    return read(Release, path) if path.exists() else None


def service_addresses(run: Run) -> dict[str, str]:
    """Service → address, for the services that run."""
    from mlops.deployment_manager import local

    return {each.name: each.address for each in local.status(run.places) if each.address}


def example(run: Run, release: Release, address: str) -> str | None:
    """One curl line that asks for a prediction, with a row that the model was proven on."""
    from mlops.pipelines.declared.release import PROOF_EXAMPLE

    path = run.places.state / PROOF_EXAMPLE
    if not path.exists():
        return None
    body = json.loads(path.read_bytes())
    return f"curl -s {address}/predict -H 'content-type: application/json' -d '{json.dumps(body)}'"


def remember(run: Run, record: RunRecord) -> None:
    """Put the run, and the versions and releases that it made, into the platform's database.

    The files under `.mlops/` are the truth; the database is what the platform's page and its queries read.
    """
    from mlops import database

    url = run.settings.database.url
    database.migrate(url)
    document = record.to_dict()
    for receipt in document["receipts"]:  # what each step ran on stays in its receipt; the page shows what came out
        del receipt["inputs"]
    database.add(url, "runs", {
        "id": record.id, "started": record.started, "finished": None, "outcome": record.outcome,
        "event": record.plan.event, "commit": record.commit, "document": document,
    })
