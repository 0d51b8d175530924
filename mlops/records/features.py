"""The feature plan: how columns become features, with everything that was learnt from the training rows."""

from __future__ import annotations

from typing import Literal

from mlops.records.base import Document, Record
from mlops.records.data import ColumnShape

Operation = Literal[
    "pass", "log1p", "ratio", "difference", "product", "bucket", "one_hot", "ordinal", "cyclical"
]
Imputation = Literal["none", "median", "mean", "most_frequent", "constant"]
Scaling = Literal["none", "standard", "minmax", "robust"]
Part = Literal["", "minute", "hour", "weekday", "day", "day_of_year", "month"]


class FeatureStatistics(Record, frozen=True, kw_only=True):
    """A feature over the training rows, as the model sees it: after imputation and scaling.

    Attributes:
        missing: Rows where it is still missing.
        minimum, maximum, mean, deviation: Of a number; None where there is none. `deviation` is the population's.
    """

    rows: int
    missing: int
    distinct: int
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    deviation: float | None = None


class FeatureOutput(Record, frozen=True, kw_only=True):
    """One output column of a feature."""

    name: str
    type: Literal["float", "string"]
    statistics: FeatureStatistics
    description: str = ""


class Feature(Record, frozen=True, kw_only=True):
    """One feature with its fitted parameters. A result that is no finite number is missing.

    Attributes:
        sources: The columns that it is made of, in the operation's order.
        impute, scale: The methods that were asked for.
        fill: What stands for a missing value; None leaves it missing. Of categories it is one of them.
        center, spread: A number x becomes (x - center) / spread.
        edges: Of `bucket`, rising; a value gets the number of edges that are not above it.
        categories: Of `one_hot` and `ordinal`, as the training rows have them, sorted.
        part: Of `cyclical`: what of the moment (UTC) goes round.
        tables: Of `cyclical`: sine and cosine at each step of the circle, so that every machine has the same bits.
    """

    name: str
    operation: Operation
    sources: list[str]
    outputs: list[FeatureOutput]
    description: str = ""
    impute: Imputation = "none"
    fill: float | str | None = None
    scale: Scaling = "none"
    center: float = 0.0
    spread: float = 1.0
    edges: list[float] = []
    categories: list[str | float] = []
    part: Part = ""
    tables: list[list[float]] = []


class FeaturePlan(Document, frozen=True, kw_only=True):
    """All features of a model or a data set.

    Attributes:
        columns: The source columns that a row must have, and their types.
        rows: The training rows that it was fitted on, and `trained_on` their fingerprint, where it is known.
    """

    columns: list[ColumnShape]
    features: list[Feature]
    rows: int
    trained_on: str = ""

    @property
    def outputs(self) -> list[FeatureOutput]:
        """The output columns in order."""
        return [output for feature in self.features for output in feature.outputs]


class Taken(Record, frozen=True, kw_only=True):
    """A column that a model takes, and its type: as `ColumnShape` has them, or as a feature's output."""

    name: str
    type: str
    nullable: bool = True


class FeatureChain(Document, frozen=True, kw_only=True):
    """How a row becomes what a model takes: plans one after the other, those of its data set before its own.

    Attributes:
        columns: What a row must have.
        plans: Each makes its features of the row's columns and of what the plans before it made. A feature hides what
            was called so before it.
        takes: What the model takes, in its order: features, and columns of the row as they are.
    """

    columns: list[ColumnShape]
    plans: list[FeaturePlan]
    takes: list[Taken]

    @property
    def made(self) -> set[str]:
        """The names that the plans make."""
        return {output.name for plan in self.plans for output in plan.outputs}
