"""The registry of model versions, on MLflow's: what is registered, what is champion, what is quarantined.

MLflow's integer is a version's name. Its semantic version is a unique tag, see `semantic`.
"""

from mlops.model_registry.history import history, moves, record_move
from mlops.model_registry.semantic import Interface, next_version
from mlops.model_registry.versions import (
    CHAMPION,
    Registered,
    champion,
    champion_record,
    create,
    find,
    keep_record,
    lift_quarantine,
    load_model,
    quarantine,
    resolve,
    set_champion,
    tag,
    versions,
)

__all__ = [
    "CHAMPION", "Interface", "Registered", "champion", "champion_record", "create", "find", "history",
    "keep_record", "lift_quarantine", "load_model", "moves", "next_version", "quarantine", "record_move", "resolve",
    "set_champion", "tag", "versions",
]
