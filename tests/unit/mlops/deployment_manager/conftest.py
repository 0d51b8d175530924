from __future__ import annotations

import json
import shutil
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlops import gitops, images
from mlops.config import ConfigManager, Settings, Workspace
from mlops.deployment_manager import local
from mlops.gitops import Change, Served, ServedModel, Snapshot, kustomization, served

OVERLAY = """\
images:
- name: api
  digest: ""
- name: predict
  digest: ""
"""


class Ground:
    """A repository with stand-in services, and a way to say what the manifest says."""

    def __init__(self, repository: Path, ports: str = "api=0,predict=0") -> None:
        manager = ConfigManager(repository, {"MLOPS_PORTS": ports})
        self.places: Workspace = manager.workspace()
        self.settings: Settings = manager.load_config()
        overlay = repository / "infrastructure/kubernetes/overlays/development"
        overlay.mkdir(parents=True, exist_ok=True)
        (overlay / "kustomization.yaml").write_text(OVERLAY)
        self.services = {"api": self.image("api"), "predict": self.image("predict")}

    def image(self, service: str, **behaviour: object) -> str:
        """An image of a stand-in that behaves like this."""
        tree = self.places.repository
        folder = tree / "services" / service
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "behaviour.json").write_text(json.dumps({"name": service, **behaviour}))
        for path in ("mlops/__init__.py", "mlops/serving/__init__.py"):
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).write_text("")
        shutil.copy(Path(__file__).with_name("stand_in.py"), tree / "mlops/serving/server.py")
        files = [f"services/{service}/behaviour.json", "mlops/__init__.py", "mlops/serving/__init__.py",
                 "mlops/serving/server.py"]
        return images.build(self.places, tree, service, files)

    def says(self, models: dict[str, str] | None = None, **digests: str) -> str:
        """Write the manifest: digests of services, versions of models; returns the commit."""
        self.services.update(digests)
        remote = gitops.ensure_repository(self.places, self.settings, self.places.repository)
        folder = gitops.overlay("development")

        def intent(head: Snapshot) -> Change:
            content = head.read(f"{folder}/kustomization.yaml") or b""
            for name, digest in self.services.items():
                content = kustomization.with_digest(content, name, digest, "kustomization.yaml")
            known = {name: ServedModel(version, "sha256:" + "1" * 64) for name, version in (models or {}).items()}
            return Change({f"{folder}/kustomization.yaml": content,
                           f"{folder}/{served.FILE}": served.render(Served(models=known))}, "test\n")

        return remote.commit(intent).commit

    def deploy(self, **more: float) -> local.Deployed:
        return local.deploy(self.places, self.settings, **more)

    def get(self, service: str, path: str = "/") -> dict:
        """What the running service answers on its public address."""
        address = {each.name: each.address for each in local.status(self.places)}[service]
        with urllib.request.urlopen(address + path, timeout=10) as answer:
            return dict(json.loads(answer.read()))


@pytest.fixture
def make_ground() -> Iterator[Callable[..., Ground]]:
    """Grounds whose services are stopped in the end, whatever happens."""
    made: list[Ground] = []
    folder = Path(tempfile.mkdtemp(prefix="sw"))  # pytest's own folders are too long for a Unix socket

    def make(name: str = "w", **more: str) -> Ground:
        made.append(Ground(folder / name, **more))
        return made[-1]

    yield make
    for ground in made:
        local.stop(ground.places)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def ground(make_ground: Callable[..., Ground]) -> Ground:
    """One ground."""
    return make_ground()
