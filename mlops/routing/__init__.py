"""Routing: which workflows a change starts, exactly as GitHub decides it, and whether the plan was kept.

    router      what GitHub would do: pure, but for the modules that ask git
    audit       the filters held against the true inputs of the pipelines, and written anew: holes, dead lines, loops
    gate        plan and results → open or closed: pure
    replay      a history by the router, and what the audit says of its days

The router knows nothing of the others.
"""

from __future__ import annotations

import importlib

TYPE_CHECKING = False

# Loaded at first use: `from mlops.routing import PathFilter` needs no git, `mlops route` no records' library.
_LAZY = {
    "Event": "mlops.routing.router.events",
    "PathFilter": "mlops.routing.router.filters",
    "explain": "mlops.routing.router.plans",
    "route": "mlops.routing.router.decisions",
    "route_event": "mlops.routing.router.plans",
    "route_files": "mlops.routing.router.plans",
    "rule": "mlops.routing.router.plans",
}

__all__ = ["Event", "PathFilter", "explain", "route", "route_event", "route_files", "rule"]

if TYPE_CHECKING:
    from typing import Any

    from mlops.routing.router.decisions import route
    from mlops.routing.router.events import Event
    from mlops.routing.router.filters import PathFilter
    from mlops.routing.router.plans import explain, route_event, route_files, rule


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'mlops.routing' has no attribute {name!r}")
