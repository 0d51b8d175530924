"""The proposal: a suite and, for a new data set, its file, as texts to review, to compare and to keep."""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.data_pipeline.dataset import Dataset
from mlops.data_pipeline.profile import expectations, figures, looking, relations, rules
from mlops.data_pipeline.profile.figures import Figures
from mlops.data_pipeline.profile.rules import Proposed
from mlops.errors import RefusedError
from mlops.files import write_atomic

if TYPE_CHECKING:
    import polars


@dataclasses.dataclass(frozen=True)
class Proposal:
    """What was seen, and what follows.

    Attributes:
        rules: What to put under `checks.rules` in the data set's file: in `declaration` already, where there is one.
        suite, declaration: The texts of the files; no declaration where the data set has one.
        suite_path, declaration_path: Where they belong.
    """

    name: str
    location: str
    rows: int
    figures: list[Figures]
    rules: list[Proposed]
    suite: str
    suite_path: Path
    declaration: str
    declaration_path: Path

    def to_dict(self) -> dict[str, Any]:
        """The answer as JSON has it."""
        return {
            "schema": 1, "dataset": self.name, "source": self.location, "rows": self.rows,
            "columns": [each.to_dict() for each in self.figures], "suite": json.loads(self.suite),
            "rules": [dataclasses.asdict(each) for each in self.rules],
            "declaration": self.declaration or None,
        }

    def rules_text(self) -> str:
        """The rules as they stand in a data set's file; empty for none."""
        return "\n".join(_indented(self.rules))

    def difference(self) -> str:
        """What the proposed suite has otherwise than the one that is there, as a unified diff; empty for none there."""
        if not self.suite_path.is_file():
            return ""
        there = json.loads(self.suite_path.read_bytes())
        known = _plain(there.get("expectations", []) if isinstance(there, dict) else [])
        return "\n".join(difflib.unified_diff(
            known, _plain(json.loads(self.suite)["expectations"]), self.suite_path.name, "proposed", lineterm="", n=1,
        ))

    def write(self) -> list[Path]:
        """Write the files, each where there is none, and return them.

        Raises:
            RefusedError: there is a suite already. Nothing is written.
        """
        if self.suite_path.exists():
            raise RefusedError(
                "there is a suite already, which is never replaced", where=self.suite_path,
                mend=f"take over what you want of `mlops data profile {self.name}`, or move the file away",
            )
        written = []
        if self.declaration:
            write_atomic(self.declaration_path, self.declaration)
            written.append(self.declaration_path)
        write_atomic(self.suite_path, self.suite)
        return [*written, self.suite_path]


def propose(repository: Path, name: str, source: str | None = None) -> Proposal:
    """Look at the data set's source, or at `source`, and propose.

    Raises:
        MissingInputError: neither a data set nor a file of that name.
        BadDataError: the file is no table.
    """
    table, dataset, known = looking.look(repository, name, source)
    seen = figures.of_table(table, dataset.columns)
    location = source or dataset.location
    there = {each.rule for each in dataset.checks.rules}
    made = [each for each in rules.proposed(table, seen) if each.rule not in there]
    return Proposal(
        name=name, location=location, rows=table.height, figures=seen, rules=made,
        suite=_suite(name, location, table.height, expectations.proposed(seen, relations.of_table(table, seen))),
        suite_path=dataset.suite_path, declaration="" if known else _declaration(dataset, table, made),
        declaration_path=dataset.file,
    )


def _suite(name: str, location: str, rows: int, made: list[expectations.Expectation]) -> str:
    """One expectation a line, as people edit suites."""
    lines = [f"    {json.dumps(each, ensure_ascii=False)}" for each in made]
    meta = json.dumps({"proposed_from": location, "rows": rows}, ensure_ascii=False)
    head = f'{{\n  "name": {json.dumps(name)},\n  "meta": {meta},\n  "expectations": [\n'
    return head + ",\n".join(lines) + "\n  ]\n}\n"


def _plain(listed: list[Any]) -> list[str]:
    """Expectations without notes, a line each, in an order of their own."""
    return sorted(
        json.dumps({"type": each["type"], "kwargs": dict(sorted(each["kwargs"].items()))}, ensure_ascii=False)
        for each in listed
    )


def _declaration(dataset: Dataset, table: polars.DataFrame, made: list[Proposed]) -> str:
    """The data set's file. Names are written as JSON texts, which are YAML too, whatever is in them."""
    reading = dataset.reading
    source = json.dumps(reading.path)
    if reading.delimiter:
        source = f"{{path: {source}, delimiter: {json.dumps(reading.delimiter)}}}"
    lines = [
        "# Proposed by `mlops data profile`: say what it is, what each column means, and what a model predicts.",
        f"title: {json.dumps(dataset.name)}", f"source: {source}", f"suite: {json.dumps(dataset.suite)}",
        "identity: rows    # `order` where the order of the rows is part of what the data is",
        "# target: COLUMN  # what a model predicts", "", "columns:",
    ]
    for name, column in dataset.columns.items():
        nullable = ", nullable: true" if column.nullable else ""
        lines.append(f"  {json.dumps(name, ensure_ascii=False)}: {{type: {column.type}{nullable}}}")
    checks = [*_duplicates(table, list(dataset.columns)), *_indented(made)]
    return "\n".join([*lines, *(["", "checks:", *checks] if checks else [])]) + "\n"


def _duplicates(table: polars.DataFrame, columns: list[str]) -> list[str]:
    """How many rows may repeat an earlier one, where some do; without the line none may."""
    repeated = table.height - table.n_unique(subset=columns)
    if not repeated:
        return []
    most = math.ceil(1000.0 * expectations.highest(repeated / table.height, table.height)) / 1000.0
    return [f"  duplicates: {{maximum_share: {min(most, 1.0)}}}    # {repeated:,} rows repeat an earlier one"]


def _indented(made: list[Proposed]) -> list[str]:
    lines = ["  rules:"] if made else []
    for each in made:
        lines += [
            f"    - name: {json.dumps(each.name, ensure_ascii=False)}    # {each.why}",
            f"      rule: {json.dumps(each.rule, ensure_ascii=False)}",
            f"      message: {json.dumps(each.message, ensure_ascii=False)}",
        ]
    return lines
