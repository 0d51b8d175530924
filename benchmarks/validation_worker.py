"""One contender: loads its library, then loads and validates the file for each line that it is sent.

Run by file name, in an environment that need not have ours: `python validation_worker.py CONTENDER FILE [once]`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SUITE = Path(__file__).with_name("validation_suite.json")
CODE = r"^[A-Z]{2}-[0-9]{5}$"
PLACES = ["<1H OCEAN", "INLAND", "ISLAND", "NEAR BAY", "NEAR OCEAN"]
STATES = ["new", "open", "closed"]
LIMITS: dict[str, tuple[float, float]] = {
    "longitude": (-125, -114), "latitude": (32, 42.5), "age": (1, 52), "rooms": (1, 50000), "bedrooms": (1, 10000),
    "population": (1, 50000), "households": (1, 10000), "income": (0, 16), "value": (10000, 600000),
}


def _frame(path: str) -> Any:
    import polars as pl

    return pl.read_csv(path) if path.endswith(".csv") else pl.read_parquet(path)


def reading(path: str) -> Callable[[], bool]:
    """Polars reads the file, and no more."""
    return lambda: _frame(path).height > 0


def compiled(path: str) -> Callable[[], bool]:
    """Ours, failing rows named."""
    import polars as pl

    from mlops.validation import read_suite, validate

    suite = read_suite(SUITE)
    return lambda: validate(suite, pl.read_csv(path) if path.endswith(".csv") else Path(path)).success


def great_expectations(path: str) -> Callable[[], bool]:
    """Great Expectations on pandas; SUMMARY, its default for reports."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    import pandas as pd
    from great_expectations.core.expectation_suite import ExpectationSuite

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    definition = context.data_sources.add_pandas("p").add_dataframe_asset("a").add_batch_definition_whole_dataframe("b")
    suite = ExpectationSuite(name="s", expectations=json.loads(SUITE.read_text())["expectations"])

    def run() -> bool:
        frame = pd.read_csv(path) if path.endswith(".csv") else pd.read_parquet(path)
        return bool(definition.get_batch({"dataframe": frame}).validate(suite, result_format="SUMMARY").success)

    return run


def dataframely(path: str) -> Callable[[], bool]:
    """dataframely's schema with the same rules; bad data is filtered, its failures counted."""
    import dataframely as dy
    import polars as pl

    def number(name: str, **more: Any) -> Any:
        low, high = LIMITS[name]
        whole = name in ("age", "population", "households")
        return dy.Int64(min=int(low), max=int(high), **more) if whole else dy.Float64(min=low, max=high, **more)

    class Rows(dy.Schema):
        id = dy.Int64(unique=True)
        longitude, latitude = number("longitude"), number("latitude")
        age, rooms = number("age"), number("rooms")
        bedrooms = number("bedrooms", nullable=True)
        population, households = number("population"), number("households")
        income, value = number("income"), number("value")
        proximity = dy.String(check=lambda column: column.is_in(PLACES))
        state = dy.String(check=lambda column: column.is_in(STATES))
        code = dy.String(regex=CODE, min_length=8, max_length=8)

        @dy.rule()
        def enough_rooms(cls) -> pl.Expr:
            return pl.col("rooms") >= pl.col("households")

        @dy.rule()
        def enough_people(cls) -> pl.Expr:
            return pl.col("population") >= pl.col("households")

    def run() -> bool:
        frame = _frame(path)
        facts = frame.select(
            pl.col("income").mean().is_between(1, 10).alias("mean"),
            pl.col("income").std().is_between(0.5, 5).alias("sd"),
            pl.col("value").mean().is_between(1e5, 4e5).alias("value"), (pl.col("age").max() >= 10).alias("age"),
            (pl.col("bedrooms").null_count() <= 0.05 * pl.len()).alias("few"), (pl.len() >= 1000).alias("rows"),
        ).row(0)
        if "broken" in path:
            good, failure = Rows.filter(frame)
            return all(facts) and not failure.counts()
        Rows.validate(frame)
        return all(facts)

    return run


