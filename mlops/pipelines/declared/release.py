"""The release: manifest → start → proof. It runs where the gate is open, and only there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlops import product
from mlops.git import Git
from mlops.pipelines.declared.model import promoted_file
from mlops.pipelines.declared.service import image_record
from mlops.pipelines.steps import Run, Step, state_path
from mlops.sources import Sources

_HERE = "mlops.pipelines.declared.release"
_RELEASE = "release/release.json"
_STARTED = "release/started.json"
_PROOF = "release/proof.json"


def steps(run: Run, sources: Sources) -> list[Step]:
    """The steps of the release of everything that is promoted and built."""
    models = [
        state_path(run, promoted_file(run, name)) for name in product.names(run.repository, product.MODELS)
    ]
    images = [image_record(name) for name in product.services(run.repository)]
    base = run.repository / "infrastructure" / "kubernetes"
    manifests = tuple(sorted(path.relative_to(run.repository).as_posix() for path in base.rglob("*") if path.is_file()))
    return [
        Step(
            pipeline="release", name="manifest", subject="", function=f"{_HERE}:manifest", files=manifests,
            states=(*models, *images), outputs=(_RELEASE,), holds=_manifest_holds,
        ),
        Step(
            pipeline="release", name="start", subject="", function=f"{_HERE}:start", states=(_RELEASE,),
            outputs=(_STARTED,), needs=("release/manifest",), holds=_services_run,
        ),
        Step(
            pipeline="release", name="proof", subject="", function=f"{_HERE}:proof", states=(_RELEASE, _STARTED),
            outputs=(_PROOF,), needs=("release/start",),
        ),
    ]


def release_file(run: Run) -> Path:
    """The record of the release in force."""
    return run.places.state / _RELEASE
