"""One contender's process: reads `NAME ROWS` lines, answers with the seconds of wall clock and of CPU, as JSON.

Run by `benchmarks.drift` under our Python and under the peers'. Data is loaded, and what stays the same between
comparisons (imports, our stored reference) is made, before the clock starts.
"""

from __future__ import annotations

import functools
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(sys.argv[1])


def ours(rows: int) -> Callable[[], Any]:
    """A stored reference sketch against a new window."""
    from mlops.drift import Sketch, compare

    reference, current = Sketch.load(FOLDER / f"{rows}.sketch.json"), _polars(rows)[1]
    return lambda: compare(reference, Sketch.of(current, like=reference))


def ours_both(rows: int) -> Callable[[], Any]:
    """Both sides sketched."""
    from mlops.drift import Sketch, compare

    before, current = _polars(rows)

    def run() -> Any:
        reference = Sketch.of(before)
        return compare(reference, Sketch.of(current, like=reference))

    return run


def evidently(rows: int) -> Callable[[], Any]:
    """The preset for data drift, with its defaults, and its answer as a dictionary."""
    import numpy
    import pandas.core.dtypes.common as common

    if not hasattr(common, "infer_dtype_from_object"):  # gone with pandas 3; Evidently 0.7 imports it all the same
        common.infer_dtype_from_object = lambda kind: numpy.dtype(kind).type
    from evidently import Report
    from evidently.presets import DataDriftPreset

    before, current = _pandas(rows)
    return lambda: Report([DataDriftPreset()]).run(current, before).dict()


def scipy(rows: int) -> Callable[[], Any]:
    """Five statistics a column: KS and Wasserstein (for categories chi-square and total variation), PSI and JS over
    ten groups, and chi-square of the empty cells."""
    before, current = _pandas(rows)
    return lambda: {name: _five(before[name], current[name]) for name in before.columns}


def _five(before: Any, current: Any) -> list[float]:
    import numpy as np
    from scipy.spatial.distance import jensenshannon
    from scipy.stats import chi2_contingency, ks_2samp, wasserstein_distance

    one, other = before.dropna(), current.dropna()
    if before.dtype.kind in "fi":
        a, b = one.to_numpy(), other.to_numpy()
        edges = np.unique(np.quantile(a, np.linspace(0, 1, 11)))
        edges[0], edges[-1] = -np.inf, np.inf
        p, q = np.histogram(a, edges)[0], np.histogram(b, edges)[0]
        found = [ks_2samp(a, b).pvalue, wasserstein_distance(a, b)]
    else:
        p, q = (each.value_counts() for each in (one, other))
        names = p.index.union(q.index)
        p, q = p.reindex(names, fill_value=0).to_numpy(), q.reindex(names, fill_value=0).to_numpy()
        found = [chi2_contingency([p, q]).pvalue, np.abs(p / p.sum() - q / q.sum()).sum() / 2]
    share, share_after = (p + 0.5) / (p + 0.5).sum(), (q + 0.5) / (q + 0.5).sum()
    empty = [[each.isna().sum() + 1, each.notna().sum()] for each in (before, current)]
    return [
        *found, ((share_after - share) * np.log(share_after / share)).sum(), jensenshannon(share, share_after, base=2),
        chi2_contingency(empty).pvalue,
    ]


@functools.cache
def _polars(rows: int) -> list[Any]:
    import polars

    return [polars.read_parquet(FOLDER / f"{rows}.{side}.parquet") for side in ("before", "current")]


@functools.cache
def _pandas(rows: int) -> list[Any]:
    import pandas

    return [pandas.read_parquet(FOLDER / f"{rows}.{side}.parquet") for side in ("before", "current")]


def main() -> None:
    """Answer until there is nothing more to read."""
    contenders = {each.__name__: functools.cache(each) for each in (ours, ours_both, evidently, scipy)}
    for line in sys.stdin:
        name, rows = line.split()
        run = contenders[name](int(rows))
        begun, used = time.perf_counter(), time.process_time()
        run()
        print(json.dumps([time.perf_counter() - begun, time.process_time() - used]), flush=True)


if __name__ == "__main__":
    main()
