"""What the housing data set does to its rows, once they are known to be good."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars

NUMBERS = (
    "longitude", "latitude", "housing_median_age", "total_rooms", "total_bedrooms", "population", "households",
    "median_income", "median_house_value",
)
CATEGORY = "ocean_proximity"


def process(table: polars.DataFrame) -> polars.DataFrame:
    """The validated census districts as a model takes them: nine numbers and a category, nothing else.

    Gaps in `total_bedrooms` stay gaps: what fills them is learnt from the training rows alone and is the
    model's own business, so that nothing of the held-out rows reaches it.
    """
    import polars as pl

    return table.select(
        *(pl.col(name).cast(pl.Float64).fill_nan(None) for name in NUMBERS),
        pl.col(CATEGORY).cast(pl.String).str.strip_chars(),
    )
