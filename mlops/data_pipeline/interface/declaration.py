"""A schema and a feature configuration as the declaration and the suite that the pipeline's steps know."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import msgspec

from mlops.data_pipeline.dataset import Dataset, DatasetFile, contradictions
from mlops.data_pipeline.interface.records import DataSchema, FeatureEngineeringConfig
from mlops.errors import ConfigurationError, UsageError
from mlops.features.rules import contradictions as feature_contradictions
from mlops.files import write_atomic

COLUMN_FIELDS = ("type", "nullable", "format", "description", "unit")
RULES = ("min", "max", "values", "pattern", "unique")
DATE_PARTS = ("month", "weekday", "hour")
_ENCODINGS = {"onehot": "one_hot"}
_FEATURE_TYPES = {"numeric": "float", "categorical": "string", "datetime": "datetime"}


def check(schema: DataSchema) -> None:
    """Raise UsageError, which names the field, unless the schema says something that the pipeline can do."""
    where = f"schema {schema.name!r}"
    if not schema.columns:
        raise UsageError("names no columns", where=where, mend='give columns={"name": {"type": "string"}}')
    for name, column in schema.columns.items():
        unknown = [field for field in column if field not in (*COLUMN_FIELDS, *RULES)]
        if unknown:
            raise UsageError(
                f"column {name!r} has an unknown field {unknown[0]!r}", where=where,
                mend=f"its fields are {', '.join((*COLUMN_FIELDS, *RULES))}",
            )
        if "pattern" in column:
            try:
                re.compile(column["pattern"])
            except (re.error, TypeError) as error:
                raise UsageError(f"the pattern of {name!r} is no regular expression: {error}", where=where) from error
    document(schema, None, source="-", suite="-")


def check_features(config: FeatureEngineeringConfig) -> None:
    """Raise UsageError, which names the field, unless its methods are those that there are."""
    # One column of each kind, so that a method is looked at where the configuration names no column for it yet.
    whole = dataclasses.replace(
        config, numeric_features=config.numeric_features or ["number"],
        categorical_features=config.categorical_features or ["class"],
    )
    document(DataSchema(name=config.name, columns={"other": {"type": "string"}}), whole, source="-", suite="-")


def document(
    schema: DataSchema, features: FeatureEngineeringConfig | None, *, source: str, suite: str
) -> dict[str, Any]:
    """The declaration, as a data set's file has it. What the steps only warn of is no reason to stop a library's run.

    Raises:
        UsageError: it would be none: a type, a method or a combination that there is not.
    """
    columns = {
        name: {field: value for field, value in column.items() if field in COLUMN_FIELDS}
        for name, column in schema.columns.items()
    }
    warn = {"severity": "warn"}
    declared: dict[str, Any] = {
        "title": schema.name, "description": schema.description, "source": source, "suite": suite,
        "columns": columns, "target": schema.target, "identity": "rows",
        "checks": {
            "duplicates": warn, "volume": {"minimum_rows": 1, "minimum_test_rows": 1, **warn}, "label": warn,
            "missing": {name: {"maximum_share": 0.2, **warn} for name, each in columns.items() if each.get("nullable")},
        },
    }
    if features is not None:
        named = {
            "numeric": features.numeric_features, "categorical": features.categorical_features,
            "datetime": features.datetime_features,
        }
        for kind, names in named.items():
            for name in names:  # a feature that the schema does not name may be empty
                columns.setdefault(name, {"type": _FEATURE_TYPES[kind], "nullable": True})
        declared["features"] = _rules(features)
    read = _read(declared, schema.name)
    types = {name: each.type for name, each in read.columns.items()}
    for field, problem in feature_contradictions(read.features, types):
        raise UsageError(f"features: {field}: {problem}", where=f"schema {schema.name!r}", mend="correct the features")
    return declared


def _rules(config: FeatureEngineeringConfig) -> dict[str, dict[str, Any]]:
    """The configuration as rules, one a feature."""
    number: dict[str, Any] = {"scale": config.scaling_method, "impute": config.missing_method}
    if config.missing_method == "zero":
        number |= {"impute": "constant", "constant": 0.0}
    coded = _ENCODINGS.get(config.encoding_method, config.encoding_method)
    rules = {name: number for name in config.numeric_features}
    rules |= {name: {"operation": coded} for name in config.categorical_features}
    return rules | {
        f"{name}_{part}": {"operation": "cyclical", "of": name, "part": part}
        for name in config.datetime_features for part in DATE_PARTS
    }


def suite(schema: DataSchema, declared: dict[str, Any]) -> dict[str, Any]:
    """The Great Expectations suite that says what the schema says."""
    expectations: list[dict[str, Any]] = []

    def expect(kind: str, name: str, **more: Any) -> None:
        expectations.append({"type": f"expect_{kind}", "kwargs": {"column": name} | more})

    for name, column in declared["columns"].items():
        expect("column_to_exist", name)
        if not column.get("nullable", False):
            expect("column_values_to_not_be_null", name)
    for name, column in schema.columns.items():
        if "min" in column or "max" in column:
            expect("column_values_to_be_between", name, min_value=column.get("min"), max_value=column.get("max"))
        if "values" in column:
            expect("column_values_to_be_in_set", name, value_set=list(column["values"]))
        if "pattern" in column:
            expect("column_values_to_match_regex", name, regex=f"^(?:{column['pattern']})")
        if column.get("unique"):
            expect("column_values_to_be_unique", name)
    return {"name": schema.name, "expectations": expectations, "meta": {"schema": schema.version}}


def write(
    folder: Path, top: Path, name: str, source: str, schema: DataSchema, features: FeatureEngineeringConfig | None
) -> Dataset:
    """Write declaration and suite into `folder` (below `top`), and return the data set that they declare."""
    suite_path = folder / "suite.json"
    declared = document(schema, features, source=source, suite=suite_path.relative_to(top).as_posix())
    file = folder / "dataset.yaml"  # JSON is YAML
    write_atomic(file, json.dumps(declared, indent=2, ensure_ascii=False) + "\n")
    write_atomic(suite_path, json.dumps(suite(schema, declared), indent=2, ensure_ascii=False) + "\n")
    read = _read(declared, schema.name)
    fields = {field: getattr(read, field) for field in read.__struct_fields__}
    return Dataset(name=name, repository=top, file=file, **fields)


def _read(declared: dict[str, Any], name: str) -> DatasetFile:
    try:
        read = msgspec.convert(declared, DatasetFile)
    except msgspec.ValidationError as error:
        raise UsageError(
            f"cannot be done: {error}", where=f"schema {name!r}",
            mend="types are string, float, integer, boolean, datetime; methods are those of FeatureEngineeringConfig",
        ) from error
    try:
        for field, problem in contradictions(read):
            raise UsageError(f"{field}: {problem}", where=f"schema {name!r}", mend="correct the schema or the features")
    except ConfigurationError as error:
        raise UsageError(error.message, where=f"schema {name!r}", mend=error.mend) from error
    return read
