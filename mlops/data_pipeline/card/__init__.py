"""The card of a version: all that a reader should know of it, as a page, as Markdown, or as JSON."""

from mlops.data_pipeline.card.content import Card, collect

__all__ = ["Card", "collect"]
