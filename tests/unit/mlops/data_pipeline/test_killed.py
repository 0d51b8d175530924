"""A step that is killed while it writes, and asked again, leaves the bytes of one that never was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlops.config import Workspace
from mlops.data_pipeline import steps
from mlops.errors import BadDataError, MissingInputError
from mlops.features.kept import PLAN, sources_file

FEATURES = "features: {age: {scale: standard}, kind: {operation: one_hot, of: name}, height: {impute: median}}"
FILES = (steps.PROCESSED, steps.TRAIN, steps.TEST, steps.PARTS, PLAN, sources_file("train"), sources_file("test"))
KILLED = """
import os, signal, sys
from pathlib import Path
from mlops.config import Workspace
from mlops.data_pipeline import read_dataset, steps

root, kills_at, replaces = Path(sys.argv[1]), int(sys.argv[2]), 0
real = os.replace

def replace(*names, **options):
    global replaces
    if replaces == kills_at:
        os.kill(os.getpid(), signal.SIGKILL)
    replaces += 1
    real(*names, **options)

os.replace = replace
places = Workspace(root)
steps.process(places, read_dataset(root, "people"), places.data / "people" / "work" / "default")
"""


def content(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES if (folder / name).exists()}


@pytest.mark.parametrize("kills_at", [1, 3])
def test_killed_and_asked_again(places: Workspace, tree: Path, change: Any, work: Path, kills_at: int) -> None:
    dataset = change("split: {test: 0.25}", f"split: {{test: 0.25}}\n{FEATURES}")
    steps.ingest(places, dataset, work)
    steps.validate(places, dataset, work)
    steps.process(places, dataset, work)
    wanted = content(work)
    assert set(wanted) == set(FILES)
    steps.check(places, dataset, work)
    other = change("age: {scale: standard}", "age: {scale: minmax}")
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, str(tree), str(kills_at)], env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True, text=True, check=False,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert not {steps.PARTS, PLAN} & set(content(work)), "a record beside tables that it is not about"
    with pytest.raises((MissingInputError, BadDataError), match=r"parts\.json is missing|other data"):
        steps.version(places, other, work)
    steps.process(places, other, work)
    changed = content(work)
    assert set(changed) == set(FILES) and changed[steps.TRAIN] != wanted[steps.TRAIN]
    steps.process(places, change("age: {scale: minmax}", "age: {scale: standard}"), work)
    assert content(work) == wanted
