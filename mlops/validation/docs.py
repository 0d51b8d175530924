"""Data Docs: Great Expectations' own pages, made from a result, that load nothing from outside."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

from mlops.files import atomic_folder, write_atomic
from mlops.validation import gx

_OUTSIDE = re.compile(
    r"<link\b[^>]*>"
    r"|<script\b.*?</script>"  # what the scripts do needs libraries of other hosts
    r"|<(?P<tag>footer|nav)\b.*?</(?P=tag)>"  # the way to a newsletter, a bar of buttons for the scripts
    r"|(?:@import\s+)?url\(\s*[\"']?https?://[^)]*\)"
    r"|\shref=[\"']\.\./[^\"']*[\"']",  # pages of a larger site that is not written
    re.IGNORECASE | re.DOTALL,
)
# Belt and braces: values of the data stand in the page, and nothing in it may run or be fetched.
_POLICY = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
)
# What is left of the pages' look when the style sheets of other hosts are gone.
_STYLE = r"""<style>
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 1rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 } td, th { padding: .3rem .6rem; text-align: left;
 border-bottom: 1px solid #8886; vertical-align: top }
.switchyard { border: 2px solid; padding: .5rem 1rem; margin: 1rem 0 } .simulated { border-color: #b8860b }
.badge { border: 1px solid #8886; border-radius: .3rem; padding: 0 .3rem } .text-danger { color: #c0392b }
.text-success { color: #2e8b57 } ul { padding-left: 1.2rem } .table-cell-label { font-weight: bold }
.modal, .navbar-nav, a[data-toggle], .card:has(.btn-group-toggle) { display: none }
.fa-check-circle::before { content: "\2714"; font-style: normal }
.fa-times::before { content: "\2718"; font-style: normal }
</style>"""


def write_site(folder: Path, document: dict[str, Any], *, title: str, notes: list[str], simulated: bool) -> Path:
    """Write the Data Docs site of one validation result into `folder`, replacing what was there.

    Args:
        document: The result, as `Outcome.document`.
        notes: Sentences for the top of the page, such as where the data came from.
        simulated: Puts a notice on the page that the data is made up.

    Returns:
        The site's first page.

    Raises:
        ConfigurationError: the folder cannot be written.
    """
    page = render(document, title=title, notes=notes, simulated=simulated)
    with atomic_folder(folder) as work:
        write_atomic(work / "index.html", page)
    return folder / "index.html"


def render(document: dict[str, Any], *, title: str, notes: list[str], simulated: bool) -> str:
    """The page of one validation result as HTML that needs no other host."""
    gx.load()
    from great_expectations.core.expectation_validation_result import expectationSuiteValidationResultSchema
    from great_expectations.render.renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    result = expectationSuiteValidationResultSchema.load(_harmless(document))
    text = DefaultJinjaPageView().render(ValidationResultsPageRenderer().render(result))
    text = _OUTSIDE.sub("", text)
    verdict = "holds" if document["success"] else "is broken"
    parts = [f"<strong>{html.escape(title)}</strong>: the suite {verdict}.", *map(html.escape, notes)]
    notice = f'<div class="switchyard">{"<br>".join(parts)}</div>'
    if simulated:
        notice += '<div class="switchyard simulated"><strong>Simulated data.</strong> These rows are made up.</div>'
    text = text.replace("<head>", "<head>" + _POLICY, 1).replace("</head>", _STYLE + "</head>", 1)
    return re.sub(r"(<body\b[^>]*>)", lambda found: found[1] + notice, text, count=1)


def _harmless(value: Any) -> Any:
    """A copy in which no text reads as a tag: Great Expectations escapes most values of the data, but not all.

    Without the numbers of all failing rows: its pages show the first values in their place only then.
    """
    if isinstance(value, dict):
        return {key: _harmless(item) for key, item in value.items() if key != "unexpected_index_list"}
    if isinstance(value, list):
        return [_harmless(item) for item in value]
    return re.sub(r"<(?=[A-Za-z/!?])", "\u2039", value) if isinstance(value, str) else value
