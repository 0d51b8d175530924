"""`mlops deploy`: write the manifest."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlops.cli.common import HERE, Format, FormatOption, new_app, open_workspace, print_json
from mlops.errors import UsageError

if TYPE_CHECKING:
    from mlops import gitops

app = new_app("Write the manifest; start what it says.")


@app.callback()
def deploy() -> None:
    """Write the manifest; start what it says."""


@app.command()
def bump(
    repository: Annotated[str, typer.Option("--repository", help="The manifest repository, a path or URL.")],
    branch: Annotated[str, typer.Option("--branch", help="Its branch.")],
    path: Annotated[str, typer.Option("--path", help="The folder that holds the kustomization.yaml.")],
    image: Annotated[str, typer.Option("--image", help="The image's name in images:.")],
    digest: Annotated[str, typer.Option("--digest", help="sha256: and 64 hexadecimal digits.")],
    build: Annotated[int, typer.Option("--build", help="Orders builds; a lower one never overwrites a higher.")],
    tag: Annotated[str | None, typer.Option("--tag", help="For people to read, kept in release.yaml.")] = None,
    model: Annotated[
        list[str] | None, typer.Option("--model", help="NAME=VERSION, or NAME=VERSION@sha256:… of its bundle.")
    ] = None,
    format: FormatOption = Format.TABLE,
) -> None:
    """Write an image's digest, and the models with it, into the manifest; print the commit that carries it."""
    from mlops import gitops

    models = dict(_model(text, _store()) for text in model or [])
    intent = gitops.Intent(path=path, image=image, digest=digest, build=build, tag=tag, models=models)
    result = gitops.bump(repository, branch, intent)
    if format is Format.JSON:
        print_json({"outcome": result.outcome, "commit": result.commit, "image": image, "digest": digest,
                    "build": build, "newest": result.newest})
    elif result.outcome == "superseded":
        print(f"superseded: build {result.newest} of {image} is there, build {build} changes nothing")
    else:
        print(result.commit)
    for name, served in models.items():
        if served.sha256 is None:
            print(f"mlops deploy: the checksum of {name} {served.version} is not known here; write "
                  f"--model {name}={served.version}@sha256:… or predict refuses it", file=sys.stderr)


def _store() -> Path:
    """The store of bundles of the current folder's repository, for checksums that are not given."""
    return Path(open_workspace(HERE)[1].model_registry.registry_path)


def _model(text: str, store: Path) -> tuple[str, gitops.ServedModel]:
    from mlops import files, gitops

    name, _, rest = text.partition("=")
    version, _, checksum = rest.partition("@")
    if not name or not version or "/" in name + version:
        raise UsageError(f"{text!r} is not of the form NAME=VERSION", where="--model", mend="write housing=3")
    bundle = store / name / f"{version}.bundle"
    if checksum:
        gitops.check_digest(checksum)
    elif bundle.is_file():
        checksum = files.sha256_file(bundle)
    return name, gitops.ServedModel(version=version, sha256=checksum or None)
