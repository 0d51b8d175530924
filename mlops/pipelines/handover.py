"""Where one pipeline leaves what the next one takes: names of places, and no code of either side."""

from __future__ import annotations

from pathlib import Path

from mlops.pipelines.steps import Run


def data_folder(run: Run, dataset: str) -> Path:
    """Where the steps of `dataset` hand over to each other in this run."""
    return run.places.data_work(dataset, run.variant(dataset))


def version_file(run: Run, dataset: str) -> Path:
    """The record of the data version that this run's models use."""
    if dataset in run.apart:
        return published(run, dataset, run.asked[dataset])
    return data_folder(run, dataset) / "version.json"


def published(run: Run, dataset: str, version: str) -> Path:
    """The record of a published data version."""
    return run.places.data / dataset / "versions" / version / "version.json"
