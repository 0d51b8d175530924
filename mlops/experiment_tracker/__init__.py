"""Tracking of experiments: MLflow's store, and runs in it."""

from mlops.experiment_tracker.runs import TrackedRun, start, versions
from mlops.experiment_tracker.stores import prepare

__all__ = ["TrackedRun", "prepare", "start", "versions"]
