from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.mlops.pipelines.reporting.github_server import GitHubServer


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    """GitHub, on this machine."""
    with GitHubServer() as server:
        yield server
