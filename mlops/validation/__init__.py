"""Great Expectations suites: read with care, run closed, explained in words, shown as Data Docs.

A suite is Great Expectations' own JSON. It is compiled to a few passes of Polars (`compiled`); Great Expectations
itself, on pandas or on Spark, is another engine (`validation.engine`). A suite is refused when an expectation in it
is unknown or misspelt (Great Expectations itself drops such a one in silence), and its verdict is `error`, not
`pass`, when anything in it could not be evaluated.
"""

from __future__ import annotations

import importlib

from mlops.validation.outcome import Finding, Outcome
from mlops.validation.suites import Suite, read_suite
from mlops.validation.validate import validate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from mlops.validation.docs import write_site

# Public name → module that defines it. Loaded at first use (PEP 562): who runs a suite draws no page.
_LAZY = {"write_site": "mlops.validation.docs"}

__all__ = ["Finding", "Outcome", "Suite", "read_suite", "validate", "write_site"]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
