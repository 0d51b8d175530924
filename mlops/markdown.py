"""Markdown for GitHub in which text from outside stays text.

File names, error messages and values of the data are written by strangers. In what this module makes of them
there is no character left that ends a table's cell, opens a tag, a link or a code span, begins a workflow command
(`::error::`, `##[`), or mentions a person or an issue.
"""

from __future__ import annotations

import html
import re
import textwrap
import unicodedata
from collections.abc import Iterable, Sequence

NOTE = "\n\n*This is cut here: {} characters are left out. The whole is in the run's log and artifacts.*\n"
_WIDTH = 104  # characters of a line that a comment shows without scrolling
_PLAIN = frozenset(" -,()'+=%/.")
"""Punctuation without a meaning inside a line of Markdown; all other is written as a character reference."""
_LINK = re.compile(r"(?<=www)\.", re.IGNORECASE)  # GitHub makes links of such words by itself


def text(value: object, limit: int = 400) -> str:
    """`value` as words inside a line, not at its beginning: nothing in it is markup, and nobody is mentioned."""
    # A reference alone does not stop a mention: GitHub looks for those in the rendered text.
    made = _referenced(_visible(str(value), limit))
    return made.replace("&#64;", "&#64;&#8203;").replace("&#35;", "&#35;&#8203;")


def code(value: object, limit: int = 200) -> str:
    """`value` in a fixed font, exact but for what cannot be shown; GitHub looks for no mentions in it."""
    return f"<code>{_referenced(_visible(str(value), limit))}</code>" if str(value) else ""


def link(label: str, address: str | None) -> str:
    """A link; `label` is Markdown already. Without a web address only the label."""
    if not address or not address.startswith(("https://", "http://")):
        return label
    safe = re.sub(r"[^!-~]|[()<>\[\]\\\"'`|]", "", address)
    return f"[{label}]({safe})"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table; header and cells are Markdown already. No lines without rows."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return [f"| {' | '.join(header)} |", "|" + "---|" * len(header), *lines] if lines else []


def folded(title: str, lines: Sequence[str]) -> list[str]:
    """Lines that a reader opens when he wants them."""
    return ["<details>", f"<summary>{title}</summary>", "", *lines, "", "</details>"] if lines else []


def block(value: str, lines: int = 60) -> list[str]:
    """`value` as it is laid out, in a fixed font, long lines broken; nothing in it is markup or a workflow command."""
    shown = [part for line in value.splitlines() for part in _broken(_visible(line, 1000))]
    kept = shown[:lines] + ([f"and {len(shown) - lines} more lines"] if len(shown) > lines else [])
    safe = (html.escape(line, quote=False).replace("::", "&#58;&#58;").replace("##[", "&#35;&#35;[") for line in kept)
    return ["<pre>", *safe, "</pre>"] if kept else []


def _broken(line: str) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.wrap(line, _WIDTH, subsequent_indent=indent, break_on_hyphens=False) or [line]


def cut(document: str, limit: int) -> str:
    """`document` within `limit` bytes of UTF-8, cut between two lines, with a note that says so."""
    content = document.encode()
    if len(content) <= limit:
        return document
    room = limit - len(NOTE.encode()) - 20 - len("</pre>\n</details>\n")
    kept = content[:max(room, 0)].decode(errors="ignore")
    kept = kept[: kept.rfind("\n") + 1]
    for tag in ("pre", "details"):
        kept += f"</{tag}>\n" if kept.count(f"<{tag}>") > kept.count(f"</{tag}>") else ""
    return kept + NOTE.format(len(document) - len(kept))


def _visible(value: str, limit: int) -> str:
    """One line in which controls, marks of writing direction and broken characters are seen as escapes."""
    shown = "".join(map(_shown, value[: limit + 1]))
    return shown if len(value) <= limit else shown[:limit] + "…"


def _shown(each: str) -> str:
    if each == " " or (each.isprintable() and unicodedata.category(each) not in ("Cf", "Cs", "Zl", "Zp")):
        return each
    return each.encode("unicode_escape").decode()


def _referenced(value: str) -> str:
    made = "".join(
        each if each.isalnum() or not each.isascii() or each in _PLAIN else f"&#{ord(each)};" for each in value
    )
    return _LINK.sub("&#46;", made)
