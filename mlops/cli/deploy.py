"""`mlops deploy`: ask whether a deploy can begin, and write the manifest."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from mlops.cli.common import HERE, Format, FormatOption, new_app, open_workspace, print_json
from mlops.cli.declared import Exit, Option
from mlops.errors import MissingInputError, UsageError

if TYPE_CHECKING:
    from mlops import gitops

app = new_app("Ask whether a deploy can begin; write the manifest.")


@app.command()
def check(
    repository: Annotated[
        str, Option("--repository", envvar="MANIFEST_REPOSITORY", help="The manifest repository, a path or URL.")
    ] = "",
    branch: Annotated[str, Option("--branch", envvar="MANIFEST_BRANCH", help="Its branch.")] = "main",
    format: FormatOption = Format.TABLE,
) -> None:
    """Say whether this job has what a deploy needs: credentials, region, cluster, manifest repository.

    Everything that is missing or malformed is told at once. Exits 0 when nothing is, else 2.
    """
    import dataclasses
    import os

    from mlops.gitops import readiness

    found = readiness.check(os.environ, repository, branch)
    if format is Format.JSON:
        print_json({"schema": 1, "ready": found.ready, **dataclasses.asdict(found)})
    else:
        _tell(found)
    if not found.ready:
        raise Exit(2)


def _tell(found: gitops.Readiness) -> None:
    how = {"oidc": f"OIDC, role {found.role}", "keys": "static keys", None: "none"}[found.credentials]
    rows = [("credentials", how), ("region", found.region), ("cluster", found.cluster),
            ("manifest", f"{found.manifest} {found.branch} at {found.head[:12]}" if found.head else None)]
    for name, value in rows:
        if value is not None:
            print(f"{name:<12} {value}")
    for kind, findings in (("warning", found.warnings), ("problem", found.problems)):
        for finding in findings:
            print(f"mlops deploy: {kind}: {finding.name}: {finding.message}\n  mend: {finding.mend}", file=sys.stderr)


@app.command()
def bump(
    repository: Annotated[str, Option("--repository", help="The manifest repository, a path or URL.")],
    branch: Annotated[str, Option("--branch", help="Its branch.")],
    path: Annotated[str, Option("--path", help="The folder that holds the kustomization.yaml.")],
    build: Annotated[int, Option("--build", help="Orders builds; a lower one never overwrites a higher.")],
    image: Annotated[
        str | None, Option("--image", help="The image's name in images:; without it the models move alone.")
    ] = None,
    digest: Annotated[str | None, Option("--digest", help="sha256: and 64 hexadecimal digits.")] = None,
    tag: Annotated[str | None, Option("--tag", help="For people to read, kept in release.yaml.")] = None,
    model: Annotated[
        list[str] | None, Option("--model", help=(
            "NAME=VERSION, or NAME=VERSION@sha256:… of its bundle; repeat, or separate by blanks."))
    ] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Write an image's digest, models, or both into the manifest; print the commit that carries them."""
    from mlops import gitops

    models = dict(_model(word) for text in model or [] for word in text.split())
    unknown = [f"{name} {served.version}" for name, served in models.items() if served.sha256 is None]
    if unknown and image is None:
        raise MissingInputError(
            f"the checksum of {', '.join(unknown)} is not known here, and predict refuses a model without one",
            where="--model", mend="write NAME=VERSION@sha256:…, or run it where the bundle is in the store",
        )
    intent = gitops.Intent(path=path, image=image, digest=digest, build=build, tag=tag, models=models)
    result = gitops.bump(repository, branch, intent)
    if format is Format.JSON:
        print_json({"outcome": result.outcome, "commit": result.commit, "image": image, "digest": digest,
                    "build": build, "newest": result.newest, "held": list(result.held)})
    elif result.outcome == "superseded":
        what = image or ", ".join(result.held)
        print(f"superseded: build {result.newest} of {what} is there, build {build} changes nothing")
    else:
        print(result.commit)
    if result.held and result.outcome == "committed":
        print(f"mlops deploy: a higher build moved {', '.join(result.held)}: not moved", file=sys.stderr)
    if unknown:
        print(f"mlops deploy: the checksum of {', '.join(unknown)} is not known here; write --model "
              "NAME=VERSION@sha256:… or predict refuses it", file=sys.stderr)


def _model(text: str) -> tuple[str, gitops.ServedModel]:
    """A model as `--model` names it; a checksum that is not given comes from the store of the current repository."""
    from mlops import files, gitops

    name, _, rest = text.partition("=")
    version, _, checksum = rest.partition("@")
    if not name or not version or "/" in name + version:
        raise UsageError(f"{text!r} is not of the form NAME=VERSION", where="--model", mend="write housing=3")
    if checksum:
        return name, gitops.ServedModel(version=version, sha256=gitops.check_digest(checksum))
    settings = open_workspace(HERE)[1]
    if not version.isdecimal():  # the manifest and the store count as MLflow does
        from mlops import model_registry

        version = model_registry.resolve(settings, name, version).version
    bundle = Path(settings.model_registry.registry_path) / name / f"{version}.bundle"
    return name, gitops.ServedModel(version=version, sha256=files.sha256_file(bundle) if bundle.is_file() else None)
