"""`{"$PARAMETER": name}` in an expectation's arguments: a value that is known only when the suite is run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def substitute(value: Any, parameters: Mapping[str, Any]) -> Any:
    """`value` with each parameter that is a known name replaced.

    One that is unknown, or an expression (`"n * 2"`), stays as it is: Great Expectations knows what to do with it.
    """
    if isinstance(value, dict):
        name = value.get("$PARAMETER")
        if len(value) == 1 and isinstance(name, str) and name in parameters:
            return parameters[name]
        return {key: substitute(item, parameters) for key, item in value.items()}
    return [substitute(item, parameters) for item in value] if isinstance(value, list) else value
