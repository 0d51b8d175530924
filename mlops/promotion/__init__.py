"""Promotion: who becomes champion, who stays it, who is withdrawn. The only place that moves the alias."""

from mlops.promotion.decisions import PROMOTED, judge, promote, retire, withdraw

__all__ = ["PROMOTED", "judge", "promote", "retire", "withdraw"]
