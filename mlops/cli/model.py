"""`mlops model`: train, evaluate, register and promote a model; its history."""

from __future__ import annotations

import enum
import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from mlops.cli.common import (
    HERE,
    Format,
    FormatOption,
    RepositoryOption,
    new_app,
    open_workspace,
    print_json,
    print_table,
)
from mlops.cli.declared import Argument, Exit, Option

if TYPE_CHECKING:
    from mlops.config import Settings, Workspace
    from mlops.records import Evaluation, ModelVersion, TrainedModel
    from mlops.training import ModelConfig

app = new_app("Train, evaluate, register and promote a model.")

ModelArgument = Annotated[str, Argument(metavar="MODEL", help="The stem of its file in model/configs.")]
DataOption = Annotated[
    str, Option("--data", help="The data version to use.", show_default="the one that the last run made")
]
WhyOption = Annotated[str, Option("--why", help="The reason, kept in the history.")]


class _Work:
    """A model with the places that its steps hand over in: those of the last run, or of one data version."""

    def __init__(self, repository: Path, model: str, data: str = "") -> None:
        from mlops.training import read_model

        self.places: Workspace
        self.settings: Settings
        self.places, self.settings = open_workspace(repository)
        self.config: ModelConfig = read_model(self.places.repository, model)
        if data:
            self.version = self.places.data / self.config.dataset / "versions" / data / "version.json"
        else:
            self.version = self.places.data_work(self.config.dataset) / "version.json"
        self.folder = self.places.model_work(model, data or "default")

    def check_data(self) -> None:
        """Raise MissingInputError where there is no such data version."""
        from mlops.errors import MissingInputError

        if not self.version.is_file():
            published = self.places.data / self.config.dataset / "versions"
            known = sorted(path.parent.name for path in published.glob("*/version.json"))
            raise MissingInputError(
                f"there is no such version of the data set {self.config.dataset!r}", where=self.version,
                mend=f"make one with `mlops run`; published are: {', '.join(known) or 'none'}",
            )

    def step(self, name: str) -> Any:
        """What the training room's step `name` answers; MissingInputError where there is no such data version."""
        self.check_data()
        from mlops.training import steps

        return getattr(steps, name)(self.places, self.settings, self.config, self.version, self.folder)


@app.command()
def train(
    model: ModelArgument, data: DataOption = "", format: FormatOption = Format.TABLE,
    repository: RepositoryOption = HERE,
) -> None:
    """Train a challenger, tracked by MLflow."""
    trained: TrainedModel = _Work(repository, model, data).step("train")
    if format is Format.JSON:
        return print_json(trained)
    print(f"{model}: trained on data version {trained.data}{_note(trained.simulated)}, run {trained.run_id}")
    print_table([(name, f"{value:.6g}") for name, value in trained.metrics.items()], ("metric", "value"))


@app.command()
def evaluate(
    model: ModelArgument, data: DataOption = "", format: FormatOption = Format.TABLE,
    repository: RepositoryOption = HERE,
) -> None:
    """Compare the challenger with the champion on the same held-out rows. Exit 1 for worse, or below a floor."""
    found: Evaluation = _Work(repository, model, data).step("evaluate")
    if format is Format.JSON:
        print_json(found)
    else:
        print(f"{model}: {found.verdict}: {found.reason}")
        print(f"judged on {found.holdout.rows:,} held-out rows{_note(found.simulated)}, {found.holdout.fingerprint}")
        print_table(
            [
                (name, f"{value:.6g}", f"{found.champion_metrics[name]:.6g}" if name in found.champion_metrics else "-")
                for name, value in found.metrics.items()
            ],
            ("metric", "challenger", "champion"),
        )
    if found.verdict in ("worse", "floor"):
        raise Exit(1)


@app.command()
def register(
    model: ModelArgument, data: DataOption = "", format: FormatOption = Format.TABLE,
    repository: RepositoryOption = HERE,
) -> None:
    """Register the challenger and write its bundle into the store."""
    made: ModelVersion = _Work(repository, model, data).step("register")
    if format is Format.JSON:
        return print_json(made)
    print(f"{model}: version {made.version} ({made.semantic}), served by {made.engine}, bundle {made.bundle}")
    print(made.bundle_sha256)


