"""Relations and rules out of data: those that are there, none that is an accident, and what breaks them is found."""

from __future__ import annotations

import json
import random
from pathlib import Path

import polars as pl

from mlops.data_pipeline import read_dataset
from mlops.data_pipeline.dataset import Column
from mlops.data_pipeline.judge import judge
from mlops.data_pipeline.profile import expectations, figures, relations
from mlops.data_pipeline.profile.proposal import propose

REGIONS = ["NORTH EAST", "SOUTH", "WEST 2", "ISLAND"]


def orders(rows: int = 2000, seed: int = 1) -> pl.DataFrame:
    """`paid` never above `total`, and often next to it; `fee` small and unrelated; `weight` goes with `items`."""
    made = random.Random(seed)
    total = [round(made.lognormvariate(4, 0.6), 2) for _ in range(rows)]
    items = [float(made.randint(1, 400)) for _ in range(rows)]
    return pl.DataFrame({
        "total": total, "paid": [round(each * made.betavariate(4, 0.8), 2) for each in total],
        "fee": [round(made.uniform(0.1, 4), 2) for _ in range(rows)], "items": items,
        "weight": [round(each * made.lognormvariate(1, 0.1), 3) for each in items],
        "region": [made.choices(REGIONS, [500, 300, 200, 1])[0] for _ in range(rows)],
    })


def test_relations_that_hold_and_no_others() -> None:
    table = orders()
    seen = figures.of_table(table, {name: Column(type="float") for name in table.columns[:5]})
    found = {(each.upper, each.lower): each for each in relations.of_table(table, seen)}
    assert found["total", "paid"].strict and not found["total", "paid"].broken
    assert ("paid", "fee") not in found or not found["paid", "fee"].strict
    assert {each for each in found if "fee" not in each} == {("total", "paid"), ("weight", "items")}
    nothing = pl.DataFrame({"a": [0.0] * 500 + [float(each) for each in range(500)], "b": [0.0] * 1000})
    of_zeros = figures.of_table(nothing, {"a": Column(type="float"), "b": Column(type="float")})
    assert relations.of_table(nothing, of_zeros) == []


def test_what_is_proposed_finds_what_breaks_it(tmp_path: Path) -> None:
    orders().write_csv(tmp_path / "in.csv")
    made = propose(tmp_path, "orders", str(tmp_path / "in.csv"))
    assert {"total has 2 decimals", "paid has 2 decimals", "items is whole", "weight has 3 decimals",
            "items fits weight"} <= {each.name for each in made.rules}
    assert json.loads(made.suite)["expectations"] and "rules:" in made.declaration
    made.write()
    dataset, row = read_dataset(tmp_path, "orders"), pl.int_range(pl.len()) == 41
    other = orders(seed=2)

    def told(table: pl.DataFrame) -> str:
        table.write_csv(tmp_path / "given.csv")
        return judge(dataset, str(tmp_path / "given.csv")).summary()

    assert told(other).startswith("pass")
    assert "total and paid: 1 of 2000" in told(other.with_columns(paid=pl.when(row).then(pl.col("total") + 1).otherwise(
        "paid")))
    assert "items fits weight: 1 of 2000" in told(other.with_columns(weight=pl.when(row).then(pl.col("weight") * 10)
                                                                     .otherwise("weight")))
    assert "items is whole: 1 of 2000" in told(other.with_columns(items=pl.when(row).then(7.5).otherwise("items")))
    blank = other.with_columns(region=pl.when(row).then(pl.lit("South ")).otherwise("region"))
    assert "region: 1 of 2000" in told(blank)


def test_rows_that_repeat_are_allowed_where_they_did(tmp_path: Path) -> None:
    pl.concat([orders(), orders()[:100]]).write_csv(tmp_path / "in.csv")
    made = propose(tmp_path, "orders", str(tmp_path / "in.csv"))
    assert "duplicates: {maximum_share:" in made.declaration
    made.write()
    assert judge(read_dataset(tmp_path, "orders")).verdict == "pass"


def test_a_tail_of_counts_is_no_bound() -> None:
    """Many rows share the largest of small counts; another sample has a larger one."""
    made = random.Random(3)
    counts = pl.DataFrame({"n": [float(int(made.expovariate(0.5))) for _ in range(4000)]})
    seen = figures.of_table(counts.filter(pl.col("n") < 8), {"n": Column(type="float")})
    bounds = [each["kwargs"] for each in expectations.proposed(seen) if "between" in each["type"]]
    assert len(bounds) == 3 and all("mostly" in each or each.get("max_value", 99) > 8 for each in bounds), bounds
    same = figures.of_table(pl.DataFrame({"n": [4.0] * 800}), {"n": Column(type="float")})
    kwargs = [each["kwargs"] for each in expectations.proposed(same)]
    assert all("mostly" in each for each in kwargs if "max_value" in each or "value_set" in each), kwargs
