"""What the models of this product share in looking at their frames."""

from __future__ import annotations

from typing import Any


def texts(frame: Any, features: list[str]) -> list[str]:
    """The features that hold texts; all others are numbers."""
    return [name for name in features if frame[name].dtype.kind not in "fiub"]
