"""Pages that reports are shown as: one file each, no script, nothing from another host, light and dark by the
reader's setting, and one look for all (`style.css`). Whoever makes a page escapes what it puts in, with `html.escape`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from importlib import resources

# The policy says the same to the browser: names and values of the data stand in the pages.
_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
"""


def whole(title: str, parts: Iterable[str]) -> str:
    """A page of these parts.

    Args:
        title: As plain text.
        parts: As HTML.
    """
    style = (resources.files(__package__) / "style.css").read_text(encoding="utf-8")
    head = f"{_HEAD}<title>{escape(title)}</title>\n<style>\n{style}</style></head><body>"
    return "\n".join([head, *parts, "</body></html>\n"])


def table(header: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[int] = (), kind: str = "") -> str:
    """A table that scrolls by itself where it is wider than the page.

    Args:
        header, rows: Cells as HTML; the first of a row is its head.
        numbers: Which columns are of numbers, from 0: they stand to the right.
        kind: A class of the style sheet; of `columns` the rows become blocks where the page is narrow.
    """
    marks = {place: " class=number" for place in numbers}
    heads = [f' data-head="{each}"' if kind else "" for each in header]
    head = "".join(f"<th scope=col{marks.get(place, '')}>{each}</th>" for place, each in enumerate(header))
    lines = []
    for first, *rest in rows:
        cells = "".join(
            f"<td{marks.get(place, '')}{heads[place]}>{cell}</td>" for place, cell in enumerate(rest, 1)
        )
        lines.append(f"<tr><th scope=row{marks.get(0, '')}>{first}</th>{cells}</tr>")
    named = f" class={kind}" if kind else ""
    body = "".join(lines)
    made = f"<table{named}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<div class=scroll tabindex=0>{made}</div>"


def tiles(facts: Iterable[tuple[str, str, str]]) -> str:
    """Facts side by side: a name, a figure, and a line below it, as HTML."""
    shown = "".join(
        f"<div class=tile><h2>{name}</h2><p><b>{figure}</b></p><p class=soft>{below}</p></div>"
        for name, figure, below in facts
    )
    return f"<div class=tiles>{shown}</div>"


def badge(text: str, kind: str = "") -> str:
    """A word in a frame; `kind` is good, bad, warn or none of them."""
    return f'<span class="badge{f" {kind}" if kind else ""}">{escape(text)}</span>'


def name(text: str) -> str:
    """A name in a fixed font, that may go on in the next line after an underscore."""
    return f"<code>{escape(text).replace('_', '_<wbr>')}</code>"


def prose(value: str) -> str:
    """A sentence that people wrote; what stands between backquotes is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(value))
