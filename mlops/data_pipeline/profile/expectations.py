"""Expectations out of figures, each with the reason and with a margin, so that another sample of the data passes.

A sample's largest value is no bound: in another sample of the same size, one in two has a larger one. So a range
is proposed twice. Once as seen, which a few rows may leave: how many of another sample's rows do is a matter of
counting alone, whatever the distribution (which of two halves a far row falls into is the toss of a coin). And once
wider, which no row may leave: how much wider, the tail itself tells (Hill's estimate of how fast it ends). That a
column is never empty is taken for a rule where no row speaks against it.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

from mlops.data_pipeline.profile.figures import TAIL, Figures
from mlops.data_pipeline.profile.relations import Relation

FEWEST = 100
"""With fewer rows nothing is said of values: any of them may be an accident."""
BEYOND = 16
"""Rows of another sample that may lie beyond both ends of what was seen: more do in about 1 of 15,000 samples
(18 / 2^18)."""
UNSEEN = 12
"""Rows of another sample that may hold a value that was not seen: more do in about 1 of 8,000 (2^-13)."""
RARE = 1e-4
"""The chance that the farthest value of another sample lies beyond the wide bound."""
FEW = 20
"""A value that this many rows share is no accident: a half of them lacks it once in a million. It is a bound where they
are far more than those of the value before, too: a heap, and not a tail that goes on."""
HEAP = 3
"""How many times as many rows are at a bound as at the value before it."""
FARTHEST = 10
"""A tail is also looked at with so few: some columns are two kinds of rows, and the rare ones reach farther."""
LIGHT = 0.9
"""Spread of the distances beyond the k-th farthest, in their mean: 1 where a tail ends exponentially, more where it is
heavy, less where it is lighter (0.87 of a normal column)."""
TYPES = {
    "float": ["float64", "int64"], "integer": ["int64"], "boolean": ["bool"], "datetime": ["datetime64"],
}

Expectation = dict[str, Any]


def proposed(figures: Sequence[Figures], relations: Sequence[Relation] = ()) -> list[Expectation]:
    """The expectations of a table, in the order table, presence, types, values, relations."""
    rows = figures[0].rows if figures else 0
    least = max(1, rows // 4)
    made = [_made(
        "table_row_count_to_be_between", f"{rows:,} rows were seen; a delivery of less than a quarter is cut short",
        min_value=least,
    )]
    made += [_made("column_to_exist", "the column was there", column=each.name) for each in figures]
    made += [
        _of_type(each) for each in figures
        if not each.odd and each.type in ("float", "integer", "string") and each.known
    ]
    for each in figures:
        made += _of_column(each)
    return made + [_relation(each) for each in relations]


def _of_type(column: Figures) -> Expectation:
    """Text is asked in another way: in a list of types, no name stands for the type that pandas 3 gives it."""
    why = f"all cells can be read as {column.type}"
    if column.type == "string":
        return _made("column_values_to_be_of_type", why, column=column.name, type_="str")
    types = ["int64", "float64"] if column.type == "integer" and column.missing else TYPES[column.type]
    return _made("column_values_to_be_in_type_list", why, column=column.name, type_list=types)


def _of_column(column: Figures) -> Iterator[Expectation]:
    if column.rows < FEWEST or column.odd:
        return
    yield from _presence(column)
    if column.known < FEWEST:
        return
    if is_category(column):
        yield from _category(column)
        return
    key = _is_key(column)
    if column.type in ("float", "integer") and not key:  # the numbers of new rows go on where these end
        yield from _range(column)
    elif column.type == "datetime":
        yield from _moments(column)
    elif column.type == "string":
        yield from _texts(column)
    if key:
        yield _made(
            "column_values_to_be_unique", f"{column.known:,} rows have as many different values, and by chance some "
            "would be the same", column=column.name,
        )


def _presence(column: Figures) -> Iterator[Expectation]:
    if not column.missing:
        yield _made("column_values_to_not_be_null", f"none of {column.rows:,} rows is empty", column=column.name)
        return
    share = column.missing / column.rows
    most = highest(share, column.rows)
    if most < 1.0:
        yield _made(
            "column_values_to_not_be_null",
            f"{share:.2%} are empty; another sample of this size has up to {most:.2%} (five standard deviations more)",
            column=column.name, mostly=_share(1.0 - most),
        )


def highest(share: float, rows: int) -> float:
    """The share that another sample of as many rows stays below where this one has `share`: five standard deviations
    more, and a few rows."""
    return share + 5.0 * math.sqrt(2.0 * share * (1.0 - share) / rows) + BEYOND / rows


def is_category(column: Figures) -> bool:
    """Few values, each of them often: in the mean, in twenty rows; numbers only where they hardly are quantities."""
    few = 0 < len(column.values) and column.known >= 20 * len(column.values)
    return few and (column.type in ("string", "boolean") or len(column.values) <= 10)


def _category(column: Figures) -> Iterator[Expectation]:
    """The values, and how they are written: what is too rare for one sample is in another by chance."""
    values = [value for value, _ in column.values]
    rarest = min(rows for _, rows in column.values)
    seen = f"{len(values)} values, the rarest in {rarest:,} rows"
    yield _made(
        "column_values_to_be_in_set", f"{seen}; {UNSEEN} rows of "
        "another sample may have a value that is too rare for this one. Leave `mostly` out when you know the set to be "
        "whole",
        column=column.name, value_set=values, mostly=_share(1.0 - UNSEEN / column.known),
    )
    letters = _letters([value for value in values if isinstance(value, str)]) if column.type == "string" else ""
    if letters:
        yield _made("column_values_to_match_regex", f"{len(values)} values are written with these letters, and without "
                    "blanks around; others will be too", column=column.name, regex=letters)


def _letters(values: Sequence[str]) -> str:
    """The regular expression of texts with the kinds of letters that these have; empty where they are of other
    alphabets, or few."""
    text = "".join(values)
    if len(values) < 3 or not text.isascii() or not text.isprintable() or any(each != each.strip() for each in values):
        return ""
    kinds = [kind for kind in ("A-Z", "a-z", "0-9") if re.search(f"[{kind}]", text)]
    marks = sorted(set(re.sub("[A-Za-z0-9 ]", "", text)))
    solid = "[" + "".join(kinds) + "".join("\\" + each for each in marks) + "]"
    return f"^{solid}(?:[ ]?{solid})*$" if " " in text else f"^{solid}+$"


def _range(column: Figures) -> Iterator[Expectation]:
    low, high, middle = float(column.minimum or 0), float(column.maximum or 0), column.median or 0.0
    if low == high:
        yield _made(
            "column_values_to_be_between", f"all {column.known:,} rows have one value; {UNSEEN} rows of another sample "
            "may have another", column=column.name, min_value=_number(column, low), max_value=_number(column, high),
            mostly=_share(1.0 - UNSEEN / column.known),
        )
        return
    held_low = column.at_minimum >= max(FEW, HEAP * column.next_minimum)
    held_high = column.at_maximum >= max(FEW, HEAP * column.next_maximum)
    if not (held_low and held_high):
        yield _made(
            "column_values_to_be_between", f"the range of {column.known:,} rows; {BEYOND} rows of another sample of "
            "that size may leave it", column=column.name, min_value=_number(column, low),
            max_value=_number(column, high), mostly=_share(1.0 - BEYOND / column.known),
        )
    wide_low, why_low = (low, f"{column.at_minimum} rows share the smallest value") if held_low else wide(
        column.low_tail, middle, low)
    wide_high, why_high = (high, f"{column.at_maximum} rows share the largest value") if held_high else wide(
        column.high_tail, middle, high)
    if low >= 0.0 > wide_low and (high - middle) > 2.0 * (middle - low):
        wide_low, why_low = 0.0, "never below zero, and with a long way up only"
    if math.isfinite(wide_low) and math.isfinite(wide_high):
        yield _made(
            "column_values_to_be_between", f"no row beyond: {why_low}; {why_high}", column=column.name,
            min_value=_number(column, wide_low, down=True), max_value=_number(column, wide_high, up=True),
        )
    if column.low is not None and column.high is not None and column.distinct > 10:
        yield _made(
            "column_median_to_be_between", "between the quantiles that the median of another sample of this size does "
            "not leave (five standard deviations)", column=column.name, min_value=column.low, max_value=column.high,
        )


def wide(tail: Sequence[float], middle: float, end: float) -> tuple[float, str]:
    """The bound that another sample's farthest value leaves with the chance `RARE`, and why it is there.

    A tail that is lighter than an exponential one is taken for that: beyond the k-th farthest, distances fall off by
    their mean. For others Hill's estimate: they fall off as a power, whose exponent is the reciprocal of their mean
    logarithm above the k-th. A tail that ends sooner has a larger exponent.
    """
    distances = sorted((abs(value - middle) for value in tail), reverse=True)
    last = distances[-1] if len(distances) == TAIL else 0.0
    if last <= 0.0:
        factor = 10.0
    elif _is_light(distances):
        factor = max(ends_at(distances[:few]) for few in (FARTHEST, TAIL)) / distances[0]
    else:
        mean = math.fsum(math.log(each / last) for each in distances[:-1]) / (len(distances) - 1)
        factor = RARE ** -mean if mean * -math.log(RARE) < 700 else math.inf
    factor = max(factor, 1.5)
    return middle + (end - middle) * factor, f"{factor:.3g} times as far from the median as the farthest"


def _is_light(distances: Sequence[float]) -> bool:
    beyond = [each - distances[-1] for each in distances[:-1]]
    usual = math.fsum(beyond) / len(beyond)
    return math.fsum((each - usual) ** 2 for each in beyond) < len(beyond) * (LIGHT * usual) ** 2


def ends_at(farthest: Sequence[float]) -> float:
    """Where a tail that falls off exponentially ends with the chance `RARE`: beyond the least of the k farthest by its
    mean distance from the others, times log(k / RARE)."""
    last = min(farthest)
    mean = math.fsum(each - last for each in farthest) / max(len(farthest) - 1, 1)
    return last + mean * math.log(len(farthest) / RARE)


def _moments(column: Figures) -> Iterator[Expectation]:
    first = datetime.datetime.fromisoformat(str(column.minimum))
    last = datetime.datetime.fromisoformat(str(column.maximum))
    try:
        least = first - (last - first)
    except OverflowError:
        return
    yield _made(
        "column_values_to_be_between", "as long before the first moment as the rows span; later ones will come",
        column=column.name, min_value=least.replace(microsecond=0).isoformat(),
    )


def _texts(column: Figures) -> Iterator[Expectation]:
    yield _made(
        "column_value_lengths_to_be_between", f"the lengths of {column.known:,} rows; {BEYOND} rows of another sample "
        "of that size may leave them", column=column.name, min_value=int(column.minimum or 0),
        max_value=int(column.maximum or 0), mostly=_share(1.0 - BEYOND / column.known),
    )
    pattern = _pattern(column.mask)
    if pattern:
        yield _made(
            "column_values_to_match_regex", f"all {column.known:,} rows have this one form", column=column.name,
            regex=pattern, mostly=_share(1.0 - UNSEEN / column.known),
        )


def _relation(relation: Relation) -> Expectation:
    """`upper` is at least `lower`: in every row where the rows come up to the bound, else in all but a few."""
    kwargs: dict[str, Any] = {
        "column_A": relation.upper, "column_B": relation.lower, "or_equal": True,
        "ignore_row_if": "either_value_is_missing",
    }
    by_chance = f"chance would break it in {relation.by_chance:,} of {relation.known:,} rows"
    kind = "column_pair_values_a_to_be_greater_than_b"
    if relation.strict:
        return _made(kind, f"{by_chance}, none does, and {relation.near:,} come up to it", **kwargs)
    most = highest(relation.broken / relation.known, relation.known) if relation.broken else UNSEEN / relation.known
    return _made(kind, f"{by_chance}, {relation.broken:,} do", mostly=_share(1.0 - most), **kwargs)


def _pattern(mask: str) -> str:
    """The regular expression of a mask such as `A-9`; empty for one that says nothing, or holds other letters."""
    if "9" not in mask or not mask.isascii():
        return ""
    runs = {"A": "[A-Z]+", "a": "[a-z]+", "9": "[0-9]+"}
    return "^" + "".join(runs.get(each, each if each in " _:/@,;=-" else "\\" + each) for each in mask) + "$"


def _is_key(column: Figures) -> bool:
    """Whether every row has its own value, where chance would hardly have it so."""
    if column.distinct < column.known or column.missing:
        return False
    if column.type == "string":
        return bool(_pattern(column.mask))
    if column.type != "integer":
        return False
    width = float(column.maximum or 0) - float(column.minimum or 0) + 1.0
    return column.known**2 / (2.0 * width) >= FEW


def _number(column: Figures, value: float, *, down: bool = False, up: bool = False) -> float | int:
    """A bound as it is written: whole for whole numbers, wide ones with three digits, rounded outwards."""
    if (down or up) and value not in (column.minimum, column.maximum, 0.0):
        step = 10.0 ** (math.floor(math.log10(abs(value))) - 2)
        value = (math.floor if down else math.ceil)(value / step) * step
        value = float(f"{value:.3g}")
    return int(value) if column.whole and abs(value) < 2**53 and value == int(value) else value


def _share(value: float) -> float:
    """A share with six digits, never above the value itself."""
    return max(0.0, math.floor(value * 1e6) / 1e6)


def _made(kind: str, note: str, **arguments: Any) -> Expectation:
    return {
        "type": f"expect_{kind}", "kwargs": arguments,
        "meta": {"notes": {"format": "markdown", "content": [note]}, "proposed": True},
    }
