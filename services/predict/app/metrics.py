"""Counters as plain numbers, incremented inline by the one thread that answers; Prometheus's text on demand."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import accumulate
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.models import Table

BOUNDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Upper bounds of the latency histogram, seconds."""


class Counts:
    """What one version of a model answered. Kept when the version is replaced: a counter never falls."""

    __slots__ = ("buckets", "codes", "rows", "seconds")

    def __init__(self) -> None:
        self.codes: Counter[int] = Counter()
        self.rows = 0
        self.seconds = 0.0
        self.buckets = [0] * (len(BOUNDS) + 1)

    def answered(self, rows: int, seconds: float) -> None:
        """Count one request that was answered with scores."""
        self.codes[200] += 1
        self.rows += rows
        self.seconds += seconds
        self.buckets[bisect_left(BOUNDS, seconds)] += 1


class Metrics:
    """All counters of the process.

    Attributes:
        unassigned: Status codes of requests that reached no model (no JSON, no such model, too large).
        reloads: `success` and `failure`.
    """

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], Counts] = {}
        self.unassigned: Counter[int] = Counter()
        self.reloads: Counter[str] = Counter({"success": 0, "failure": 0})

    def counts(self, model: str, version: str) -> Counts:
        """The counters of one version; the same ones whenever it comes back."""
        return self._counts.setdefault((model, version), Counts())

    def exposition(self, table: Callable[[], Table]) -> Callable[[], bytes]:
        """A function that gives everything in Prometheus's text format (version 0.0.4)."""
        from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
        from prometheus_client.registry import Collector

        metrics = self

        class Served(Collector):
            """Reads the counters when it is asked."""

            def collect(self) -> Iterable[Any]:
                return [*metrics._families(), *_table_families(table())]

        registry = CollectorRegistry()
        registry.register(Served())
        ProcessCollector(registry=registry)
        return lambda: generate_latest(registry)

    def _families(self) -> Iterable[Any]:
        from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

        names = ["model", "version"]
        requests = CounterMetricFamily("predict_requests", "Requests answered, by status code", labels=[*names, "code"])
        rows = CounterMetricFamily("predict_rows", "Rows scored", labels=names)
        latency = HistogramMetricFamily(
            "predict_latency_seconds", "Seconds that POST /predict takes, from the headers to the answer", labels=names
        )
        for (model, version), counts in list(self._counts.items()):
            for code, count in list(counts.codes.items()):
                requests.add_metric([model, version, str(code)], count)
            rows.add_metric([model, version], counts.rows)
            bounds = [*(str(bound) for bound in BOUNDS), "+Inf"]
            buckets = list(zip(bounds, accumulate(counts.buckets), strict=True))
            latency.add_metric([model, version], buckets=buckets, sum_value=counts.seconds)
        for code, count in list(self.unassigned.items()):
            requests.add_metric(["", "", str(code)], count)
        reloads = CounterMetricFamily("predict_reloads", "Reloads of the list of models", labels=["outcome"])
        for outcome, count in list(self.reloads.items()):
            reloads.add_metric([outcome], count)
        return requests, rows, latency, reloads


def _table_families(table: Table) -> Iterable[Any]:
    from prometheus_client.core import GaugeMetricFamily

    ready = GaugeMetricFamily("predict_ready", "1 when every listed model is served", value=float(table.ready))
    info = GaugeMetricFamily(
        "predict_model_info", "The models in service; engine sklearn is the slow one",
        labels=["model", "version", "sha256", "engine"],
    )
    for slot in table.slots.values():
        info.add_metric([slot.name, slot.version, slot.sha256, slot.engine], 1.0)
    return ready, info
