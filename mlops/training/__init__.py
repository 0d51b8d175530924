"""Training: a model's file, the function that it names, the judgement on held-out rows, the bundle."""

from mlops.training import steps
from mlops.training.config import ModelConfig, read_model

__all__ = ["ModelConfig", "read_model", "steps"]
