"""The release: manifest → start → proof. It runs where the gate is open, and only there."""

from __future__ import annotations

import json
from typing import Any

from mlops import files, product
from mlops.errors import InvalidRecordError, MissingInputError
from mlops.git import Git
from mlops.logs import say
from mlops.pipelines.declared.model import promoted_file
from mlops.pipelines.declared.service import image_record
from mlops.pipelines.steps import Run, Step, state_path
from mlops.records import ModelVersion, Release, read
from mlops.sources import Sources

_HERE = "mlops.pipelines.declared.release"
_RELEASE = "release/release.json"
_STARTED = "release/started.json"
_PROOF = "release/proof.json"


def steps(run: Run, sources: Sources) -> list[Step]:
    """The steps of the release of everything that is promoted and built."""
    models = [state_path(run, promoted_file(run, name)) for name in product.names(run.repository, product.MODELS)]
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


def current_release(run: Run) -> Release | None:
    """The record of the release in force, as the last run left it; None for none."""
    try:
        return read(Release, run.places.state / _RELEASE)
    except (MissingInputError, InvalidRecordError):
        return None


def example(run: Run) -> dict[str, Any] | None:
    """A request that the proof sent, for people to try; None before the first proof."""
    try:
        return dict(json.loads((run.places.state / _PROOF).read_bytes())["example"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _manifest_holds(run: Run) -> str | None:
    from mlops import releases

    release = current_release(run)
    return "no release is recorded" if release is None else releases.in_force(run.places, run.settings, release)


def _services_run(run: Run) -> str | None:
    from mlops.deployment_manager import local

    return local.out_of_step(run.places, run.settings)


def manifest(run: Run, subject: str) -> dict[str, Any]:
    """Write what is promoted and built into the manifest: one commit, with the release's record."""
    from mlops import images, releases
    from mlops.deployment_manager import local

    services = product.services(run.repository)
    local.preflight(run.places, run.settings, services)  # before anything is written: a port that is taken
    promoted = {
        name: read(ModelVersion, promoted_file(run, name)) for name in product.names(run.repository, product.MODELS)
    }
    git = Git(run.repository)
    commit = git.head() if git.exists() else None
    desired = releases.compose(
        run.places, run.settings, images={name: images.find(run.places, name) for name in services}, models=promoted,
        data={}, commit=commit, dirty=commit is None or bool(git.changed_since(commit)),
    )
    published = releases.publish(run.places, run.settings, desired)
    files.write_atomic(run.places.state / _RELEASE, published.to_json())
    return {"release": published.id, "manifest": published.manifest}


def start(run: Run, subject: str) -> dict[str, Any]:
    """Start what the manifest says; the old release serves until the new one has answered."""
    from mlops import releases

    release = read(Release, run.places.state / _RELEASE)
    deployed = releases.deploy(run.places, run.settings, release, say)
    processes = {each.name: each.pid for each in deployed.services}
    files.write_atomic(run.places.state / _STARTED, json.dumps({"release": release.id, "processes": processes}) + "\n")
    return {"services": "; ".join(deployed.changed) or "nothing to change"}


def proof(run: Run, subject: str) -> dict[str, Any]:
    """Prove that the running services answer what the registered models predict."""
    from mlops import releases

    release = read(Release, run.places.state / _RELEASE)
    facts = releases.prove(run.places, run.settings, release, say)
    examples = {name: {"model": name, "rows": [model["example"]]} for name, model in facts["models"].items()}
    chosen = next(iter(examples.values()), None)
    files.write_atomic(run.places.state / _PROOF, json.dumps({**facts, "example": chosen}, indent=1) + "\n")
    largest = max((model["difference"] for model in facts["models"].values()), default=0.0)
    return {"proof": f"{facts['rows']} held-out rows equal the bundle's to the bit, "
                     f"the registered models' within {largest:.1e}"}
