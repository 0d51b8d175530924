"""The gate: a pure function of what was planned and what happened.

Planned must be success, unplanned must not have run, a missing result or a missing receipt is a
failure, and so is a planner that did not succeed. UNKNOWN was planned as RUN. Where nothing can
be judged (no workflows, a job that the plan does not know) the gate stays closed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from mlops.errors import InvalidRecordError, MissingInputError
from mlops.records.base import read
from mlops.records.gate import RESULTS, GateVerdict, PipelineVerdict, Result
from mlops.records.plan import Plan, WorkflowVerdict
from mlops.records.receipt import Receipt

PLANNER = "plan"
_SHOWN = 5  # problems of one kind that are told
_OWN = "pull-request"  # the workflow that the gate itself is a job of


def decide(
    plan: Plan, needs: Mapping[str, str], receipts: Iterable[Receipt] | None = None, *, beside: Collection[str] = ()
) -> GateVerdict:
    """The verdict of the gate in a workflow: `judge`, and the planner itself must have succeeded.

    Args:
        plan: What was planned.
        needs: Result by job, as in GitHub's `needs`; the job `plan` is the planner.
        receipts: When given, each planned pipeline must have some, and none may be a failure.
        beside: Pipelines that start by themselves and have a required check of their own.

    Raises:
        InvalidRecordError: a result that GitHub does not know.
    """
    planner = _result(needs.get(PLANNER, "missing"))
    results = {job: result for job, result in needs.items() if job != PLANNER}
    verdict = judge(plan, results, receipts, beside=beside)
    problems = list(verdict.problems)
    if planner != "success":
        problems.insert(0, f"the planner (job {PLANNER!r}) is {planner}: nothing that it planned can be trusted")
    return GateVerdict(open=not problems, pipelines=verdict.pipelines, problems=problems)


def judge(
    plan: Plan, results: Mapping[str, str], receipts: Iterable[Receipt] | None = None, *, beside: Collection[str] = ()
) -> GateVerdict:
    """Whether every pipeline did what the plan says; `results` are by pipeline. See `decide`."""
    expected = _expected(plan, results, beside)
    problems = [] if expected else ["the plan holds no pipeline: there is nothing to judge by"]
    verdicts = [_pipeline(each, _result(results.get(each.pipeline, "missing"))) for each in expected]
    problems += [f"{each.pipeline}: {each.reason}" for each in verdicts if not each.ok]
    known = {each.pipeline for each in plan.workflows}
    problems += [
        f"{job}: is no pipeline of the plan, and was {_result(result)}" for job, result in results.items()
        if job not in known
    ]
    if receipts is not None:
        problems += _unproven(plan, [each.pipeline for each in verdicts if each.planned], list(receipts))
    return GateVerdict(open=not problems, pipelines=verdicts, problems=problems)


def _expected(plan: Plan, results: Mapping[str, str], beside: Collection[str]) -> Sequence[WorkflowVerdict]:
    """The workflows that a job must stand for.

    Not the caller, whose job the gate is; not one that the event does not start, nothing calls, and
    no job stands for, as long as the plan shows what is called.
    """
    callers = {each.called_by for each in plan.workflows if each.called_by}
    return [
        each for each in plan.workflows
        if each.pipeline in results or not (
            each.pipeline in beside or each.workflow in callers or each.pipeline == _OWN
            or (callers and each.verdict == "SKIP" and each.called_by is None and not _product(each))
        )
    ]


def _product(each: WorkflowVerdict) -> bool:
    return each.pipeline in ("service", "data", "model", "main")


def _pipeline(each: WorkflowVerdict, result: Result) -> PipelineVerdict:
    planned = each.verdict != "SKIP"
    ok = result == ("success" if planned else "skipped")
    if ok:
        reason = "was planned and succeeded" if planned else "was not planned and did not run"
    elif planned:
        reason = f"was planned ({each.verdict}: {each.reason}), and is {result}"
    elif result == "missing":
        reason = "was not planned, and no job stands for it, so that it could not have run either"
    else:
        reason = f"was not planned ({each.reason}), and is {result}"
    return PipelineVerdict(pipeline=each.pipeline, planned=planned, result=result, ok=ok, reason=reason)


def _unproven(plan: Plan, planned: Sequence[str], receipts: Sequence[Receipt]) -> list[str]:
    """What the receipts do not prove: none there, one missing, a failure, another commit, another level."""
    last = {(each.pipeline, each.step, each.subject): each for each in sorted(receipts, key=_when)}
    have = {each.pipeline for each in last.values()}
    problems = [f"{name}: was planned, and left no receipt" for name in planned if name not in have]
    problems += [*_cut(receipts), *_foreign(plan, receipts)]
    problems += [
        f"{each.pipeline}: its step {each.step} {each.subject} ran {each.level}, and {plan.level} was planned"
        for each in last.values() if each.level not in (None, plan.level)
    ]
    return problems + [
        f"{each.pipeline}: its step {each.step} {each.subject} failed: {each.error or 'no reason given'}"
        for each in last.values() if each.outcome == "failure"
    ]


def _cut(receipts: Sequence[Receipt]) -> list[str]:
    """Runs that left more receipts than there are here."""
    found: dict[tuple[str, str | None, int], set[tuple[str, str]]] = {}
    for each in receipts:
        if each.run_size is not None:
            found.setdefault((each.pipeline, each.parent_id, each.run_size), set()).add((each.step, each.subject))
    return [
        f"{pipeline}: its run left {size} receipt(s), and here are {len(steps)}"
        for (pipeline, _, size), steps in found.items() if len(steps) != size
    ]


def _foreign(plan: Plan, receipts: Sequence[Receipt]) -> list[str]:
    """Receipts of another commit than the plan's, or of several; a store's own receipts tell none."""
    told = {each.commit for each in receipts if each.commit is not None}
    if not told:
        return []
    expected = plan.commit or min(told)
    strangers = [each for each in receipts if each.commit != expected]
    return [
        f"{each.pipeline}: the receipt of its step {each.step} {each.subject} is of commit "
        f"{(each.commit or 'unknown')[:12]}, the plan of {expected[:12]}" for each in strangers[:_SHOWN]
    ]


def _when(receipt: Receipt) -> str:
    return receipt.started


def _result(value: str) -> Result:
    if value not in RESULTS:
        raise InvalidRecordError(
            f"{value!r} is no result of a job", where="needs", mend=f"known results: {', '.join(RESULTS)}"
        )
    return value  # type: ignore[return-value]


def read_receipts(folder: Path) -> list[Receipt]:
    """The receipts in all JSON files below `folder`.

    Raises:
        MissingInputError: there is no such folder.
        InvalidRecordError: a file holds no receipt.
    """
    if not folder.is_dir():
        raise MissingInputError("is not a folder", where=folder, mend="give the folder that the receipts were put in")
    return [read(Receipt, path) for path in sorted(folder.rglob("*.json"))]
