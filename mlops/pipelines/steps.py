"""What a step is: a function of one room with its inputs and outputs declared as data."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.config import Settings, Workspace
from mlops.records.receipt import Artifact, Level

if TYPE_CHECKING:
    from mlops.sources import Sources

DEFAULT, GIVEN = "default", "given"
"""Variants of a run: on the sources that the tree configures, or on the user's own file (`DATA=`)."""


@dataclasses.dataclass(frozen=True)
class Run:
    """What all steps of one run share.

    Attributes:
        source: The file, folder, pattern or address that the user gave, None for none.
        given: The data sets whose own source it stands in for (`takes_data` in their files).
        who: Who is written down as having moved a model.
        level: Whether models are trained on everything and promoted, or proven on a sample.
        asked: Data set → the published version that models must use.
        apart: The data sets whose asked version is published, but is not what the steps here made last.
    """

    places: Workspace
    settings: Settings
    source: str | None = None
    given: tuple[str, ...] = ()
    who: str = "mlops run"
    level: Level = "full"
    asked: Mapping[str, str] = dataclasses.field(default_factory=dict)
    apart: tuple[str, ...] = ()

    @property
    def repository(self) -> Path:
        return self.places.repository

    def variant(self, dataset: str) -> str:
        """`given` where the user's file stands in for the data set's own source; an older version's own name."""
        if dataset in self.apart:
            return self.asked[dataset]
        return GIVEN if dataset in self.given else DEFAULT


@dataclasses.dataclass(frozen=True)
class Step:
    """One declared step.

    Attributes:
        function: `module:function`, called as `function(run, subject) -> facts`; its import closure is the step's code.
        product: `module:callable` references into the product that the step calls, followed like imports.
        files: Input files, as paths from the repository's top or absolute.
        states: Input files under `.mlops/` that other steps write.
        outputs: Files under `.mlops/` that the step writes.
        optional: Those that it writes only where there is something to tell; that one is absent is an outcome too.
        needs: Ids of the steps that must be done before.
        beyond: Further inputs that are no files, such as which version is champion; asked before the step runs.
        holds: Whether the outside world still is as the step left it (services that run, for example); asked where the
            receipt says that nothing changed. Returns the reason why not, or None.
        lane: The worker process that runs it; one lane runs one step at a time.
        level: For a step that a bounded run does otherwise: which one this is. Their receipts are never each other's.
    """

    pipeline: str
    name: str
    subject: str
    function: str
    product: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    beyond: Callable[[Run], list[Artifact]] | None = None
    holds: Callable[[Run], str | None] | None = None
    code: Callable[[Sources], list[str]] | None = None
    lane: str = ""
    level: Level | None = None

    @property
    def id(self) -> str:
        """`pipeline/name/subject`, `pipeline/name` where there is no subject."""
        return f"{self.pipeline}/{self.name}" + (f"/{self.subject}" if self.subject else "")

    @property
    def process(self) -> str:
        """The lane, its pipeline's own where none is named."""
        return self.lane or self.pipeline


def state_path(run: Run, path: Path) -> str:
    """A path under `.mlops/` as steps declare it."""
    return path.relative_to(run.places.state).as_posix()
