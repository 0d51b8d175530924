"""A kustomization's `images:`: read the digests, change one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mlops.errors import ConfigurationError, MissingInputError, UsageError
from mlops.gitops.splice import Yaml, empty

FILE = "kustomization.yaml"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def check_digest(digest: str) -> str:
    """`digest` itself.

    Raises:
        UsageError: not `sha256:` and 64 lower-case hexadecimal digits, or all of them zero.
    """
    if not _DIGEST.fullmatch(digest) or digest.endswith(":" + "0" * 64):
        raise UsageError(
            f"{digest!r} is no digest", where="--digest",
            mend="write sha256: and the 64 hexadecimal digits of the image, all in lower case",
        )
    return digest


def digests(content: bytes, where: str | Path) -> dict[str, str]:
    """Image name → digest, empty where none is set, in the order of the file.

    Raises:
        ConfigurationError: not a kustomization, or an image stands twice.
    """
    document = Yaml(content, where)
    return {name: _text(document, entry, "digest") for name, entry in _entries(document).items()}


def with_digest(content: bytes, image: str, digest: str, where: str | Path) -> bytes:
    """The file with the digest of `image` changed; every other byte stays.

    Args:
        digest: A digest, or empty: the image is not released.

    Raises:
        MissingInputError: the image is not in `images:`; the error lists those that are.
        ConfigurationError: see `digests`.
    """
    document = Yaml(content, where)
    entries = _entries(document)
    if image not in entries:
        raise MissingInputError(
            f"there is no image {image!r} in images:", where=where,
            mend=f"its images are {', '.join(entries)}" if entries else "it lists no images",
        )
    entry = entries[image]
    node = document.child(entry, "digest")
    if node is not None and node.id == "scalar" and (node.value == digest or empty(node) and not digest):
        return content
    if node is None:
        return document.added(entry, "digest", digest or '""').encode()
    return (document.replaced(node, digest) if digest else document.written(node, '""')).encode()


def _entries(document: Yaml) -> dict[str, Any]:
    images = document.child(document.top, "images")
    if images is None or empty(images):
        return {}
    if images.id != "sequence":
        raise document.refuse(images, "images: must be a list")
    found: dict[str, Any] = {}
    for entry in images.value:
        name = _text(document, entry, "name")
        if not name:
            raise document.refuse(entry, "an image has no name")
        if name in found:
            raise document.refuse(entry, f"the image {name!r} stands twice")
        found[name] = entry
    return found


def _text(document: Yaml, entry: Any, key: str) -> str:
    node = document.child(entry, key)
    if node is None or empty(node):
        return ""
    if node.id != "scalar":
        raise ConfigurationError(f"{key} must be text", where=f"{document.where}:{node.start_mark.line + 1}")
    return str(node.value)
