"""What a plan learns, from which rows, and what rules it refuses."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import polars as pl
import pytest

from mlops.errors import BadDataError, ConfigurationError
from mlops.features.fitting import MOST_CATEGORIES, columns_of_table, fit
from mlops.features.rules import FeatureRule, contradictions
from mlops.records import ColumnShape

SHAPES = [ColumnShape(name="x", type="float", nullable=True), ColumnShape(name="place", type="string", nullable=True)]
RULES = {
    "standard": FeatureRule(of="x", impute="mean", scale="standard"),
    "minmax": FeatureRule(of="x", impute="median", scale="minmax"),
    "robust": FeatureRule(of="x", scale="robust"),
    "place": FeatureRule(operation="one_hot", impute="most_frequent", description="where it is"),
}


def plan_of(table: pl.DataFrame, rules: dict[str, FeatureRule] = RULES) -> Any:
    return fit(rules, SHAPES, columns_of_table(table, SHAPES))


def rows(seed: int, count: int = 200) -> pl.DataFrame:
    chosen = random.Random(seed)
    return pl.DataFrame({
        "x": [None if chosen.random() < 0.1 else chosen.gauss(10, 3) for _ in range(count)],
        "place": [chosen.choice(["sea", "town", None]) for _ in range(count)],
    })


def test_parameters_are_those_of_scikit_learn() -> None:
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler

    table = rows(1)
    made = {feature.name: feature for feature in plan_of(table).features}
    values = table["x"].to_numpy().reshape(-1, 1)
    assert made["standard"].fill == pytest.approx(float(np.nanmean(values)), rel=1e-14)
    filled = SimpleImputer(strategy="mean").fit_transform(values)
    scaler = StandardScaler().fit(filled)
    assert (made["standard"].center, made["standard"].spread) == pytest.approx((scaler.mean_[0], scaler.scale_[0]))
    filled = SimpleImputer(strategy="median").fit_transform(values)
    assert made["minmax"].fill == float(np.nanmedian(values))
    assert made["minmax"].center == MinMaxScaler().fit(filled).data_min_[0]
    robust = RobustScaler().fit(values)
    assert (made["robust"].center, made["robust"].spread) == pytest.approx((robust.center_[0], robust.scale_[0]))
    assert made["place"].categories == ["sea", "town"] and made["place"].fill in ("sea", "town")


def test_the_order_of_the_rows_changes_nothing() -> None:
    table = rows(2).vstack(pl.DataFrame({"x": [0.0, -0.0, 1e16, 1.0, -1e16], "place": ["sea"] * 5}))
    wanted = plan_of(table).to_json()
    for seed in range(5):
        assert plan_of(table.sample(fraction=1.0, shuffle=True, seed=seed)).to_json() == wanted


def test_statistics_describe_the_training_rows_as_the_model_sees_them() -> None:
    plan = plan_of(rows(3))
    about = {output.name: output.statistics for output in plan.outputs}
    assert plan.rows == 200 and about["standard"].missing == 0 and about["robust"].missing > 0
    assert about["standard"].mean == pytest.approx(0, abs=1e-12) and about["standard"].deviation == pytest.approx(1)
    assert (about["minmax"].minimum, about["minmax"].maximum) == (0.0, 1.0)
    assert about["place=sea"].distinct == 2
    assert [each.description for each in plan.outputs if each.name.startswith("place")] == ["where it is"] * 2


def test_a_constant_column_is_only_centred() -> None:
    table = pl.DataFrame({"x": [4.0, 4.0], "place": [None, None]}, schema_overrides={"place": pl.String})
    plan = plan_of(table, {name: RULES[name] for name in ("standard", "minmax", "robust")})
    assert [(each.center, each.spread) for each in plan.features] == [(4.0, 1.0)] * 3


@pytest.mark.parametrize(
    ("values", "rule", "said"),
    [
        ([None, None], FeatureRule(impute="mean"), "nothing to learn mean"),
        ([None, math.nan], FeatureRule(scale="robust"), "nothing to learn robust"),
        ([1.7e308, -1.7e308], FeatureRule(scale="minmax"), "spreads further than a number"),
        ([1e200, -1e200], FeatureRule(scale="standard"), "spreads further than a number"),
        ([1.7e308, 1.7e308], FeatureRule(impute="mean"), "sum is beyond a number"),
        ([float(n) for n in range(MOST_CATEGORIES + 1)], FeatureRule(operation="one_hot"), "categories"),
    ],
)
def test_rows_that_teach_nothing_are_refused(values: list[Any], rule: FeatureRule, said: str) -> None:
    table = pl.DataFrame({"x": values}, schema={"x": pl.Float64})
    with pytest.raises(BadDataError, match=said) as caught:
        plan_of(table, {"x": rule})
    assert caught.value.where == "feature 'x'" and caught.value.mend


TYPES = {"x": "float", "y": "integer", "place": "string", "at": "datetime"}


@pytest.mark.parametrize(
    ("rule", "field", "said"),
    [
        (FeatureRule(), "f.of", "'f' is not among the columns"),
        (FeatureRule(of="plase"), "f.of", "did you mean 'place'"),
        (FeatureRule(operation="ratio", of="x"), "f.of", "names 1 columns, ratio takes 2"),
        (FeatureRule(of=["x", "y"]), "f.of", "names 2 columns, pass takes 1"),
        (FeatureRule(operation="product", of=["x", "place"]), "f.of", "takes numbers"),
        (FeatureRule(of="at"), "f.operation", "cyclical only"),
        (FeatureRule(operation="cyclical", of="x", part="hour"), "f.of", "takes a datetime"),
        (FeatureRule(operation="cyclical", of="at"), "f.part", "is missing"),
        (FeatureRule(operation="cyclical", of="at", part="hour", scale="minmax"), "f.scale", "no meaning"),
        (FeatureRule(of="x", part="hour"), "f.part", "no meaning"),
        (FeatureRule(operation="bucket", of="x"), "f.edges", "rise"),
        (FeatureRule(operation="bucket", of="x", edges=[1.0, 1.0]), "f.edges", "rise"),
        (FeatureRule(operation="bucket", of="x", edges=[1.0, math.inf]), "f.edges", "finite"),
        (FeatureRule(of="x", edges=[1.0]), "f.edges", "no meaning"),
        (FeatureRule(of="place", impute="median"), "f.impute", "categories"),
        (FeatureRule(operation="one_hot", of="y", impute="mean"), "f.impute", "categories"),
        (FeatureRule(of="place", scale="minmax"), "f.scale", "categories"),
        (FeatureRule(of="x", impute="constant"), "f.constant", "belong together"),
        (FeatureRule(of="x", constant=1.0), "f.constant", "belong together"),
        (FeatureRule(of="x", impute="constant", constant="one"), "f.constant", "does not fit"),
        (FeatureRule(of="place", impute="constant", constant=1.0), "f.constant", "does not fit"),
    ],
)
def test_rules_that_make_no_sense_name_their_field(rule: FeatureRule, field: str, said: str) -> None:
    found = list(contradictions({"f": rule}, TYPES))
    assert [(name, said in problem) for name, problem in found] == [(field, True)], found


def test_two_features_of_one_name_are_refused() -> None:
    rules = {"place": RULES["place"], "place=sea": FeatureRule(of="x")}
    with pytest.raises(ConfigurationError, match="two features give a column 'place=sea'"):
        plan_of(rows(1), rules)


def test_the_usual_rules() -> None:
    usual = {"x": FeatureRule(impute="median", scale="standard"), "place": FeatureRule(operation="one_hot")}
    plan = plan_of(rows(4), usual)
    assert [output.name for output in plan.outputs] == ["x", "place=sea", "place=town"]
    assert (plan.features[0].impute, plan.features[0].scale) == ("median", "standard")
