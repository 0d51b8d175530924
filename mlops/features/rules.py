"""What a model's or a data set's file says of features: one rule each, and what can be wrong with it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import msgspec

from mlops.documents import suggestion
from mlops.records.features import Imputation, Operation, Part, Scaling
from mlops.serving.features import PERIODS

_PAIRS = ("ratio", "difference", "product")
_NUMBERS = ("log1p", *_PAIRS, "bucket")
_CODED = ("one_hot", "ordinal")


class FeatureRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One feature, before anything is learnt. The order is: operation, imputation, scaling.

    Attributes:
        operation: What becomes of the columns; `pass` takes one as it is.
        of: The column, or the two of `ratio`, `difference` and `product`; the feature's own name where none is given.
        impute: What stands for a missing result (of categories: for a missing category), learnt from the training rows.
        constant: What stands for it, with `impute: constant`.
        scale: `standard`: (x - mean) / standard deviation; `minmax`: to 0 … 1; `robust`: (x - median) / interquartile
            range; each of the training rows.
        edges: Of `bucket`.
        part: Of `cyclical`: which part of the moment becomes a sine and a cosine.
    """

    operation: Operation = "pass"
    of: str | list[str] = []
    impute: Imputation = "none"
    constant: float | str | None = None
    scale: Scaling = "none"
    edges: list[float] = []
    part: Part = ""
    description: str = ""

    def sources(self, name: str) -> list[str]:
        """The columns of the rule that is called `name`."""
        return [self.of] if isinstance(self.of, str) else self.of or [name]


Rules = Mapping[str, FeatureRule]


def contradictions(rules: Rules, types: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What does not fit together: a feature's field such as `hour.part`, and what is wrong with it.

    Args:
        types: Source column → string, float, integer, boolean or datetime.
    """
    for name, rule in rules.items():
        sources = rule.sources(name)
        wanted = 2 if rule.operation in _PAIRS else 1
        if len(sources) != wanted:
            yield f"{name}.of", f"names {len(sources)} columns, {rule.operation} takes {wanted}"
            continue
        unknown = [each for each in sources if each not in types]
        if unknown:
            yield f"{name}.of", f"{unknown[0]!r} is not among the columns{suggestion(unknown[0], types)}"
            continue
        yield from _operation(name, rule, [types[each] for each in sources])
        yield from _learning(name, rule, types[sources[0]])


def _operation(name: str, rule: FeatureRule, kinds: list[str]) -> Iterator[tuple[str, str]]:
    if rule.operation == "cyclical":
        if kinds[0] != "datetime":
            yield f"{name}.of", f"cyclical takes a datetime, the column is of type {kinds[0]}"
        if not rule.part:
            yield f"{name}.part", f"is missing: one of {', '.join(PERIODS)}"
    elif "datetime" in kinds:
        yield f"{name}.operation", "a datetime can be cyclical only"
    elif rule.operation in _NUMBERS and "string" in kinds:
        yield f"{name}.of", f"{rule.operation} takes numbers, the column is of type string"
    if rule.part and rule.operation != "cyclical":
        yield f"{name}.part", f"has no meaning for {rule.operation}"
    edges = rule.edges
    if rule.operation == "bucket" and (not edges or any(a >= b for a, b in zip(edges, edges[1:], strict=False))):
        yield f"{name}.edges", "must be numbers that rise, at least one"
    elif edges and rule.operation != "bucket":
        yield f"{name}.edges", f"have no meaning for {rule.operation}"
    elif not all(map(math.isfinite, edges)):
        yield f"{name}.edges", "must be finite"


def _learning(name: str, rule: FeatureRule, kind: str) -> Iterator[tuple[str, str]]:
    category = kind == "string" or rule.operation in _CODED
    if rule.operation == "cyclical" and (rule.impute, rule.scale) != ("none", "none"):
        yield f"{name}.impute" if rule.impute != "none" else f"{name}.scale", "has no meaning for cyclical"
    elif category and rule.impute in ("median", "mean"):
        yield f"{name}.impute", f"{rule.impute} has no meaning for categories: most_frequent or constant"
    if rule.scale != "none" and (rule.operation == "one_hot" or (kind == "string" and rule.operation == "pass")):
        yield f"{name}.scale", "has no meaning for categories"
    if (rule.impute == "constant") != (rule.constant is not None):
        yield f"{name}.constant", "and `impute: constant` belong together"
    elif rule.constant is not None and isinstance(rule.constant, str) != (kind == "string"):
        yield f"{name}.constant", f"{rule.constant!r} does not fit a column of type {kind}"
