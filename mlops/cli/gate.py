"""`mlops gate`: open or closed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from mlops.cli.common import Format, FormatOption, new_app, print_json, print_table
from mlops.cli.declared import Exit, Option
from mlops.records import PipelineVerdict

app = new_app("Open or closed: compare what was planned with what happened.")


@app.command()
def gate(
    plan: Annotated[Path, Option(help="The plan that `mlops route --format json` wrote.")],
    needs: Annotated[Path, Option(help="GitHub's toJSON(needs).")],
    receipts: Annotated[
        Path | None, Option(help="Folder of receipts; each planned pipeline must have left some.")
    ] = None,
    beside: Annotated[
        list[str] | None, Option(help="A pipeline that starts by itself and has its own required check; repeat.")
    ] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Exits 0 when every planned pipeline succeeded and no other ran, 1 when not, 2 for a malformed file."""
    from mlops.errors import MissingInputError
    from mlops.records import Plan, read
    from mlops.records.gate import read_needs
    from mlops.routing.gate import decide, read_receipts

    try:
        content = needs.read_bytes()
    except OSError as error:
        raise MissingInputError(f"cannot be read: {error.strerror or error}", where=needs) from error
    made, results = read(Plan, plan), read_needs(content, where=str(needs))
    verdict = decide(made, results, beside=beside or ())
    # Where nothing was planned, or nothing ran, nothing left a receipt, and no download made the folder.
    proven = verdict.open and any(each.planned for each in verdict.pipelines)
    if receipts is not None and (receipts.is_dir() or proven):
        verdict = decide(made, results, read_receipts(receipts), beside=beside or ())
    if format is Format.JSON:
        print_json(verdict)
    else:
        if verdict.pipelines:
            print_table([_row(each) for each in verdict.pipelines], ("pipeline", "result", "", "why"))
        print("the gate is open" if verdict.open else "the gate is closed:")
        for problem in verdict.problems:
            print(f"  {problem!r}" if not problem.isprintable() else f"  {problem}")
    raise Exit(0 if verdict.open else 1)


def _row(each: PipelineVerdict) -> tuple[str, ...]:
    return each.pipeline, each.result, "ok" if each.ok else "WRONG", each.reason
