"""Drift: what changed between two samples of a data set, with error rates that are measured.

`Sketch` counts a table, or a stream batch by batch, in bins that the reference fixed; sketches of parts add
up exactly. `compare` says what changed, column by column and together. See `docs/guide/drift.md`.
"""

from mlops.drift.compare import compare
from mlops.drift.sketch import Sketch

__all__ = ["Sketch", "compare"]
