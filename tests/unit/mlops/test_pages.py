"""Pages: whole, escaped, one look."""

from __future__ import annotations

from mlops import pages


def test_a_page_is_whole_and_escapes_what_is_text() -> None:
    made = pages.whole("a <b> & c", [pages.table(("x", "n"), [("<code>1</code>", "2")], numbers=(1,), kind="columns")])
    assert made.count("<title>") == 1 and "<title>a &lt;b&gt; &amp; c</title>" in made and "default-src 'none'" in made
    assert "<th scope=row><code>1</code></th><td class=number data-head=\"n\">2</td>" in made
    assert made.endswith("</body></html>\n") and "light-dark(" in made and "http://" not in made
    assert pages.name("a_<i>") == "<code>a_<wbr>&lt;i&gt;</code>" and pages.prose("`<x>`") == "<code>&lt;x&gt;</code>"
    assert pages.badge("<", "bad") == '<span class="badge bad">&lt;</span>'