@app.command()
def promote(
    model: ModelArgument, data: DataOption = "", why: WhyOption = "promoted by hand",
    format: FormatOption = Format.TABLE,
    repository: RepositoryOption = HERE,
) -> None:
    """Make the challenger champion, or keep the champion (exit 0); exit 1 for worse, or below a floor."""
    work = _Work(repository, model, data)
    from mlops.promotion import promote as decide

    champion, verdict = decide(work.places, work.settings, work.config, work.folder, who=_who(), why=why)
    if format is Format.JSON:
        return print_json({"model": model, "verdict": verdict, "champion": champion.to_dict()})
    print(f"{model}: {verdict}: the champion is version {champion.version} ({champion.semantic})")


@app.command()
def history(
    model: ModelArgument, format: FormatOption = Format.TABLE, repository: RepositoryOption = HERE,
) -> None:
    """All versions of a model: stage, verdict, figures, and who moved them when and why."""
    work = _Work(repository, model)
    from mlops import experiment_tracker, model_registry

    experiment_tracker.prepare(work.settings)
    found = model_registry.history(work.settings, model)
    if format is Format.JSON:
        return print_json(found)
    metric = work.config.metric.name
    header = ("version", "semantic", "stage", "verdict", metric, "data", "moved", "why")
    print_table([_row(each, metric) for each in found["versions"]], header)


def _row(each: dict[str, Any], metric: str) -> tuple[str, ...]:
    last = each["moved"][-1] if each["moved"] else {"when": "-", "why": "-"}
    return (
        each["version"], each["semantic"], each["stage"] + (" (quarantined)" if each["quarantine"] else ""),
        each["verdict"], f"{each['metrics'][metric]:.6g}" if metric in each["metrics"] else "-",
        each["data"] + _note(each["simulated"]), last["when"][:19], last["why"],
    )


@app.command()
def retire(model: ModelArgument, why: WhyOption, repository: RepositoryOption = HERE) -> None:
    """Take the champion out of the competition: the next challenger is judged by the floors alone."""
    work = _Work(repository, model)
    from mlops.promotion import retire as take_out

    champion = take_out(work.settings, model, who=_who(), why=why)
    print(f"{model}: version {champion.version} is no champion any more; what is released stays released")


@app.command()
def quarantine(
    model: ModelArgument, version: Annotated[str, Argument(help="MLflow's integer or the semantic version.")],
    why: WhyOption = "by hand", lift: Annotated[bool, Option("--lift", help="End the quarantine.")] = False,
    repository: RepositoryOption = HERE,
) -> None:
    """Bar a version from promotion; a champion gives way to the one before it. --lift ends it."""
    work = _Work(repository, model)
    if lift:
        from mlops import model_registry

        model_registry.lift_quarantine(work.settings, model, version)
        return print(f"{model}: version {version} may be promoted again")
    from mlops.promotion import withdraw

    champion = withdraw(work.places, work.settings, model, version, who=_who(), why=why)
    stays = f"the champion is version {champion.version}" if champion else "there is no champion"
    print(f"{model}: version {version} is in quarantine; {stays}")


def _note(simulated: bool) -> str:
    return " (simulated data)" if simulated else ""


def _who() -> str:
    """Who asks: in CI the actor, else the account; a machine without one is no reason to fail."""
    try:
        return os.environ.get("GITHUB_ACTOR") or getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


class LevelChoice(str, enum.Enum):
    """How much a run does."""

    BOUNDED = "bounded"
    FULL = "full"


@app.command()
def run(
    names: Annotated[list[str], Argument(metavar="[MODEL]...", help="Models; all when none.")] = [],
    level: Annotated[LevelChoice, Option(
        help="bounded: train on a sample, judge, and register, promote and export nothing; full: everything."
    )] = LevelChoice.FULL,
    data: Annotated[list[str], Option(
        help='Data versions to use, and no others: "housing=VERSION"; repeat, or separate by spaces. Blank: none asked.'
    )] = [],
    format: FormatOption = Format.TABLE,
    repository: RepositoryOption = HERE,
) -> None:
    """Run the model pipeline where it is not up to date, with receipts. Exits 0, 1 for worse, 2 for not asked."""
    from mlops.cli.pipeline import run_pipeline
    from mlops.pipelines.asked import parse

    run_pipeline(["model"], names, repository=repository, format=format, level=level.value, asked=parse(data))
