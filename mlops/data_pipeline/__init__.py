"""The data pipeline: from a source to a published, fingerprinted version of a data set.

`read_dataset` reads what one file under `data/datasets/` declares; `steps` holds the steps that
the runner and the command call: ingest, validate, process, check, version.
"""

from mlops.data_pipeline.dataset import Dataset, read_dataset

__all__ = ["Dataset", "read_dataset"]
