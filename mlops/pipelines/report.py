"""What a run leaves for people: the plan it begins with, the summary it ends with, and its record in the database."""

from __future__ import annotations

import json
import shlex
from typing import Any

from mlops.pipelines.declared.release import current_release, example
from mlops.pipelines.steps import Run
from mlops.records import DataVersion, ModelVersion, Plan, Receipt, RunRecord, read


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
            in_force = promoted.facts.get("champion") if promoted else None
            now = f"  → champion v{in_force}" if in_force else ""
            lines.append(
                f"  {subject:<9} {facts.get('metric')} {_figure(facts.get('challenger'))} against {champion} on "
                f"{facts.get('rows')} held-out rows{' (SIMULATED)' if facts.get('simulated') else ''}: "
                f"{facts.get('verdict')}{now}"
            )
    return ["", "models", *lines] if lines else []


def _figure(value: Any) -> str:
    return f"{value:.5g}" if isinstance(value, int | float) else "?"


def _release(run: Run) -> list[str]:
    release = current_release(run)
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
    if "predict" in addresses and (try_line := _example(run, addresses["predict"])):
        lines += ["", "try it", f"  {try_line}"]
    return lines


def service_addresses(run: Run) -> dict[str, str]:
    """Service → address, for the services that run."""
    from mlops.deployment_manager import local

    return {each.name: each.address for each in local.status(run.places) if each.pid is not None}


def _example(run: Run, address: str) -> str | None:
    """One curl line that asks for a prediction, with a row that the model was proven on."""
    body = example(run)
    if body is None:
        return None
    return f"curl -s {address}/predict -H 'content-type: application/json' -d {shlex.quote(json.dumps(body))}"


def remember(run: Run, record: RunRecord) -> None:
    """Put the run, and the versions and the release that are in force after it, into the platform's database.

    The files under `.mlops/` are the truth; the database is what the platform's page and its queries read. Rows are
    written whole and again, so a run that was killed before this point is made good by the next one.
    """
    from mlops import database

    url = run.settings.database.url
    database.migrate(url)
    for each in record.receipts:
        if each.outcome != "failure":
            _remember_version(url, run, each)
    release = current_release(run)
    if release is not None:
        proven = any(each.pipeline == "release" and each.step == "proof" and each.outcome != "failure"
                     for each in record.receipts)
        database.add(url, "releases", {
            "id": release.id, "created": release.created, "kind": release.kind, "commit": release.commit,
            "outcome": "proven" if proven else "not proven",
            "document": release.to_dict() | {"example": example(run) if proven else None},
        })
    document = record.to_dict()
    for receipt in document["receipts"]:  # what each step ran on stays in its receipt; the page shows what came out
        del receipt["inputs"]
    database.add(url, "runs", {
        "id": record.id, "started": record.started, "outcome": record.outcome, "event": record.plan.event,
        "commit": record.commit, "document": document,
    })


def _remember_version(url: str, run: Run, receipt: Receipt) -> None:
    """The data version or registered model that a step's receipt stands for, if it stands for one."""
    from mlops import database

    kinds: dict[tuple[str, str], type[DataVersion] | type[ModelVersion]] = {
        ("data", "version"): DataVersion, ("model", "register"): ModelVersion,
    }
    kind = kinds.get((receipt.pipeline, receipt.step))
    if kind is None or not receipt.outputs:
        return
    made = read(kind, run.places.state / receipt.outputs[0].name)
    common = {"version": made.version, "created": receipt.started, "document": made.to_dict()}
    if isinstance(made, DataVersion):
        database.add(url, "data_versions", common | {
            "dataset": made.dataset, "rows": made.rows, "success": made.validation.success,
            "simulated": made.source.simulated,
        })
        failed = [f"{each.name}: {each.message}" for each in made.checks if not each.success]
        database.add(url, "data_quality", {
            "id": made.fingerprint.removeprefix("sha256:"), "dataset": made.dataset, "version": made.version,
            "created": receipt.started, "score": made.quality, "success": made.validation.success,
            "document": {
                "dataset": made.dataset, "version": made.version, "rows": made.source.rows, "score": made.quality,
                "parts": {each.name: each.score for each in made.quality_parts}, "missing": made.missing,
                "issues": failed, "success": made.validation.success,
            },
        })
    else:
        database.add(url, "models", common | {"model": made.model, "verdict": made.verdict, "run_id": made.run_id})
