"""Where cards are written, and in which form."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mlops.config import Workspace
from mlops.data_pipeline.card import markdown, page
from mlops.data_pipeline.card.content import Card
from mlops.errors import UsageError
from mlops.files import write_atomic

FORMS: dict[str, Callable[[Card], str | bytes]] = {
    ".html": page.render, ".md": markdown.render, ".json": lambda card: card.to_json(),
}


def write(places: Workspace, card: Card, output: Path | None = None) -> list[Path]:
    """Write the card to `output`, in the form that its ending names; without it, all forms beside the reports.

    Raises:
        UsageError: the ending names no form.
        ConfigurationError: the place cannot be written.
    """
    if output is None:
        folder = places.reports / "cards" / card.dataset
        targets = [folder / f"{card.version}{ending}" for ending in FORMS]
    else:
        targets = [output]
    if targets[0].suffix not in FORMS:
        raise UsageError(
            f"{targets[0].name!r} does not say in which form", mend=f"let it end with one of {', '.join(FORMS)}"
        )
    for target in targets:
        write_atomic(target, FORMS[target.suffix](card))
    return targets
