"""Text from outside stays text: rendered by a Markdown parser with HTML on, it leaves no markup of its own."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given, settings, strategies as st
from markdown_it import MarkdownIt

from mlops import markdown as md

RENDER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
HOSTILE = [
    "a|b", "`x`", "``` \n# head", "<b>bold</b>", "<!-- -->", "<script>alert(1)</script>", "[l](http://evil)",
    "![i](http://evil/x.png)", "*a* _b_ ~~c~~", "::error file=x::y", "a\n::error::y", "##[error]z", "a\r\nb",
    "\\", "\\|", "&lt;b&gt;", "http://evil.example", "www.evil.example", "WWW.evil.example", "</code>", "</pre>",
    "<details>", "$x$", "\u202egnp.exe", "\u2028x", "\x1b[31mred", "\x00", "\udcff", "x" * 5000,
]


def cells(rendered: str) -> list[str]:
    return re.findall(r"<td>(.*?)</td>", rendered, re.DOTALL)


@pytest.mark.parametrize("outside", HOSTILE)
@pytest.mark.parametrize("made", [md.text, md.code])
def test_it_stays_in_its_cell(outside, made) -> None:
    source = "\n".join(md.table(("a", "b"), [(made(outside), "next")]))
    assert len(source.splitlines()) == 3
    first, second = cells(RENDER.render(source))
    assert second == "next"
    assert not re.search(r"<(?!/?code>)", first), "no tag but our own"
    shown = html.unescape(re.sub(r"</?code>", "", first)).replace("\u200b", "")
    if outside.isprintable() and len(outside) < 200:
        assert shown == outside, "and it is shown as it is"


@settings(max_examples=300, deadline=None)
@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=60))
def test_whatever_it_is(outside) -> None:
    for made in (md.text(outside), md.code(outside)):
        rendered = RENDER.render(f"| a | b |\n|---|---|\n| {made} | next |\n")
        assert len(cells(rendered)) == 2 and cells(rendered)[1] == "next"
        assert not re.search(r"<(?!/?code>)", cells(rendered)[0])
        assert "::" not in made and "##[" not in made and made.isprintable()
    inside = RENDER.render("\n".join(md.block(outside)))
    assert not re.search(r"<(?!/?pre>)", inside)
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in md.block(outside))


@pytest.mark.parametrize("outside", ["@octocat", "mail @team/all now", "#12", "see GH #7", "owner/repo#9"])
def test_nobody_is_mentioned(outside) -> None:
    """GitHub looks for mentions in the rendered text: a sign and a name side by side, outside of code."""
    shown = html.unescape(RENDER.render(md.text(outside)))
    assert not re.search(r"[@#]\w", shown) and outside == re.sub("\u200b|<p>|</p>|\n", "", shown)
    assert RENDER.render(md.code(outside)).startswith("<p><code>"), "in code GitHub looks for none"


def test_what_cannot_be_seen_is_shown_as_an_escape() -> None:
    assert html.unescape(md.code("a\nb\u202e\x1b\udcff")) == r"<code>a\nb\u202e\x1b\udcff</code>"


def test_a_block_keeps_its_layout_and_breaks_long_lines() -> None:
    rows = md.block("head\n  - " + "word " * 60)
    assert rows[:2] == ["<pre>", "head"]
    assert rows[2].startswith("  - word") and rows[3].startswith("    word")
    assert max(map(len, rows)) <= 104
    assert md.block("\n".join("x" * 200), lines=5)[-2].startswith("and 195 more")


@pytest.mark.parametrize("address", ["javascript:alert(1)", "", None, "//evil", "data:text/html,x"])
def test_only_web_addresses_are_links(address) -> None:
    assert md.link("run", address) == "run"


def test_an_address_cannot_leave_its_brackets() -> None:
    made = md.link("run", 'https://host/a) <b> [x](http://evil "t"')
    assert RENDER.render(made).count("<a ") == 1 and "<b>" not in RENDER.render(made)


def test_a_cut_says_so_and_closes_what_is_open() -> None:
    document = "\n".join(["head", *md.folded("many", ["<pre>", *(f"line {number} é" for number in range(900))])])
    short = md.cut(document, 1500)
    assert len(short.encode()) <= 1500 and short.startswith("head\n<details>")
    assert short.count("<details>") == short.count("</details>") == 1 and "</pre>" in short
    left = int(re.search(r"(\d+) characters are left out", short)[1])  # type: ignore[index]
    assert 0 < left < len(document)
    assert md.cut(document, 10**6) == document
