"""Results in Great Expectations' own shape, from counts and rows."""

from __future__ import annotations

from collections import Counter
from typing import Any

EXAMPLES = 20
"""How many unexpected values a result shows (`partial_unexpected_count`, Great Expectations' default)."""
ROWS = 10_000
"""How many row numbers (`unexpected_index_list`, from 0) a result holds; all of them in the format COMPLETE."""
_INFINITE = float("inf")


def of_rows(
    *, elements: int, considered: int, unexpected: int, mostly: float, values: list[Any], rows: list[int],
    nullness: bool = False,
) -> dict[str, Any]:
    """The result of an expectation about rows.

    Args:
        elements: Rows in its domain; `considered` of them are judged, the rest is missing.
        values: The first unexpected values; `rows` their rows and more.
        nullness: It is about missing values itself, so none is left out and none is reported as missing.
    """
    judged = elements if nullness else considered
    success = judged == 0 or elements == 0 or (float(judged) - float(unexpected)) / float(judged) >= mostly
    share = unexpected / elements * 100 if elements else None
    found: dict[str, Any] = {
        "element_count": elements, "unexpected_count": unexpected,
        "unexpected_percent": share if nullness else unexpected / considered * 100 if considered else None,
        "partial_unexpected_list": values[:EXAMPLES],
    }
    if not nullness:
        found |= {
            "missing_count": elements - considered,
            "missing_percent": (elements - considered) / elements * 100 if elements else None,
            "unexpected_percent_total": share, "unexpected_percent_nonmissing": found["unexpected_percent"],
        }
    counts = _counts(values[:EXAMPLES])
    if counts is not None:
        found["partial_unexpected_counts"] = counts
    found["partial_unexpected_index_list"] = rows[:EXAMPLES]
    if rows:
        found["unexpected_index_list"] = rows
    return {"success": success, "result": found}


def _counts(values: list[Any]) -> list[dict[str, Any]] | None:
    """The values shown, each once, the most frequent first; None where they cannot be put in an order."""
    hashable = [
        tuple(value.values()) if isinstance(value, dict) else tuple(value) if isinstance(value, list) else value
        for value in values
    ]
    try:
        ordered = sorted(Counter(hashable).most_common(EXAMPLES), key=lambda pair: (-pair[1], pair[0]))
    except TypeError:
        return None
    return [{"value": value, "count": count} for value, count in ordered]


def between(
    observed: Any, *, low: Any = None, high: Any = None, strict_low: bool = False, strict_high: bool = False,
    shown: Any = None,
) -> dict[str, Any]:
    """The result of an expectation that one value lies in a range; no value lies in none.

    Args:
        shown: What to show in place of `observed`.
    """
    if observed is None or observed != observed:
        return {"success": False, "result": {"observed_value": None}}
    above = low is None or (observed > low if strict_low else observed >= low)
    below = high is None or (observed < high if strict_high else observed <= high)
    value = observed if shown is None else shown
    return {"success": bool(above and below), "result": {"observed_value": value}}


def json_data(value: Any) -> Any:
    """`value` as JSON data: NumPy's scalars as Python's, infinities as text, not-a-number as null."""
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if kind is float:
        return value if -_INFINITE < value < _INFINITE else None if value != value else str(value)
    if isinstance(value, dict):
        return {str(key): json_data(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [json_data(item) for item in value]
    if hasattr(value, "to_json_dict"):
        return json_data(value.to_json_dict())
    if hasattr(value, "tolist"):  # NumPy's arrays and scalars
        return json_data(value.tolist())
    if isinstance(value, float):  # a kind made of one
        return json_data(float(value))
    return value if isinstance(value, int | str) else str(value)
