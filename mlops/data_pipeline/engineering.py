"""The declared features of a data set, learnt on its training part and made for both parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.data_pipeline.dataset import Dataset
from mlops.data_pipeline.tables import parts
from mlops.data_pipeline.tables.rows import Rows
from mlops.data_pipeline.tables.scratch import Scratch
from mlops.data_pipeline.tables.table_file import written
from mlops.errors import ConfigurationError
from mlops.features.fitting import columns_of_table, fit, table_of
from mlops.features.kept import sources_file
from mlops.records.features import FeaturePlan
from mlops.serving.features import apply

if TYPE_CHECKING:
    import polars

    from mlops.data_pipeline.tables.fingerprint import Words


def engineer(
    dataset: Dataset, rows: Iterable[tuple[str, polars.DataFrame, Words]], folder: Path, scratch: Scratch
) -> tuple[FeaturePlan, Iterator[tuple[str, polars.DataFrame, None]]]:
    """The plan that the training rows taught, and both parts with the features behind the columns that none is made of.

    Learning has the columns of the training rows that features are made of in memory; all else is by batches.

    Args:
        rows: The rows of both parts, see `process.split`.
        folder: Gets the files of what features are made of, as the parts are made.

    Raises:
        ConfigurationError: a rule does not fit the processed columns, or a feature has the name of another column.
        BadDataError: the training rows have nothing to learn from.
    """
    before = scratch.file()
    with parts.writing(dataset, before) as writer:
        writer.take(rows)
    plain = writer.made()
    tables = {split.name: Rows(before / split.file, name=dataset.name) for split in plain.splits}
    train = tables["train"]
    shapes = parts.shapes(dataset, train.schema, train.nulls())
    wanted = {source for name, rule in dataset.features.items() for source in rule.sources(name)}
    needed = train.collect(train.frame.select(name for name in train.columns if name in wanted))
    plan = fit(dataset.features, shapes, columns_of_table(needed, shapes), trained_on=plain.splits[0].fingerprint)
    kept = [name for name in train.columns if name not in {each.name for each in plan.columns}]
    twice = [output.name for output in plan.outputs if output.name in kept]
    if twice:
        raise ConfigurationError(
            f"field 'features': a feature and a column are both called {twice[0]!r}", where=dataset.file,
            mend="give the feature another name",
        )
    return plan, _made(plan, kept, tables, folder)


def _made(
    plan: FeaturePlan, kept: list[str], tables: dict[str, Rows], folder: Path
) -> Iterator[tuple[str, polars.DataFrame, None]]:
    names = [each.name for each in plan.columns]
    for part, rows in tables.items():
        with written(folder / sources_file(part)) as sources:
            for table in rows.batches(doing="made into features"):
                sources.add(table.select(names))
                made = table_of(apply(plan, columns_of_table(table, plan.columns)))
                yield part, table.select(kept).hstack(made), None
