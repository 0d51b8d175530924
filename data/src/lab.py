"""The lab data set: cell nuclei in breast tissue samples, measured, with the diagnosis.

Real data: the Wisconsin diagnostic breast cancer data (W. N. Street, W. H. Wolberg, O. L. Mangasarian, 1993)
as scikit-learn ships it, 569 samples. Nothing is fetched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars

TARGET = "diagnosis"


def load() -> polars.DataFrame:
    """569 rows: 30 measurements in snake case (`mean_radius`, `radius_error`, …) and `diagnosis`, which is
    "malignant" or "benign"."""
    import polars as pl
    from sklearn.datasets import load_breast_cancer

    bunch = load_breast_cancer()
    columns = [str(name).replace(" ", "_") for name in bunch.feature_names]
    labels = [str(bunch.target_names[number]) for number in bunch.target]
    return pl.DataFrame(bunch.data, schema=columns, orient="row").with_columns(pl.Series(TARGET, labels))


def process(table: polars.DataFrame) -> polars.DataFrame:
    """The validated samples as a model takes them: the measurements as numbers, the diagnosis as text."""
    import polars as pl

    features = [name for name in table.columns if name != TARGET]
    return table.select(*(pl.col(name).cast(pl.Float64) for name in features), pl.col(TARGET).cast(pl.String))
