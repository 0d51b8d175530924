"""The registry of model versions, on MLflow's: what is registered, what is champion, what is quarantined.

MLflow's integer is a version's name. Its semantic version is a unique tag, see `semantic`.
"""

from mlops.model_registry.healing import heal
from mlops.model_registry.registered import (
    CHAMPION,
    Registered,
    champion,
    champion_record,
    create,
    expect_sound,
    find,
    keep_record,
    lift_quarantine,
    load_logged,
    load_model,
    quarantine,
    resolve,
    set_champion,
    tag,
    versions,
)
from mlops.model_registry.semantic import Interface, next_version
from mlops.model_registry.stages import ARCHIVED, DEVELOPMENT, PRODUCTION, history, moves, record_move

__all__ = [
    "ARCHIVED", "CHAMPION", "DEVELOPMENT", "Interface", "PRODUCTION", "Registered", "champion", "champion_record",
    "create", "expect_sound", "find", "heal", "history", "keep_record", "lift_quarantine", "load_logged", "load_model",
    "moves", "next_version", "quarantine", "record_move", "resolve", "set_champion", "tag", "versions",
]
