"""What makes a model the same model: its recipe (code, parameters, libraries) and its data."""

from __future__ import annotations

from pathlib import Path

import msgspec

from mlops import files
from mlops.features import kept
from mlops.records.model import Sample
from mlops.sources import Sources
from mlops.training.config import ModelConfig
from mlops.training.frames import Data

# Of the machinery, what decides which rows and numbers a trainer sees; the rest may change without a new model.
_MACHINERY = ("frames.py", "threads.py")
_FEATURES = ("serving/features.py", "features/fitting.py", "training/engineered.py")
"""What decides the numbers of a model that declares features."""


def recipe(repository: Path, config: ModelConfig, versions: dict[str, str]) -> str:
    """Hash over the trainer with all that it imports, its parameters, and the libraries' versions.

    How the model is judged (metric, tolerance, floors) is no part of it: another tolerance is no other model.
    """
    sources = Sources(repository)
    code = [(path, sources.hash(path)) for path in sources.closure([config.trainer.partition(":")[0]])]
    machinery = Path(__file__).parent
    code += [(f"mlops/training/{name}", files.sha256_file(machinery / name)) for name in _MACHINERY]
    asked = {
        "task": config.task, "target": config.target, "features": config.features, "trainer": config.trainer,
        "parameters": config.parameters, "seed": config.seed, "validation": config.validation,
    }
    if config.feature_engineering:
        asked["feature_engineering"] = config.feature_engineering
        code += [(f"mlops/{name}", files.sha256_file(machinery.parent / name)) for name in _FEATURES]
    parameters = msgspec.json.encode(asked, order="sorted")
    libraries = [(f"library {name}", each) for name, each in versions.items()]
    return files.combine([*code, ("parameters", files.sha256_bytes(parameters)), *libraries])


def identity(recipe_hash: str, data: Data, sample: Sample | None = None) -> str:
    """Hash over recipe and data: the same identity gives the same model.

    Args:
        sample: Of a bounded training. One that leaves no training row out gives the model that a full one gives.
    """
    parts = [(f"data {each.name}", each.sha256) for each in data.version.splits]
    if data.plan is not None:  # the same rows may come of another plan, which makes other features of other rows
        machinery = Path(__file__).parents[1]
        parts.append(("features", data.version.features[kept.PLAN]))
        parts += [(f"mlops/{name}", files.sha256_file(machinery / name)) for name in _FEATURES]
    if sample is not None and sample.cut:
        parts.append(("sample", files.sha256_bytes(str(sample.rows).encode())))
        parts.append(("mlops/training/sampling.py", files.sha256_file(Path(__file__).parent / "sampling.py")))
    return files.combine([("recipe", recipe_hash), ("data", data.version.fingerprint), *parts])
