"""One thread for numerical libraries."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """Let BLAS and OpenMP use one thread in the block.

    OpenMP's threads wait for each other by spinning. On a machine whose cores are busy (two models at once, a
    CI runner) that turns half a second of training into half a minute; and sums over threads depend on their
    number, so that a model would not be the same on another machine.
    """
    import sklearn  # noqa: F401 - loads its OpenMP, which only then can be told
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    with threadpool_limits(limits=1):
        yield
