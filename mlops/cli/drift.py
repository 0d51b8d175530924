"""`mlops data drift`: what changed between two samples of a data set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from mlops.cli.common import HERE, Format, FormatOption, RepositoryOption, open_workspace, print_json, print_table
from mlops.cli.declared import Argument, Exit, Option

if TYPE_CHECKING:
    from mlops.records.drift import ColumnDrift, DriftReport, DriftSide

_SIDE = "VERSION|FILE"


def drift(
    name: Annotated[str | None, Argument(metavar="[DATASET]", help="The data set.")] = None,
    dataset: Annotated[str | None, Option("--dataset", help="The same as DATASET.")] = None,
    before: Annotated[str, Option(
        "--from", metavar=_SIDE, help="A version, VERSION/train, VERSION/test, or a file in the data set's shape.",
    )] = "",
    after: Annotated[str, Option("--to", metavar=_SIDE, help="The same, for what came later.")] = "",
    format: FormatOption = Format.TABLE, repository: RepositoryOption = HERE,
) -> None:
    """Compare two samples, column by column and together. Exits 1 when they drifted, 2 where too few rows tell."""
    from mlops.data_pipeline import read_dataset
    from mlops.drift.report import between
    from mlops.errors import UsageError

    if bool(name) == bool(dataset):
        raise UsageError("name one data set", mend="mlops data drift DATASET, or --dataset DATASET")
    if not before or not after:
        raise UsageError("name both samples", mend=f"mlops data drift DATASET --from {_SIDE} --to {_SIDE}")
    places, _ = open_workspace(repository)
    found = between(places, read_dataset(places.repository, name or dataset or ""), before, after)
    if format is Format.JSON:
        print_json(found)
    else:
        _print(found)
    if found.blocking or found.verdict == "unjudged":
        raise Exit(1 if found.blocking else 2)


def _print(found: DriftReport) -> None:
    print_table([_row(each) for each in found.columns], (
        "COLUMN", "VERDICT", "EFFECT", "CORRECTED P", "SEEN FROM", "PSI", "EMPTY", "WHY",
    ))
    joint = found.joint
    why = "; ".join(joint.reasons) or f"{joint.tested} pairs, seen from a change of {joint.smallest or 1:.3f} on"
    print(f"\ntogether: {joint.verdict} ({why})")
    for label, names in (("missing", found.missing_columns), ("new, not compared", found.extra_columns)):
        if names:
            print(f"{label}: {', '.join(names[:20])}")
    drifted = sum(each.verdict == "drifted" for each in found.columns)
    print(
        f"{found.verdict}: {drifted} of {len(found.columns)} columns; {_told(found.reference)} → "
        f"{_told(found.current)}; {found.correction} over {found.tests} tests at {found.alpha:g}; page: {found.report}"
    )


def _told(side: DriftSide) -> str:
    return f"{side.name}{f' ({side.note})' if side.note else ''}, {side.rows} rows"


def _row(each: ColumnDrift) -> tuple[str, ...]:
    from mlops.drift.statistics import p_text

    values, missing = each.distribution, each.missing
    verdict = f"{each.verdict} ({each.size})" if each.size else each.verdict
    empty = f"{missing.reference:.1%} → {missing.current:.1%}" if missing else "-"
    new = f"new: {', '.join(list(each.new_names)[:3])}" if each.new_names else ""
    why = "; ".join([*each.reasons, *([new] if new else [])])
    if values is None:
        return each.column, verdict, "-", "-", "-", "-", empty, why
    return (
        each.column, verdict, f"{values.effect:.4f}", p_text(values.p_corrected), f"{values.smallest:.3f}",
        f"{values.psi:.4f}", empty, why,
    )
