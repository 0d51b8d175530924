"""The whole way once: route → plan → pipelines → gate → release → proof, and the record of it."""

from __future__ import annotations

import dataclasses
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

from mlops import files
from mlops.errors import MissingInputError, MlopsError
from mlops.git import Beside
from mlops.named_files import local_files
from mlops.pipelines import asked
from mlops.pipelines.change import PIPELINES, Change, last_run, plan
from mlops.pipelines.declared import data, main, model, release, service
from mlops.pipelines.runner import Progress, Result, Runner
from mlops.pipelines.steps import Run, Step
from mlops.records import GateVerdict, PipelineRun, Plan, RunRecord, WorkflowVerdict
from mlops.records.base import now
from mlops.sources import Sources

_KEPT = 50  # run records and logs kept

DECLARED: dict[str, Callable[[Run, Sources], list[Step]]] = {
    "data": data.steps, "model": model.steps, "service": service.steps, "main": main.steps,
}


def walk(
    run: Run, progress: Progress, *, on_plan: Callable[[Plan], None], begun: Beside | None = None, look: bool = False
) -> tuple[RunRecord, int]:
    """Bring everything up to date, release it where the gate is open, and prove it.

    Args:
        on_plan: Is told the plan before anything runs.
        begun: `Git.start_status` of the repository, where the caller asked it ahead.
        look: Run nothing: raise Moved where a step would have to.

    Returns:
        The run's record (the last one's, renewed, where nothing had to run) and the exit code.

    Raises:
        MissingInputError: the given source is not there, or no file has such a name.
        BusyError: another run is under way.
    """
    clock, started, run_id = time.perf_counter(), now(), str(uuid.uuid4())
    sources = Sources(run.repository, run.places.cache / "sources.json")
    run = _with_source(run, sources)
    last = last_run(run)
    change = Change(run, sources, last, begun=begun)
    made = plan(run, change, last)
    on_plan(made)
    done = Result()
    verdict: GateVerdict | None = None
    explain = _explainer(run.repository)
    with Runner(run, sources, progress, run_id=run_id, explain=explain, look=look) as runner:
        try:
            runner.execute([step for steps in DECLARED.values() for step in steps(run, sources)], done)
            made = _as_it_went(made, done)
            verdict = judge(made, done)
            if verdict.open:
                runner.execute(release.steps(run, sources), done)
        finally:
            sources.save()
        record = RunRecord(
            id=run_id, started=started, seconds=round(time.perf_counter() - clock, 3), who=run.who,
            outcome="success" if verdict.open and not done.failed else "failure", commit=change.commit,
            changed=change.dirty, plan=made, gate=verdict, receipts=done.receipts, blocked=done.blocked,
            source=run.source,
        )
        if last is None or _differs(record, last):
            keep(run, record)
    return record, done.exit_code or (0 if verdict.open else 1)


def run_pipelines(
    run: Run, names: Sequence[str], progress: Progress, *, subjects: Sequence[str] = ()
) -> tuple[Result, str]:
    """Bring single pipelines up to date, as their workflows do: no plan, no gate, no release.

    Args:
        names: Pipelines; the steps that theirs need run (or are up to date) first.
        subjects: Data sets, models or services to stay with; all when empty.
    """
    sources = Sources(run.repository, run.places.cache / "sources.json")
    run = asked.settle(_with_source(run, sources), sources)
    every = {step.id: step for steps in DECLARED.values() for step in steps(run, sources)}
    unknown = sorted(set(subjects) - {step.subject for step in every.values()})
    if unknown:
        known = sorted({step.subject for step in every.values() if step.pipeline in names and step.subject})
        raise MissingInputError(f"there is no {unknown[0]!r} here", mend=f"known: {', '.join(known)}")
    wanted = [
        step for step in every.values()
        if step.pipeline in names and (not subjects or step.subject in subjects or not step.subject)
    ]
    chosen: dict[str, Step] = {}
    while wanted:
        step = wanted.pop()
        chosen[step.id] = step
        wanted.extend(every[need] for need in step.needs if need not in chosen)
    done, run_id, started = Result(), str(uuid.uuid4()), now()
    _leave(run, list(names), Result(), run_id, started, ended=False)
    with Runner(run, sources, progress, run_id=run_id) as runner:  # no plan, hence no rule to name
        try:
            runner.execute([step for name, step in every.items() if name in chosen], done)
        finally:
            sources.save()
    _leave(run, list(names), done, run_id, started)
    return done, run_id


