"""The declared features of a data set, learnt on its training part and made for both parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlops.data_pipeline import process as processing
from mlops.data_pipeline.dataset import Dataset
from mlops.data_pipeline.process import Part
from mlops.errors import ConfigurationError
from mlops.data_pipeline.table_file import parquet
from mlops.features.fitting import columns_of_table, fit, table_of
from mlops.features.kept import PLAN, sources_file
from mlops.records.features import FeaturePlan
from mlops.serving.features import apply

if TYPE_CHECKING:
    import polars


def engineer(dataset: Dataset, train: Part, test: Part) -> tuple[dict[str, bytes], Part, Part]:
    """What is kept beside the parts (see `mlops.features.kept`), and both parts with the features behind the columns
    that none is made of. The plan is what the training rows alone taught.

    Raises:
        ConfigurationError: a rule does not fit the processed columns, or a feature has the name of another column.
        BadDataError: the training rows have nothing to learn from.
    """
    shapes = processing.shapes(dataset, train.table)
    known = columns_of_table(train.table, shapes)
    plan = fit(dataset.features, shapes, known, trained_on=train.fingerprint)
    kept = [shape.name for shape in shapes if shape.name not in {each.name for each in plan.columns}]
    twice = [output.name for output in plan.outputs if output.name in kept]
    if twice:
        raise ConfigurationError(
            f"field 'features': a feature and a column are both called {twice[0]!r}", where=dataset.file,
            mend="give the feature another name",
        )
    one, two = (
        processing.part(each.name, _rows(plan, kept, each.table), ordered=dataset.ordered) for each in (train, test)
    )
    names = [each.name for each in plan.columns]
    beside = {PLAN: plan.to_json()} | {
        sources_file(each.name): parquet(each.table.select(names)) for each in (train, test)
    }
    return beside, one, two


def _rows(plan: FeaturePlan, kept: list[str], table: polars.DataFrame) -> polars.DataFrame:
    return table.select(kept).hstack(table_of(apply(plan, columns_of_table(table, plan.columns))))
