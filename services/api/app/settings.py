"""What the service is told by its environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from mlops.config import ConfigManager

PREDICT_URL = "http://127.0.0.1:8001"


@dataclass(frozen=True)
class Settings:
    """The service's settings.

    Attributes:
        database_url: MLOPS_DATABASE_URL, else what `mlops_config.json` says.
        predict_url: PREDICT_URL: where this service reaches `predict`.
        predict_public_url: PREDICT_PUBLIC_URL: where a reader's browser reaches it; the same when absent.
    """

    database_url: str
    predict_url: str = PREDICT_URL
    predict_public_url: str = PREDICT_URL

    @classmethod
    def from_environment(cls, variables: Mapping[str, str] | None = None) -> Settings:
        """The settings in `variables`, the process's own when absent.

        Raises:
            ConfigurationError: a setting does not fit.
        """
        found = os.environ if variables is None else variables
        predict = (found.get("PREDICT_URL") or PREDICT_URL).rstrip("/")
        return cls(
            database_url=ConfigManager(variables=found).load_config().database.url,
            predict_url=predict,
            predict_public_url=(found.get("PREDICT_PUBLIC_URL") or predict).rstrip("/"),
        )
