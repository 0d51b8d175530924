"""The runner: finds what is up to date, runs the rest in lanes, and leaves a receipt for each step."""

from __future__ import annotations

import dataclasses
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, Literal, Protocol

from mlops import files
from mlops.errors import ConfigurationError, MissingInputError, MlopsError
from mlops.pipelines import receipts
from mlops.pipelines.lanes import Lanes
from mlops.pipelines.steps import Run, Step
from mlops.records import Artifact, Blocked, Receipt
from mlops.records.receipt import Outcome
from mlops.records.base import now
from mlops.sources import Sources


NEVER = "it never ran here"
"""The reason of a step's first run; a line of progress need not repeat it."""


class Moved(Exception):
    """Something has to run where only looking was asked for; never leaves the pipelines."""


class Progress(Protocol):
    """Who is told what happens."""

    def started(self, step: Step, reason: str) -> None: ...

    def ended(self, step: Step, receipt: Receipt) -> None: ...

    def blocked(self, step: Step, by: str) -> None: ...

    def tick(self, running: list[Step]) -> None: ...


@dataclasses.dataclass(frozen=True)
class _Started:
    """A step under way: what it runs on, why, and since when."""

    inputs: receipts.Inputs
    reason: str
    at: str
    clock: float

    @classmethod
    def now(cls, inputs: receipts.Inputs, reason: str) -> _Started:
        return cls(inputs, reason, now(), time.perf_counter())


@dataclasses.dataclass
class Result:
    """What became of the steps, in the order in which they ended."""

    receipts: list[Receipt] = dataclasses.field(default_factory=list)
    blocked: list[Blocked] = dataclasses.field(default_factory=list)
    exit_codes: list[int] = dataclasses.field(default_factory=list)

    @property
    def ran(self) -> bool:
        """Whether any step ran, rather than being up to date."""
        return any(each.outcome != "cached" for each in self.receipts)

    @property
    def failed(self) -> list[Receipt]:
        """The receipts of the steps that failed."""
        return [each for each in self.receipts if each.outcome == "failure"]

    @property
    def exit_code(self) -> int:
        """0 for success; 1 where every failure is a gate's no; 2 where a step could not be asked."""
        return max(self.exit_codes, default=0)


