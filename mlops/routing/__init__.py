"""Routing: which workflows a change starts, exactly as GitHub decides it, and whether the plan was kept.

    glob → filters → workflows (yaml12) → router        pure
    events                                              pure
    objects, differences, changes, requests              ask git
    plans                                               put both together
    gate                                                pure: plan and results → open or closed
    patterns, inputs, loops → audit → sync              the filters: each line counts, no input is left out, no loop
    tree, places, python, references, commands, makefiles → graph → inputs      what a pipeline depends on, never run
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False

# Loaded at first use: `from mlops.routing import PathFilter` needs no git, `mlops route` no records' library.
_LAZY = {
    "Event": "mlops.routing.events",
    "PathFilter": "mlops.routing.filters",
    "explain": "mlops.routing.plans",
    "route": "mlops.routing.router",
    "route_event": "mlops.routing.plans",
    "route_files": "mlops.routing.plans",
    "rule": "mlops.routing.plans",
}

__all__ = ["Event", "PathFilter", "explain", "route", "route_event", "route_files", "rule"]

if TYPE_CHECKING:
    from typing import Any

    from mlops.routing.events import Event
    from mlops.routing.filters import PathFilter
    from mlops.routing.plans import explain, route_event, route_files, rule
    from mlops.routing.router import route


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'mlops.routing' has no attribute {name!r}")
