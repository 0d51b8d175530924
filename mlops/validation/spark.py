"""The engine for data beyond one machine: Great Expectations on Spark.

Where Spark runs is Spark's own to say (`spark-submit`, `SPARK_CONF_DIR`, `MASTER`); without any of them it is this
machine. Types have Spark's names there (`DoubleType`), and rows have no numbers.
"""

from __future__ import annotations

import os
from typing import Any

from mlops.errors import ConfigurationError, UnavailableError
from mlops.validation import gx
from mlops.validation.compiled.table import Table
from mlops.validation.suites import Suite

ENGINE = "great_expectations/spark"


def run(suite: Suite, table: Table, *, parameters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Great Expectations' results for the suite, computed by Spark, one an expectation, in the suite's order.

    Files are read by Spark itself; rows in memory are handed to it.

    Raises:
        ConfigurationError: pyspark is not installed; an expectation is unknown or does not fit.
        UnavailableError: Spark does not start.
    """
    library = gx.load()
    expectations = gx.build(suite)
    session = _session()
    frame = _frame(session, table)
    asset = gx.context(library).data_sources.add_spark("spark").add_dataframe_asset("table")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    try:
        evaluated = gx.evaluate(suite, expectations, batch, parameters, rows=False)
    except Exception as error:  # a fault of its own, of whatever kind, is no verdict on the data
        raise ConfigurationError(
            f"Great Expectations could not run the suite on Spark: {str(error).strip().splitlines()[0][:300]}",
            where=suite.path, mend="correct the suite, or set validation.engine to compiled",
        ) from error
    found = {each.expectation_config.id: gx.plain(each) for each in evaluated}
    return gx.answered(suite, found, None)


def _session() -> Any:
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise ConfigurationError(
            "the setting validation.engine is spark, and pyspark is not installed",
            mend="install it: uv pip install -r requirements/spark.txt; or set validation.engine to compiled",
        ) from error
    builder: Any = SparkSession.builder.appName("switchyard")
    for key, value in (("spark.ui.enabled", "false"), ("spark.sql.session.timeZone", "UTC")):
        builder = builder.config(key, value)
    if not any(name in os.environ for name in ("MASTER", "SPARK_CONF_DIR", "SPARK_HOME")):
        builder = builder.master("local[*]").config("spark.driver.bindAddress", "127.0.0.1")
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    try:
        return builder.getOrCreate()
    except Exception as error:  # Py4J's and the operating system's, as no Java, no port, no master
        raise UnavailableError(
            f"Spark does not start: {str(error).strip().splitlines()[0][:300]}",
            mend="it needs Java 17 (java -version), and the master that MASTER names",
        ) from error


def _frame(session: Any, table: Table) -> Any:
    if table.paths:
        return session.read.parquet(*map(str, table.paths))
    rows = table.collect(table.frame)
    return session.createDataFrame(rows.rows(), schema=_schema(rows)) if rows.height else session.createDataFrame(
        [], schema=_schema(rows))


def _schema(rows: Any) -> Any:
    """Spark's types for a frame's columns; what has none of its own is text."""
    import polars as pl
    from pyspark.sql import types

    plain = {
        pl.Boolean: types.BooleanType(), pl.Float64: types.DoubleType(), pl.Float32: types.FloatType(),
        pl.Date: types.DateType(), **dict.fromkeys((pl.Int8, pl.Int16, pl.Int32, pl.Int64), types.LongType()),
        **dict.fromkeys((pl.UInt8, pl.UInt16, pl.UInt32), types.LongType()),
    }
    fields = []
    for name, dtype in rows.schema.items():
        kind = types.TimestampType() if isinstance(dtype, pl.Datetime) else plain.get(dtype, types.StringType())
        fields.append(types.StructField(name, kind, nullable=True))
    return types.StructType(fields)
