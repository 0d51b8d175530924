"""The receipts store, and the one mechanism for "up to date".

A step's key is a hash over its name, its code (the import closure of its function, and the lock
file) and its inputs. A successful receipt with the same key, whose outputs still are what it says,
means that there is nothing to do.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from mlops import files
from mlops.errors import InvalidRecordError, MissingInputError
from mlops.pipelines.steps import Run, Step
from mlops.records import read
from mlops.records.receipt import Artifact, Receipt
from mlops.sources import LOCK_FILE, Sources

_KEPT = 20  # receipts kept for each step: earlier inputs that come back are recognised


@dataclasses.dataclass(frozen=True)
class Inputs:
    """What a step would run on, hashed, and the key made of it."""

    key: str
    code: str
    artifacts: list[Artifact]


def measure(step: Step, run: Run, sources: Sources) -> Inputs:
    """Hash the inputs of `step`.

    Raises:
        MissingInputError: an input file is not there.
        ConfigurationError: its code cannot be read.
    """
    paths = sources.closure([step.function, *(reference for reference in step.product)])
    if step.code is not None:
        paths = sorted({*paths, *step.code(sources)})
    code = [Artifact(namespace="code", name=path, hash=sources.hash(path)) for path in [*paths, LOCK_FILE]]
    found = [Artifact(namespace="file", name=path, hash=sources.hash(path)) for path in step.files]
    found += [
        Artifact(namespace="state", name=path, hash=sources.hash(str(run.places.state / path))) for path in step.states
    ]
    found += step.beyond(run) if step.beyond else []
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    code_hash = files.combine([*((each.name, each.hash) for each in code), ("python", python)])
    named = [(f"{each.namespace}:{each.name}", each.hash) for each in found]
    if step.level == "bounded":
        named.append(("level", step.level))
    return Inputs(files.combine([("step", step.id), ("code", code_hash), *named]), code_hash, [*code, *found])


def outputs(step: Step, run: Run, sources: Sources) -> list[Artifact]:
    """The step's declared outputs as they are now; an optional one that is absent has an empty hash.

    Raises:
        MissingInputError: one is not there.
    """
    found = [
        Artifact(namespace="state", name=path, hash=sources.hash(str(run.places.state / path))) for path in step.outputs
    ]
    for path in step.optional:
        place = run.places.state / path
        found.append(Artifact(namespace="state", name=path, hash=sources.hash(str(place)) if place.is_file() else ""))
    return found


class Store:
    """Receipts as files: `receipts/PIPELINE/STEP[-SUBJECT][.bounded]/KEY.json`, and `last.json`, the newest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def place(self, step: Step) -> Path:
        """The folder of a step's receipts."""
        name = f"{step.name}-{step.subject}" if step.subject else step.name
        return self.folder / step.pipeline / (f"{name}.bounded" if step.level == "bounded" else name)

    def find(self, step: Step, key: str) -> Receipt | None:
        """The successful receipt of `step` for `key`; None where there is none (a damaged one is none)."""
        return self._read(self.place(step) / f"{_short(key)}.json")

    def last(self, step: Step) -> Receipt | None:
        """The newest successful receipt of `step`."""
        return self._read(self.place(step) / "last.json")

    def add(self, step: Step, receipt: Receipt) -> None:
        """Keep a receipt; a failed one is kept as `failed.json` and is never up to date.

        Raises:
            ConfigurationError: the folder cannot be written.
        """
        place = self.place(step)
        if receipt.outcome == "failure":
            files.write_atomic(place / "failed.json", receipt.to_json())
            return
        content = receipt.to_json()
        files.write_atomic(place / f"{_short(receipt.key)}.json", content)
        files.write_atomic(place / "last.json", content)
        (place / "failed.json").unlink(missing_ok=True)
        kept = sorted(place.glob("[0-9a-f]" * 24 + ".json"), key=lambda path: path.stat().st_mtime_ns)
        for old in kept[:-_KEPT]:
            old.unlink(missing_ok=True)

    @staticmethod
    def _read(path: Path) -> Receipt | None:
        try:
            return read(Receipt, path)
        except (MissingInputError, InvalidRecordError):
            return None


def leave(folder: Path, receipts: Sequence[Receipt], commit: str | None = None) -> None:
    """Put the receipts of one run, and none from before, into `folder`: `STEP[-SUBJECT].json`.

    The store remembers; this is what a gate takes as proof that the pipeline went through here and now.

    Raises:
        ConfigurationError: the folder cannot be written.
    """
    with files.atomic_folder(folder) as made:
        for each in receipts:
            name = f"{each.step}-{each.subject}" if each.subject else each.step
            left = msgspec.structs.replace(each, commit=commit, run_size=len(receipts))
            files.write_atomic(made / f"{name}.json", left.to_json())


def _short(key: str) -> str:
    return key.removeprefix("sha256:")[:24]


def changed(before: Receipt, now: Inputs) -> list[Artifact]:
    """The inputs that differ between a receipt and now: changed, new, or gone (with an empty hash)."""
    old = {(each.namespace, each.name): each.hash for each in before.inputs}
    new = {(each.namespace, each.name): each for each in now.artifacts}
    different = [each for place, each in new.items() if old.get(place) != each.hash]
    gone = [Artifact(namespace=space, name=name, hash="") for space, name in old if (space, name) not in new]
    return different + gone
