from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops import images, releases, serving
from mlops.config import ConfigManager, Settings, Workspace
from mlops.deployment_manager import local
from mlops.pipelines.declared.service import image_files
from mlops.records import DataVersion, Holdout, ModelVersion, Release, Source, Validation
from mlops.sources import Sources

TREE = Path(__file__).parents[4]


class Site:
    """A copy of the tree with the real model server, and models made for it: `y = factor * (a + b)`."""

    def __init__(self, repository: Path) -> None:
        skipped = shutil.ignore_patterns("__pycache__", "tests", ".pytest_cache")
        for part in ("mlops", "services", "infrastructure/kubernetes"):
            shutil.copytree(TREE / part, repository / part, ignore=skipped)
        manager = ConfigManager(repository, {"MLOPS_PORTS": "api=0,predict=0"})
        self.places: Workspace = manager.workspace()
        self.settings: Settings = manager.load_config()
        self.image = self.build()
        self.data = DataVersion(
            dataset="shop", version="d1", fingerprint="f1", rows=1, columns=[], target="y", splits=[], checks=[],
            quality=1.0, source=Source(location="x", sha256="s", rows=1),
            validation=Validation(suite="s", suite_sha256="s", success=True, evaluated=3, successful=3, engine="gx"),
        )

    def build(self) -> str:
        """An image of the model server as the copy has it now."""
        tree = self.places.repository
        return images.build(self.places, tree, "predict", image_files(tree, "predict", Sources(tree)))

    def model(self, version: str, factor: float, *, proven: float | None = None) -> ModelVersion:
        """A registered version with its bundle; `proven` is the factor that its registered model really has."""
        bundle = self.places.bundles / "m" / f"{version}.bundle"
        rows = [{"a": float(number), "b": number / 7} for number in range(1, 601)]
        manifest = serving.BundleManifest(
            model="m", version=version, run_id=f"run{version}", task="regression", engine="onnx",
            inputs=[serving.Input(name=name, type="float") for name in ("a", "b")],
            tensors=[serving.Tensor(name="X", columns=["a", "b"])],
        )
        proof = serving.Proof(rows=rows, predictions=[(row["a"] + row["b"]) * factor for row in rows])
        sha256 = serving.write_bundle(bundle, manifest, graph(factor), proof)
        if proven is not None:
            sha256 = self.swap_proof(bundle, [(row["a"] + row["b"]) * proven for row in rows])
        return ModelVersion(
            model="m", version=version, semantic="1.0.0", task="regression", run_id=f"run{version}", data="d1",
            data_fingerprint="f1", holdout=Holdout(fingerprint="h", rows=600), metrics={"rmse": 1.0}, verdict="first",
            bundle=bundle.name, bundle_sha256=sha256, engine="onnx", identity=version,
        )

    @staticmethod
    def swap_proof(path: Path, predictions: list[float]) -> str:
        """Give a bundle other answers of its registered model, past the check at writing; returns the checksum."""
        import zipfile

        from mlops import files
        from mlops.serving.bundle import _pack

        with zipfile.ZipFile(path) as archive:
            model = archive.read("model.onnx")
        bundle = serving.Bundle.open(path, None)
        content = _pack(bundle.manifest, model, serving.Proof(rows=bundle.proof.rows, predictions=predictions), None)
        path.write_bytes(content)
        return files.sha256_bytes(content)

    def compose(self, model: ModelVersion, image: str | None = None) -> Release:
        """What shall be released."""
        return releases.compose(
            self.places, self.settings, images={"predict": image or self.image}, models={"m": model},
            data={"shop": self.data}, commit="c0ffee", dirty=False,
        )

    def release(self, model: ModelVersion, image: str | None = None) -> dict[str, Any]:
        """Release it, all the way, as the steps of a run do; the proof's facts, and the `release` in force."""
        published = releases.publish(self.places, self.settings, self.compose(model, image))
        releases.deploy(self.places, self.settings, published)
        return {**releases.prove(self.places, self.settings, published), "release": published}

    def out_of_step(self, release: Release | None = None) -> str | None:
        """What the steps of a run ask of a release before they leave it alone; None where it is as it should be."""
        if release is not None and (reason := releases.in_force(self.places, self.settings, release)):
            return reason
        return local.out_of_step(self.places, self.settings)

    def ids(self) -> list[tuple[str, str, str | None]]:
        """(id, kind, restores) of all releases, the oldest first."""
        return [(each.id, each.kind, each.restores) for each in releases.releases(self.settings)[::-1]]

    def served(self) -> str:
        """The version that the running server serves."""
        return str(local.status(self.places)[0].models["m"]["version"])


def graph(factor: float) -> bytes:
    """An ONNX graph of `y = factor * (a + b)` in double precision."""
    from onnx import TensorProto, helper

    double = TensorProto.DOUBLE
    made = helper.make_graph(
        [helper.make_node("ReduceSum", ["X", "axes"], ["sum"], keepdims=1),
         helper.make_node("Mul", ["sum", "factor"], ["y"])], "g",
        [helper.make_tensor_value_info("X", double, [None, 2])],
        [helper.make_tensor_value_info("y", double, [None, 1])],
        [helper.make_tensor("axes", TensorProto.INT64, [1], [1]), helper.make_tensor("factor", double, [1], [factor])],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bytes(model.SerializeToString())


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """A site whose services are stopped in the end. The registry is another room's: what it is told is written down."""
    from mlops import promotion

    folder = Path(tempfile.mkdtemp(prefix="sw"))
    made = Site(folder / "w")
    made.withdrawn = []  # type: ignore[attr-defined]

    def withdraw(places: object, settings: object, model: str, version: str, *, who: str, why: str) -> None:
        made.withdrawn.append((model, version))  # type: ignore[attr-defined]

    monkeypatch.setattr(promotion, "withdraw", withdraw)
    yield made
    local.stop(made.places)
    shutil.rmtree(folder, ignore_errors=True)
