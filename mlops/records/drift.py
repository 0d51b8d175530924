"""What changed between two samples of a data set, how sure that is, and what could not have been seen."""

from __future__ import annotations

from typing import Literal

from mlops.records.base import Document, Record

DriftVerdict = Literal["same", "drifted", "unjudged", "ignored"]


class DriftSide(Record, frozen=True, kw_only=True):
    """One of the two samples: a version, a file, or a stream window."""

    name: str
    rows: int
    note: str = ""


class DistributionDrift(Record, frozen=True, kw_only=True):
    """How the values of a column that are there are distributed, before and after.

    Attributes:
        effect: The effect size that the verdict goes by: `ks` for what has an order, `total_variation` for names.
        p: Of the two-sample test (Kolmogorov–Smirnov on the bin edges, chi-square for names); `p_corrected`: Holm's.
        smallest: The smallest true effect that these numbers of rows show with 95 % probability.
        smallest_shift: The same as a shift of a normal column, in its standard deviations.
        ks: Distance of the distribution functions at the edges; the whole one lies between it and `ks_at_most`.
        wasserstein: In standard deviations of the reference. `shift`: the same with its sign, the change of the mean.
        psi: Population stability index over at most ten groups of equal share. `js`: Jensen–Shannon distance, base 2.
    """

    test: str
    effect: float
    p: float
    p_corrected: float
    smallest: float
    psi: float
    js: float
    smallest_shift: float | None = None
    ks: float | None = None
    ks_at_most: float | None = None
    wasserstein: float | None = None
    shift: float | None = None
    total_variation: float | None = None


class MissingDrift(Record, frozen=True, kw_only=True):
    """The share of empty cells, before and after. `effect`: the difference; `smallest` as in DistributionDrift."""

    reference: float
    current: float
    effect: float
    p: float
    p_corrected: float
    smallest: float


class Bar(Record, frozen=True, kw_only=True):
    """The share of the values in a group of a column, before and after, for the page's plot."""

    label: str
    reference: float
    current: float


class ColumnDrift(Record, frozen=True, kw_only=True):
    """One column.

    Attributes:
        reasons: Why it drifted or could not be judged; empty for `same`.
        severity: `warn` is shown, but does not make the answer no.
        size: `slight`, `moderate` or `large`, where it drifted.
        threshold: The smallest effect that counts, from the data set's file; `missing_threshold` for empty cells.
        new_names, gone_names: Categories that only one side has, with their share there.
        outside: Share of the values beyond the reference's range.
    """

    column: str
    type: str
    verdict: DriftVerdict
    severity: Literal["block", "warn"]
    threshold: float
    missing_threshold: float
    reasons: list[str] = []
    size: str | None = None
    distribution: DistributionDrift | None = None
    missing: MissingDrift | None = None
    new_names: dict[str, float] = {}
    gone_names: dict[str, float] = {}
    outside: float | None = None
    bars: list[Bar] = []


class PairDrift(Record, frozen=True, kw_only=True):
    """The rank correlation of two columns (or of a category, as `column = name`), before and after."""

    first: str
    second: str
    reference: float
    current: float
    change: float
    p: float
    p_corrected: float
    drifted: bool


class JointDrift(Record, frozen=True, kw_only=True):
    """How the columns go together, with a false-alarm control of its own.

    Attributes:
        pairs: Those that changed most, the surest first. `tested`: how many there were.
        left_out: Columns that are beyond the number that is paired.
    """

    verdict: DriftVerdict
    method: str
    severity: Literal["block", "warn"]
    tested: int
    alpha: float
    threshold: float
    smallest: float | None = None
    reasons: list[str] = []
    pairs: list[PairDrift] = []
    left_out: list[str] = []


class DriftReport(Document, frozen=True, kw_only=True):
    """The answer to `mlops data drift`.

    Attributes:
        verdict: `drifted` where a column or the columns together drifted, whatever the severity; `unjudged` where
            there are too few rows to say.
        blocking: Whether something of severity `block` drifted: then the command's answer is no.
        alpha: The chance that any column is called drifted where nothing is, at most; `tests` share it by `correction`.
        missing_columns, extra_columns: Columns that only the reference, or only the current side, has.
        report: The page, as a path in the repository.
    """

    dataset: str
    verdict: DriftVerdict
    blocking: bool
    reference: DriftSide
    current: DriftSide
    alpha: float
    correction: str
    tests: int
    columns: list[ColumnDrift]
    joint: JointDrift
    missing_columns: list[str] = []
    extra_columns: list[str] = []
    notes: list[str] = []
    report: str | None = None
