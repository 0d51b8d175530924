from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.hot import HotPath
from app.main import create
from app.settings import Settings
from tests import making


class Client:
    """Asks the application in this process; the models are loaded as at its start."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.app: HotPath = create(settings)
        self.app.models.load()

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One request and its answer."""
        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
                return await client.request(method, path, **options)

        return asyncio.run(send())

    def predict(self, rows: Any, model: Any = "houses", **options: Any) -> httpx.Response:
        """POST /predict."""
        return self.ask("POST", "/predict", json={"model": model, "rows": rows}, **options)

    def metric(self, line: str) -> float:
        """The value of one line of /metrics; 0 where it is absent."""
        lines = dict(each.rsplit(" ", 1) for each in self.ask("GET", "/metrics").text.splitlines() if each[0] != "#")
        return float(lines.get(line, 0))


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, tuple[str, str]]]:
    """A folder of bundles, and name → (version, checksum)."""
    folder = tmp_path_factory.mktemp("store")
    return folder, {
        "houses": ("3", making.houses(folder)), "lab": ("7", making.lab(folder)), "slow": ("1", making.slow(folder)),
    }


@pytest.fixture
def serve(tmp_path: Path, store: tuple[Path, dict[str, tuple[str, str]]]) -> Callable[..., Client]:
    """Makes a client of a service that serves the named models."""
    folder, models = store

    def make(*names: str, **changes: Any) -> Client:
        path = tmp_path / "release.yaml"
        making.write_list(path, {name: models[name] for name in names})
        return Client(replace(Settings(models_file=str(path), bundle_store=str(folder)), **changes))

    return make


@pytest.fixture
def client(serve: Callable[..., Client]) -> Client:
    """A service with all models and small limits."""
    return serve("houses", "lab", "slow", most_rows=50, most_bytes=100_000)
