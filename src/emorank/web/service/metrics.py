"""What the server counts, as Prometheus reads it."""

import os
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from starlette.responses import Response
from starlette.types import Scope

from emorank.web.desk import Desk

GONE = 499
"""What stands for the status where nobody waited for the answer."""
_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The counts of one server; each server has its own."""

    def __init__(self, desk: Desk) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "emorank_requests",
            f"Requests by their answers; {GONE}: nobody waited for it.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "emorank_request_seconds",
            "From the head of a request to the end of its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        ProcessCollector(registry=self._registry)
        self._registry.register(_DeskCollector(desk))

    def note(self, scope: Scope, status: int | None, seconds: float) -> None:
        """Count a request; the route is its pattern, so that strangers can make up no new ones."""
        route = getattr(scope.get("route"), "path", "") or "none"
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._requests.labels(method, route, str(GONE if status is None else status)).inc()
        self._seconds.labels(route).observe(seconds)

    def answer(self) -> Response:
        """All of it as text."""
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)


_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class _DeskCollector(Collector):
    """What the desk knows of itself at the moment of the question."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def collect(self) -> Iterator[Metric]:
        desk = self._desk
        waiting = GaugeMetricFamily(
            "emorank_queue", "Pieces of work that are begun or wait.", labels=("of",)
        )
        for name, count in desk.begun().items():
            waiting.add_metric((name,), count)
        yield waiting
        worked = CounterMetricFamily(
            "emorank_work", "Pieces of work that have come to their turn.", labels=("of",)
        )
        for name, count in desk.worked().items():
            worked.add_metric((name,), count)
        yield worked
        yield GaugeMetricFamily(
            "emorank_queue_limit", "How many may be begun or wait, of each.", desk.waiting
        )
        yield CounterMetricFamily(
            "emorank_decoder_deaths", "Decoders that died or were ended.", desk.decoders.deaths
        )
        yield GaugeMetricFamily(
            "emorank_decoder_resident_memory_bytes",
            "Of all decoders together.",
            sum(map(_resident, desk.decoders.pids())),
        )


def _resident(pid: int) -> int:
    """Bytes of a process in memory; 0 where the system does not say."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
