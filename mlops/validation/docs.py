"""Data Docs: Great Expectations' own pages, made from a result, that load nothing from outside."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

from mlops.files import atomic_folder
from mlops.validation import gx

_OUTSIDE = re.compile(
    r"<link\b[^>]*https?://[^>]*>"  # style sheets
    r"|<script\b[^>]*\bsrc=[\"']https?://[^>]*>\s*</script>"
    r"|@import\s+url\([^)]*https?://[^)]*\);?"
    r"|<img\b[^>]*\bsrc=[\"']https?://[^>]*>",
    re.IGNORECASE,
)
# What is left of the pages' look when the style sheets of other hosts are gone.
_STYLE = """<style>
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 1rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 } td, th { padding: .3rem .6rem; text-align: left;
 border-bottom: 1px solid #8886; vertical-align: top }
.switchyard { border: 2px solid; padding: .5rem 1rem; margin: 1rem 0 } .simulated { border-color: #b8860b }
.badge { border: 1px solid #8886; border-radius: .3rem; padding: 0 .3rem } .text-danger { color: #c0392b }
.text-success { color: #2e8b57 } .modal, .navbar-nav { display: none } ul { padding-left: 1.2rem }
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
        (work / "index.html").write_text(page, encoding="utf-8")
    return folder / "index.html"


def render(document: dict[str, Any], *, title: str, notes: list[str], simulated: bool) -> str:
    """The page of one validation result as HTML that needs no other host."""
    gx.load()
    from great_expectations.core.expectation_validation_result import expectationSuiteValidationResultSchema
    from great_expectations.render.renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    result = expectationSuiteValidationResultSchema.load({**document, "results": document["results"]})
    text = DefaultJinjaPageView().render(ValidationResultsPageRenderer().render(result))
    text = _OUTSIDE.sub("", text)
    verdict = "holds" if document["success"] else "is broken"
    parts = [f"<strong>{html.escape(title)}</strong>: the suite {verdict}.", *map(html.escape, notes)]
    notice = f'<div class="switchyard">{"<br>".join(parts)}</div>'
    if simulated:
        notice += '<div class="switchyard simulated"><strong>Simulated data.</strong> These rows are made up.</div>'
    text = text.replace("</head>", _STYLE + "</head>", 1)
    return re.sub(r"(<body\b[^>]*>)", lambda found: found[1] + notice, text, count=1)
