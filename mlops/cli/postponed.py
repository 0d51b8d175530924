"""A module of the standard library that is only imported when something in it is used."""

from __future__ import annotations

import _thread
import importlib
import sys
import types

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def postpone(name: str) -> None:
    """Let `import name` cost nothing in this process until something of the module is asked for.

    A stand-in takes its place (a module's own `__getattr__`, PEP 562) and becomes the module at the first question.
    `importlib.util.LazyLoader` does not serve here: the next import of the same name is such a question to it.
    """
    if name in sys.modules:
        return
    stand_in = types.ModuleType(name)
    lock = _thread.RLock()

    def asked(attribute: str) -> Any:
        with lock:
            if sys.modules.get(name) is stand_in:
                del sys.modules[name]
            module = importlib.import_module(name)
            vars(stand_in).update(vars(module))
        return getattr(module, attribute)

    vars(stand_in)["__getattr__"] = asked
    sys.modules[name] = stand_in
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(importlib.import_module(parent), child, stand_in)
