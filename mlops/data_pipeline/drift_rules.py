"""What a data set's file says of drift: how much must change before it counts, and what then happens."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec


class ColumnRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where one column differs from the rest; what is not given is as for the others."""

    effect: float | None = None
    missing: float | None = None
    severity: Literal["block", "warn", "ignore"] | None = None


class DriftRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When two samples of the data set count as different. The defaults are measured: see `docs/guide/drift.md`.

    Attributes:
        effect: The smallest change of a column's values that counts: of a number, the largest distance between the
            distribution functions; of a category, the share of rows that changed it. 0.01 is a shift
            of a normal column by a fortieth of its standard deviation.
        missing: The smallest change of the share of empty cells that counts.
        alpha: The chance, at most, that any column is called drifted where nothing is.
        correlation: The smallest change of a rank correlation that counts.
        joint_alpha: The chance, at most, that the columns together are called drifted where nothing is.
        minimum_rows: With fewer rows on a side nothing is judged.
        severity: `block`: drift makes the answer no; `warn`: it is shown. `joint_severity`: for the columns together.
        columns: Columns with rules of their own; `severity: ignore` for those that are meant to differ.
    """

    effect: float = 0.01
    missing: float = 0.01
    alpha: float = 0.01
    correlation: float = 0.05
    joint_alpha: float = 0.003
    minimum_rows: int = 50
    severity: Literal["block", "warn"] = "block"
    joint_severity: Literal["block", "warn"] = "block"
    columns: dict[str, ColumnRule] = {}

    def contradictions(self, columns: Iterable[str]) -> Iterator[tuple[str, str]]:
        """What does not make sense: a field below `drift`, and what is wrong with it.

        Args:
            columns: The data set's columns.
        """
        shares = {name: getattr(self, name) for name in ("effect", "missing", "alpha", "correlation", "joint_alpha")}
        for name, rule in self.columns.items():
            shares |= {f"columns.{name}.effect": rule.effect, f"columns.{name}.missing": rule.missing}
            if name not in columns:
                yield f"drift.columns.{name}", "is not among the columns"
        for field, share in shares.items():
            if share is not None and not 0 < share < 1:
                yield f"drift.{field}", f"{share} is not between 0 and 1"
        if self.minimum_rows < 1:
            yield "drift.minimum_rows", f"{self.minimum_rows} is not a number of rows"
