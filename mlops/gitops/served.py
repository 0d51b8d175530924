"""`release.yaml`: the builds that order images, and the models that are served. It lies beside the kustomization."""

from __future__ import annotations

from pathlib import Path

import msgspec

from mlops.errors import InvalidRecordError
from mlops.gitops.splice import Yaml, put, quoted

FILE = "release.yaml"
_HEADER = "# What is released here: builds order images, models name what predict serves. Written by the machinery.\n"


class ServedImage(msgspec.Struct, frozen=True, omit_defaults=True):
    """The build that an image's digest belongs to; the tag is for people to read."""

    build: int
    tag: str | None = None


class ServedModel(msgspec.Struct, frozen=True, omit_defaults=True):
    """A model's version and the checksum of its bundle; without one predict refuses it.

    `build` is there where the model was moved without an image, and orders such moves.
    """

    version: str
    sha256: str | None = None
    build: int | None = None


class Served(msgspec.Struct, frozen=True):
    """The document; unknown fields are kept by `with_…`, which change single scalars."""

    images: dict[str, ServedImage] = {}
    models: dict[str, ServedModel] = {}


def read(content: bytes | None, where: str | Path) -> Served:
    """The document, an empty one where the file is absent.

    Raises:
        InvalidRecordError: it does not have this shape.
        ConfigurationError: it is not YAML.
    """
    if content is None:
        return Served()
    from ruamel.yaml import YAML

    Yaml(content, where)  # its errors name the line
    document = YAML(typ="safe", pure=True).load(content.decode()) or {}
    for block in ("images", "models"):
        if document.get(block, {}) is None:
            del document[block]
    try:
        return msgspec.convert(document, Served, strict=True)
    except msgspec.ValidationError as error:
        raise InvalidRecordError(
            f"is no list of what is released: {error}", where=where,
            mend="images: {NAME: {build: 7}}, models: {NAME: {version: \"3\", sha256: \"sha256:…\"}}",
        ) from error


def with_image(content: bytes | None, image: str, served: ServedImage, where: str | Path) -> bytes:
    """The file with the build of `image` changed, and the tag; without one a tag of before is emptied."""
    before = read(content, where).images.get(image)
    content = put(_HEADER.encode() if content is None else content, ("images", image, "build"), served.build, where)
    if served.tag or before is not None and before.tag:
        content = put(content, ("images", image, "tag"), served.tag or "", where)
    return content


def with_model(content: bytes | None, model: str, served: ServedModel, where: str | Path) -> bytes:
    """The file with the version and checksum of `model` changed, and its build where there is one."""
    before = read(content, where).models.get(model)
    content = put(_HEADER.encode() if content is None else content, ("models", model, "version"), served.version, where)
    if served.sha256 or before is not None and before.sha256:
        content = put(content, ("models", model, "sha256"), served.sha256 or "", where)
    if served.build is not None:
        content = put(content, ("models", model, "build"), served.build, where)
    return content


def render(served: Served) -> bytes:
    """The whole document, written anew with its names sorted."""
    lines = [_HEADER, "images:" if served.images else "images: {}", "\n"]
    for name, image in sorted(served.images.items()):
        lines.append(f"  {quoted(name)}:\n    build: {image.build}\n")
        lines.append(f"    tag: {quoted(image.tag)}\n" if image.tag else "")
    lines += ["models:" if served.models else "models: {}", "\n"]
    for name, model in sorted(served.models.items()):
        lines.append(f'  {quoted(name)}:\n    version: "{model.version}"\n')
        lines.append(f'    sha256: "{model.sha256}"\n' if model.sha256 else "")
        lines.append(f"    build: {model.build}\n" if model.build is not None else "")
    return "".join(lines).encode()