class Runner:
    """Runs steps, each as soon as those that it needs have succeeded.

    Args:
        explain: Which rule of the router a changed file falls under, for the reason of a step: "data/** in …".
        look: Run nothing: raise Moved where a step would have to.
    """

    def __init__(
        self, run: Run, sources: Sources, progress: Progress, *, run_id: str,
        explain: Callable[[str, str], str | None] | None = None, look: bool = False,
    ) -> None:
        self.run = run
        self.look = look
        self.sources = sources
        self.store = receipts.Store(run.places.receipts)
        self.progress = progress
        self.run_id = run_id
        self.explain = explain
        self._stack = ExitStack()
        self._lanes: Lanes | None = None
        self._producers: dict[str, str] = {}

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def execute(self, steps: Sequence[Step], done: Result) -> None:
        """Bring `steps` up to date and add what happened to `done`.

        Raises:
            BusyError: something has to run and another run is under way in this repository.
            ConfigurationError: the state folder cannot be written.
        """
        self._producers |= {output: step.id for step in steps for output in step.outputs}
        good = {_id(each) for each in done.receipts if each.outcome != "failure"}
        bad: dict[str, str] = {}
        known = {step.id for step in steps} | good
        waiting = list(steps)
        running: dict[str, _Started] = {}
        while waiting or running:
            before = len(waiting)
            for step in list(waiting):
                broken = next((need for need in step.needs if need in bad), None)
                if broken is not None:
                    waiting.remove(step)
                    bad[step.id] = bad[broken]
                    done.blocked.append(Blocked(step=step.id, by=bad[broken]))
                    self.progress.blocked(step, bad[broken])
                elif all(need in good or need not in known for need in step.needs):
                    self._advance(step, waiting, running, good, bad, done)
            if running:
                self._collect(running, good, bad, done)
            elif len(waiting) == before:
                raise ConfigurationError(
                    "these steps need each other: " + ", ".join(sorted(step.id for step in waiting)),
                    where="mlops/pipelines/declared", mend="take one of the needs away",
                )

    def _advance(
        self, step: Step, waiting: list[Step], running: dict[str, _Started],
        good: set[str], bad: dict[str, str], done: Result,
    ) -> None:
        """A step whose needs are met: take its receipt, or start it when its lane is free."""
        begun = _Started.now(receipts.Inputs("", "", []), "")
        try:
            inputs = receipts.measure(step, self.run, self.sources)
            cached, reason = self._up_to_date(step, inputs)
        except MlopsError as error:
            waiting.remove(step)
            self._finish(step, begun, {"error": str(error), "exit_code": error.exit_code}, done)
            bad[step.id] = step.id
            return
        begun = dataclasses.replace(begun, inputs=inputs, reason=reason or "up to date")
        if cached is not None:
            waiting.remove(step)
            good.add(step.id)
            receipt = self._receipt(step, begun, cached.outputs, "cached", facts=cached.facts, run_id=cached.run_id)
            done.receipts.append(receipt)
            self.progress.ended(step, receipt)
            return
        lanes = self._open_lanes()
        if lanes.idle(step.process):
            waiting.remove(step)
            running[step.id] = dataclasses.replace(begun, clock=time.perf_counter())
            self.progress.started(step, reason)
            lanes.start(step)

    def _collect(
        self, running: dict[str, _Started], good: set[str], bad: dict[str, str],
        done: Result,
    ) -> None:
        lanes = self._open_lanes()
        ended = lanes.wait(0.2)
        if ended:
            self.sources.forget()
        self.progress.tick(lanes.running())
        for step, answer in ended:
            if self._finish(step, running.pop(step.id), answer, done):
                good.add(step.id)
            else:
                bad[step.id] = step.id

    def _up_to_date(self, step: Step, inputs: receipts.Inputs) -> tuple[Receipt | None, str]:
        """The receipt that makes the step unnecessary, or None and the reason why it has to run."""
        receipt = self.store.find(step, inputs.key)
        if receipt is None:
            return None, self._why(step, inputs)
        try:
            if receipts.outputs(step, self.run, self.sources) != receipt.outputs:
                return None, "an output is not what the step wrote"
        except MissingInputError as error:
            return None, f"its output {error.where} is not there"
        broken = step.holds(self.run) if step.holds else None
        return (None, broken) if broken else (receipt, "")

    def _why(self, step: Step, inputs: receipts.Inputs) -> str:
        last = self.store.last(step)
        if last is None:
            return NEVER
        ranks = {"file": 0, "code": 1, "address": 2, "setting": 3, "record": 4, "state": 5}
        changes = sorted(
            receipts.changed(last, inputs), key=lambda each: (not each.hash, ranks.get(each.namespace, 9), each.name)
        )
        if not changes:
            return "the Python version changed"
        first, more = changes[0], len(changes) - 1
        beyond = f" and {more} more" if more else ""
        if first.namespace in ("file", "code"):
            rule = self.explain(step.pipeline, first.name) if self.explain else None
            what = "is gone" if not first.hash else "changed"
            return f"{first.name} {what}{beyond}" + (f" ({rule})" if rule else "")
        if first.namespace == "state":
            return f"new output of {self._producers.get(first.name, first.name)}"
        return f"{first.name} changed{beyond}"

    def _finish(self, step: Step, begun: _Started, answer: dict[str, Any], done: Result) -> bool:
        error: str | None = answer.get("error")
        written: list[Artifact] = []
        if error is None:
            try:
                written = receipts.outputs(step, self.run, self.sources)
            except MlopsError as missing:
                error = f"the step ended well, but did not write what it declares: {missing}"
        outcome: Literal["success", "failure"] = "success" if error is None else "failure"
        receipt = self._receipt(step, begun, written, outcome, error=error, facts=answer.get("facts") or {})
        self.store.add(step, receipt)
        done.receipts.append(receipt)
        if error is not None:
            done.exit_codes.append(answer.get("exit_code", 2))
        self.progress.ended(step, receipt)
        return error is None

    def _receipt(
        self, step: Step, begun: _Started, written: list[Artifact], outcome: Outcome, *, facts: dict[str, Any],
        error: str | None = None, run_id: str | None = None,
    ) -> Receipt:
        return Receipt(
            run_id=run_id or str(uuid.uuid4()), parent_id=self.run_id, pipeline=step.pipeline, step=step.name,
            subject=step.subject, key=begun.inputs.key, code=begun.inputs.code, inputs=begun.inputs.artifacts,
            outputs=written, outcome=outcome, started=begun.at, seconds=round(time.perf_counter() - begun.clock, 4),
            reason=begun.reason, error=error, facts=facts, level=step.level,
        )

    def _open_lanes(self) -> Lanes:
        """The lanes; made, under the repository's lock, when something has to run for the first time."""
        if self.look:
            raise Moved
        if self._lanes is None:
            lock = files.lock(self.run.places.state / "run.lock", what="another `mlops` run")
            self._stack.enter_context(lock)
            self._lanes = Lanes(self.run, self.run.places.logs / self.run_id)
            self._stack.callback(self._lanes.close)
        return self._lanes


def _id(receipt: Receipt) -> str:
    return f"{receipt.pipeline}/{receipt.step}" + (f"/{receipt.subject}" if receipt.subject else "")
