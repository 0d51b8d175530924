"""The small product of the training room's tests."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_PATH = Path(__file__).parents[1] / "training" / "conftest.py"
_SPEC = importlib.util.spec_from_file_location("training_fixtures", _PATH)
assert _SPEC is not None and _SPEC.loader is not None
_FIXTURES = importlib.util.module_from_spec(_SPEC)
sys.modules["training_fixtures"] = _FIXTURES  # dataclasses look their module up
_SPEC.loader.exec_module(_FIXTURES)

product, store = _FIXTURES.product, _FIXTURES.store
