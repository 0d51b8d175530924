"""Documents: every relative link leads to a file of the tree, and every anchor to a heading."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import cache
from urllib.parse import unquote

from mlops.infra.findings import Finding
from mlops.infra.tree import Tree

_FENCE = re.compile(r"^\s{0,3}(```+|~~~+)")
_CODE = re.compile(r"(`+)(?:(?!\1).)+?\1")
# [text](target "title"), ![text](target), [name]: target, <img src="target">, <a href="target">
_LINKS = (
    re.compile(r"\]\(\s*<?([^)<>\s]+)>?(?:\s+[\"'][^)]*[\"'])?\s*\)"),
    re.compile(r"^\s{0,3}\[[^\]^]+\]:\s+<?([^\s>]+)>?"),
    re.compile(r"<(?:a|img|source)\s[^>]*?(?:href|src)=[\"']([^\"']+)[\"']", re.IGNORECASE),
)
_OUTSIDE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)


def check(tree: Tree) -> Iterator[Finding]:
    """Findings on the Markdown files of the tree."""

    @cache
    def anchors(name: str) -> frozenset[str]:
        return frozenset(_anchors(tree.text(name)))

    for name in tree.matching(".md"):
        for line, target in _targets(tree.text(name)):
            path, _, anchor = target.partition("#")
            place = _place(name, path)
            if place == ".." or place.startswith("../") or not tree.exists(place):
                yield Finding(rule="links", path=name, line=line, message=f"{target!r} leads to no file of the tree")
            elif anchor and place.endswith(".md") and unquote(anchor) not in anchors(place):
                yield Finding(rule="links", path=name, line=line, message=f"{place} has no heading #{anchor}")


def _place(name: str, path: str) -> str:
    path = unquote(path)
    if not path:
        return name
    if path.startswith("/"):  # GitHub reads it from the repository's top
        return posixpath.normpath(path.lstrip("/"))
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), path))


def _prose(text: str) -> Iterator[tuple[int, str]]:
    """The lines that are no code, with inline code removed."""
    fence: str | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        found = _FENCE.match(line)
        if found and (fence is None or (found[1].startswith(fence) and line.strip() == found[1])):
            fence = found[1] if fence is None else None
        elif fence is None:
            yield number, line


def _targets(text: str) -> Iterator[tuple[int, str]]:
    for number, line in _prose(text):
        bare = _CODE.sub("", line)
        for pattern in _LINKS:
            for target in pattern.findall(bare):
                if not _OUTSIDE.match(target):
                    yield number, target


def _anchors(text: str) -> Iterator[str]:
    """The anchors that GitHub gives to headings, and those that HTML names."""
    counts: dict[str, int] = {}
    for _, line in _prose(text):
        yield from re.findall(r"<a\s+(?:id|name)=[\"']([^\"']+)[\"']", line)
        heading = re.match(r"^\s{0,3}#{1,6}\s+(.*?)\s*#*\s*$", line)
        if heading is None:
            continue
        words = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading[1]).lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        number = counts.get(slug, 0)
        counts[slug] = number + 1
        yield f"{slug}-{number}" if number else slug
