from __future__ import annotations

from pathlib import Path

import pytest

from mlops.serving import write_bundle
from tests.unit.mlops.serving.making import PROOF, linear, manifest


@pytest.fixture
def bundle_file(tmp_path: Path) -> tuple[Path, str]:
    """A bundle of version 3 of houses, and its checksum."""
    path = tmp_path / "houses" / "3.bundle"
    return path, write_bundle(path, manifest(), linear(), PROOF)
