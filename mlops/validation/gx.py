"""The engine that is Great Expectations itself, on pandas, in memory, without telemetry.

Importing it costs seconds, so it is imported at the first validation and nowhere else.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlops.errors import ConfigurationError
from mlops.validation.compiled.engine import identity as compiled_identity
from mlops.validation.compiled.results import EXAMPLES, json_data
from mlops.validation.suites import Suite

if TYPE_CHECKING:
    import polars

ENGINE = "great_expectations/pandas"


def load() -> Any:
    """The package `great_expectations`, with telemetry and progress bars off.

    Raises:
        ConfigurationError: it is not installed.
    """
    os.environ["GX_ANALYTICS_ENABLED"] = "false"  # releases that have telemetry read it once, at the import
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)  # what goes wrong is in the results
    try:
        import great_expectations
    except ImportError as error:
        raise ConfigurationError(
            f"Great Expectations cannot be imported: {error}", mend="install the extra: pip install 'switchyard[data]'"
        ) from error
    return great_expectations


def build(suite: Suite, only: Sequence[int] | None = None) -> list[Any]:
    """Great Expectations' own objects for the suite, each with an id that tells its place.

    Args:
        only: The places of the expectations that are wanted, all when absent.

    Raises:
        ConfigurationError: an expectation is unknown, misspelt, or has arguments that it does not take.
    """
    load()
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
    from great_expectations.expectations.registry import list_registered_expectation_implementations

    known = list_registered_expectation_implementations()
    built = []
    for index in range(len(suite.expectations)) if only is None else only:
        raw = suite.expectations[index]
        if raw["type"] not in known:
            raise ConfigurationError(
                f"expectation {index + 1} has the unknown type {raw['type']!r}",
                where=suite.where(index), mend=_near(raw["type"], known),
            )
        try:
            settings = {name: value for name, value in raw.items() if name != "id"}
            built.append(ExpectationConfiguration(**settings, id=identity(suite, index)).to_domain_obj())
        except Exception as error:  # whatever it raises: an expectation it would drop is refused here
            raise ConfigurationError(
                f"expectation {index + 1}, {raw['type']}, is not valid: {_brief(error)}",
                where=suite.where(index), mend="correct its arguments (kwargs); their names and types must fit",
            ) from error
    return built


def run(
    suite: Suite, table: polars.DataFrame, only: Sequence[int] | None = None,
    parameters: dict[str, Any] | None = None, rows: bool = False,
) -> list[dict[str, Any]]:
    """Great Expectations' results for the suite on `table`, one an expectation, in the suite's order.

    Row indexes in them count from 0. An expectation that gave no result has a result that says so.

    Args:
        only: The places of the expectations that are run, all when absent.
        parameters: Beside the suite's own.
        rows: Whether all failing rows are named, not only the first.

    Raises:
        ConfigurationError: see `build`.
    """
    gx = load()
    expectations = build(suite, only)
    batch = _batch(gx, table)
    try:
        evaluated = evaluate(suite, expectations, batch, parameters, rows=rows)
        found = {each.expectation_config.id: plain(each) for each in evaluated}
    except Exception as error:  # a fault of its own, of whatever kind, is no verdict on the data
        raise ConfigurationError(
            f"Great Expectations could not run the suite: {_brief(error) or type(error).__name__}", where=suite.path,
            mend="correct the suite, or look the message up in Great Expectations' documentation",
        ) from error
    return answered(suite, found, only)


def answered(suite: Suite, found: dict[str, dict[str, Any]], only: Sequence[int] | None) -> list[dict[str, Any]]:
    """The results in the suite's order; an expectation without one has a result that says so."""
    return [
        found.get(identity(suite, index)) or _unanswered(suite.expectations[index], identity(suite, index))
        for index in (range(len(suite.expectations)) if only is None else only)
    ]


def context(gx: Any) -> Any:
    """A context that keeps everything in memory and draws no progress bars."""
    from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults

    nothing_on_disk = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
    made = gx.get_context(
        mode="ephemeral", project_config=DataContextConfig(store_backend_defaults=nothing_on_disk)
    )
    made.variables.progress_bars = {"globally": False}
    return made


def _batch(gx: Any, table: polars.DataFrame) -> Any:
    asset = context(gx).data_sources.add_pandas("memory").add_dataframe_asset("table")
    return asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": _frame(table)})


def evaluate(
    suite: Suite, expectations: list[Any], batch: Any, parameters: dict[str, Any] | None, *, rows: bool
) -> list[Any]:
    """Great Expectations' own results of the expectations on a batch of any of its engines."""
    from great_expectations.core import ExpectationSuite

    declared = ExpectationSuite(name=suite.name)
    declared.expectations = expectations
    outcome = batch.validate(
        declared, expectation_parameters={**suite.parameters, **(parameters or {})},
        result_format={"result_format": "COMPLETE" if rows else "SUMMARY", "partial_unexpected_count": EXAMPLES},
    )
    results: list[Any] = outcome.results
    return results


def _frame(table: polars.DataFrame) -> Any:
    """The table for pandas, text as plain objects: the type expectations do not know pandas' own text type."""
    frame = table.to_pandas()
    texts = [name for name in table.columns if str(table.schema[name]) == "String"]
    return frame.astype(dict.fromkeys(texts, object))


def identity(suite: Suite, index: int) -> str:
    """A stable id for the expectation at `index`."""
    return compiled_identity(suite.name, index)


def plain(result: Any) -> dict[str, Any]:
    """A result as plain JSON data, with exceptions in one shape.

    Great Expectations writes an exception either flat or keyed by metric; here it is always flat,
    with its last line for a traceback (the rest holds paths of the machine that ran it).
    """
    document: dict[str, Any] = json_data({
        "success": result.success,
        "expectation_config": result.expectation_config.to_json_dict(),
        "result": result.result,
        "meta": result.meta,
        "exception_info": result.exception_info,
    })
    document["success"] = bool(document["success"])
    document["expectation_config"].get("kwargs", {}).pop("batch_id", None)
    document["result"] = document["result"] or {}
    document["exception_info"] = _flat(document["exception_info"] or {})
    return document


def _flat(info: dict[str, Any]) -> dict[str, Any]:
    infos = [info] if "raised_exception" in info else [each for each in info.values() if isinstance(each, dict)]
    raised = next((each for each in infos if each.get("raised_exception")), None)
    if raised is None:
        return {"raised_exception": False, "exception_traceback": None, "exception_message": None}
    trace = str(raised.get("exception_traceback") or "").strip().splitlines()
    return {
        "raised_exception": True,
        "exception_traceback": trace[-1] if trace else None,
        "exception_message": str(raised.get("exception_message") or "no message"),
    }


def _unanswered(raw: dict[str, Any], id: str) -> dict[str, Any]:
    return {
        "success": False, "expectation_config": {**raw, "id": id}, "result": {}, "meta": {},
        "exception_info": {
            "raised_exception": True, "exception_traceback": None,
            "exception_message": "Great Expectations gave no result for this expectation",
        },
    }


def _near(name: str, known: list[str]) -> str:
    import difflib

    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else "its types are listed at greatexpectations.io/expectations"


def _brief(error: Exception) -> str:
    """The error's text on one line, pydantic's heading left out."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return "; ".join(lines[1:] if len(lines) > 1 and "validation error" in lines[0] else lines)[:300]