def pandera(path: str) -> Callable[[], bool]:
    """Pandera on an eager Polars frame (on a lazy one it would check the schema alone)."""
    import pandera.polars as pa
    import polars as pl

    def figure(check: Callable[[Any], Any]) -> Any:
        return pa.Check(lambda data: data.lazyframe.select(check(pl.col(data.key))))

    def between(name: str) -> Any:
        return pa.Check.in_range(*LIMITS[name])

    more: dict[str, list[Any]] = {
        "income": [figure(lambda c: c.mean().is_between(1, 10)), figure(lambda c: c.std().is_between(0.5, 5))],
        "value": [figure(lambda c: c.mean().is_between(1e5, 4e5))], "age": [figure(lambda c: c.max() >= 10)],
        "bedrooms": [figure(lambda c: c.null_count() <= 0.05 * pl.len())],
    }
    whole = {"age", "population", "households"}
    columns = {
        name: pa.Column(pl.Int64 if name in whole else pl.Float64, [between(name), *more.get(name, [])],
                        nullable=name == "bedrooms") for name in LIMITS
    }
    columns |= {
        "id": pa.Column(pl.Int64, unique=True), "proximity": pa.Column(pl.String, pa.Check.isin(PLACES)),
        "state": pa.Column(pl.String, pa.Check.isin(STATES)),
        "code": pa.Column(pl.String, [pa.Check.str_matches(CODE), pa.Check.str_length(8, 8)]),
    }
    schema = pa.DataFrameSchema(columns, checks=[
        pa.Check(lambda data: data.lazyframe.select(pl.col("rooms") >= pl.col("households"))),
        pa.Check(lambda data: data.lazyframe.select(pl.col("population") >= pl.col("households"))),
        pa.Check(lambda data: data.lazyframe.select(pl.len() >= 1000)),
    ])

    def run() -> bool:
        try:
            schema.validate(_frame(path), lazy=True)
        except pa.errors.SchemaErrors:
            return False
        return True

    return run


def pointblank(path: str) -> Callable[[], bool]:
    """pointblank on Polars, without extracts of rows."""
    import pointblank as pb
    import polars as pl

    def run() -> bool:
        frame = _frame(path)
        plan = pb.Validate(frame)
        for name, (low, high) in LIMITS.items():
            plan = plan.col_vals_between(name, low, high, na_pass=True)
        for name in ("id", "income", "value", "proximity", "code"):
            plan = plan.col_vals_not_null(name)
        plan = plan.rows_distinct("id").col_vals_in_set("proximity", PLACES).col_vals_in_set("state", STATES)
        plan = plan.col_vals_regex("code", CODE).col_vals_expr(pl.col("code").str.len_chars() == 8)
        plan = plan.col_vals_expr(pl.col("rooms") >= pl.col("households"))
        plan = plan.col_vals_expr(pl.col("population") >= pl.col("households")).col_count_match(13)
        facts = frame.select(
            pl.col("income").mean().is_between(1, 10).alias("mean"),
            pl.col("income").std().is_between(0.5, 5).alias("sd"),
            pl.col("value").mean().is_between(1e5, 4e5).alias("value"), (pl.col("age").max() >= 10).alias("age"),
            (pl.col("bedrooms").null_count() <= 0.05 * pl.len()).alias("few"), (pl.len() >= 1000).alias("rows"),
        ).row(0)
        return bool(plan.interrogate(collect_extracts=False).all_passed()) and all(facts)

    return run


CONTENDERS: dict[str, Callable[[str], Callable[[], bool]]] = {
    "reading alone": reading, "compiled": compiled, "great_expectations": great_expectations,
    "dataframely": dataframely, "pandera": pandera, "pointblank": pointblank,
}


def main(name: str, path: str, once: bool) -> None:
    """Answer each line with the seconds of one load and validation, and what it found."""
    run = CONTENDERS[name](path)
    if once:
        print(json.dumps({"good": run()}))
        return
    print("ready", flush=True)
    for _ in sys.stdin:
        wall, cpu = time.perf_counter(), time.process_time()
        good = run()
        took = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        print(json.dumps({**took, "good": good}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:] == ["once"])
