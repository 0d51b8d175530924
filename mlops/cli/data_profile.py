"""`mlops data profile`: look at data, propose a suite and, for a new data set, its file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

from mlops.cli.common import HERE, Format, FormatOption, RepositoryOption, open_workspace, print_json, print_table
from mlops.cli.declared import Argument, Option

if TYPE_CHECKING:
    from mlops.data_pipeline.profile.figures import Figures
    from mlops.data_pipeline.profile.proposal import Proposal

WIDTH = 40


def profile(
    name: Annotated[str, Argument(metavar="DATASET", help="A data set, or the name of a new one.")],
    source: Annotated[str | None, Option(
        "--source", help="A file to look at instead of the data set's own; a new data set needs one.")] = None,
    write: Annotated[bool, Option(
        "--write", help="Write the suite (and a new data set's file) where there is none; exits 1 where there is one."
    )] = False,
    format: FormatOption = Format.TABLE, repository: RepositoryOption = HERE,
) -> None:
    """Look at the data and propose a suite, each expectation with its reason; a new data set's file, too."""
    from mlops.data_pipeline.profile import proposal
    from mlops.errors import RefusedError

    places, _ = open_workspace(repository)
    made = proposal.propose(places.repository, name, source)
    refusal = None
    try:
        written = [path.relative_to(places.repository).as_posix() for path in (made.write() if write else [])]
    except RefusedError as error:
        written, refusal = [], error
    if format is Format.JSON:
        print_json(made.to_dict() | {"written": written, "difference": "" if written else made.difference()})
    else:
        _tell(made, written)
    if refusal is not None:
        raise refusal


def _tell(made: Proposal, written: list[str]) -> None:
    print(f"{made.name}: {made.rows:,} rows of {made.location}\n")
    print_table([_row(each) for each in made.figures],
                ("COLUMN", "TYPE", "EMPTY", "DISTINCT", "FROM", "MEDIAN", "TO", "MOSTLY"))
    print()
    if written:
        print("written: " + ", ".join(written) + "; review them, then run `mlops data run " + made.name + "`")
    elif difference := made.difference():
        print(difference)
        print(f"\n{made.suite_path.name} stays; --format json has the proposal with its reasons", file=sys.stderr)
    else:
        print(made.declaration + "\n" + made.suite if made.declaration else made.suite, end="")
        print(f"\n--write keeps it in {made.suite_path}", file=sys.stderr)
    if made.rules and not made.declaration:
        print(f"\nto consider under `checks` in {made.declaration_path.name}:\n{made.rules_text()}")


def _row(column: Figures) -> tuple[str, ...]:
    often = sorted(column.values, key=lambda pair: -pair[1])
    mostly = column.odd or ", ".join(f"{value} ({rows:,})" for value, rows in often[:3]) or column.mask
    return (
        column.name, column.type, f"{column.missing / max(column.rows, 1):.2%}" if column.missing else "",
        f"{column.distinct:,}", *(_shown(each) for each in (column.minimum, column.median, column.maximum)),
        mostly if len(mostly) <= WIDTH else f"{mostly[:WIDTH - 1]}…",
    )


def _shown(value: float | str | None) -> str:
    return "" if value is None else value if isinstance(value, str) else f"{value:.6g}"
