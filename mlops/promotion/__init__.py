"""Promotion: who becomes champion, who stays it, who is withdrawn. The only place that moves the alias."""

from mlops.promotion.decisions import PROMOTED, promote, retire, withdraw

__all__ = ["PROMOTED", "promote", "retire", "withdraw"]
