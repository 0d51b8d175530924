"""The bounded sample: the same rows for the same data, whatever their order or files.

A row's place in the sample is decided by a hash of its values (pandas' `hash_pandas_object`, SipHash with a
fixed key): the rows with the smallest hashes are drawn. Neither the order of the rows nor a generator's
state has a part in it, and one more row in the data changes the sample by one row at most.
"""

from __future__ import annotations

import math
from typing import Any

from mlops.records.model import Task


def chosen(frame: Any, rows: int, *, task: Task, target: str) -> Any:
    """The positions of at most `rows` rows, in the order of the rows' hashes; None for all of them.

    Of a classification's rows each class keeps its share, and at least one row, so that no class is lost
    (which may add one row a class).
    """
    if len(frame) <= rows:
        return None
    import numpy as np
    import pandas as pd

    order = np.argsort(pd.util.hash_pandas_object(frame, index=False).to_numpy(), kind="stable")
    if task == "regression":
        return order[:rows]
    labels = frame[target].iloc[order].reset_index(drop=True)
    groups = labels.groupby(labels, sort=False, dropna=False)
    share = rows / len(frame)
    most = groups.transform("size").map(lambda count: math.ceil(count * share))
    return order[(groups.cumcount() < most).to_numpy()]


def take(frame: Any, positions: Any) -> Any:
    """The rows at these positions, numbered anew; the frame as it is for None."""
    return frame if positions is None else frame.iloc[positions].reset_index(drop=True)