def _leave(run: Run, names: list[str], done: Result, run_id: str, started: str, *, ended: bool = True) -> None:
    """Write the run's record for the report and the hand-over, what each step ran on left out."""
    import msgspec

    record = PipelineRun(
        run_id=run_id, pipelines=names, started=started, exit_code=done.exit_code, blocked=done.blocked, ended=ended,
        receipts=[msgspec.structs.replace(each, inputs=[]) for each in done.receipts],
    )
    for name in names:
        files.write_atomic(run.places.pipeline_run(name), record.to_json())


def judge(made: Plan, done: Result) -> GateVerdict:
    """The gate over this run: planned must be success, unplanned must not have run."""
    if all(each.verdict == "SKIP" for each in made.workflows) and not done.ran:
        return GateVerdict(open=True, pipelines=[], problems=[])  # nothing planned, nothing ran: nothing to judge
    from mlops.routing import gate

    planned = {each.pipeline for each in made.workflows if each.verdict != "SKIP"}
    results = {
        name: ("success" if name in planned else "skipped") if result == "cached" else result
        for name, result in _results(done).items()
    }
    return gate.judge(made, results)


def _differs(record: RunRecord, last: RunRecord) -> bool:
    """Whether a run is worth a record of its own: something ran, or what it found is not what the last one found."""
    if any(each.outcome != "cached" for each in record.receipts):
        return True
    keys = [{(each.pipeline, each.step, each.subject, each.key) for each in one.receipts} for one in (record, last)]
    return (record.commit, record.changed, keys[0]) != (last.commit, last.changed, keys[1])


def _results(done: Result) -> dict[str, str]:
    """Each pipeline's result; `cached` where all its steps were up to date and so none ran."""
    results = dict.fromkeys(PIPELINES, "skipped")
    for receipt in done.receipts:
        if receipt.pipeline not in results or results[receipt.pipeline] == "failure":
            continue
        if receipt.outcome == "failure":
            results[receipt.pipeline] = "failure"
        elif receipt.outcome == "success" or results[receipt.pipeline] == "skipped":
            results[receipt.pipeline] = "success" if receipt.outcome == "success" else "cached"
    for blocked in done.blocked:
        name = blocked.step.partition("/")[0]
        if results.get(name) != "failure":
            results[name] = "cancelled"
    return results


def _as_it_went(made: Plan, done: Result) -> Plan:
    """The plan with what only the receipts could know: a step that had to run in a pipeline that no file started.

    The content hashes decide what runs (an output was deleted, a lock file changed); the plan says so.
    """
    ran = {each.pipeline: each for each in reversed(done.receipts) if each.outcome != "cached"}
    workflows = [
        WorkflowVerdict(
            workflow=each.workflow, pipeline=each.pipeline, verdict="RUN",
            reason=f"{ran[each.pipeline].step} was not up to date: {ran[each.pipeline].reason}",
        ) if each.verdict == "SKIP" and each.pipeline in ran else each
        for each in made.workflows
    ]
    return Plan(
        event=made.event, ref=made.ref, files=made.files, workflows=workflows, base=made.base, head=made.head
    )


def keep(run: Run, record: RunRecord) -> None:
    """Write the run's record beside the state and into the platform's database."""
    content = record.to_json()
    files.write_atomic(run.places.runs / f"{record.started.replace(':', '')}-{record.id}.json", content)
    files.write_atomic(run.places.runs / "last.json", content)
    for old in sorted(run.places.runs.glob("2*.json"))[:-_KEPT]:
        old.unlink(missing_ok=True)
    from mlops.pipelines.report import remember

    remember(run, record)


def _with_source(run: Run, sources: Sources) -> Run:
    """The run, knowing which data sets its given source stands in for."""
    if not run.source:
        return run
    if "://" not in run.source:
        _, first = next(local_files(run.source, run.repository))
        if not first.is_file():
            raise MissingInputError(
                "is not a file" if first.exists() else "is not there", where=run.source,
                mend="give DATA= the path of a file with rows, of a folder of them, a pattern, or an address",
            )
    return dataclasses.replace(run, given=data.taking_data(run.repository, sources))


def _explainer(repository: Path) -> Callable[[str, str], str | None]:
    def explain(pipeline: str, file: str) -> str | None:
        from mlops.routing import rule

        try:
            return rule(repository, pipeline, file)
        except MlopsError:  # a workflow file that cannot be read is reported by the plan
            return None

    return explain
