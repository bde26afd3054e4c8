"""Numbers for Prometheus. No label has a value that a request chooses."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Metrics:
    """The server's numbers."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.requests = Counter(
            "tfgate_requests_total",
            "Run task requests by what was said to them",
            ["result"],
            registry=registry,
        )
        self.answers = Counter(
            "tfgate_answers_total",
            "Final answers that were taken (passed, failed), and tasks given up (abandoned)",
            ["stage", "status"],
            registry=registry,
        )
        self.judged = Histogram(
            "tfgate_judge_seconds",
            "Time of a judgement, with the wait for a place",
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
            registry=registry,
        )
        self.answered = Histogram(
            "tfgate_answer_seconds",
            "Time from accepting a request to its answer being taken",
            buckets=(0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 3600),
            registry=registry,
        )
        self.heartbeats = Counter(
            "tfgate_heartbeats_total", "Heartbeats sent", ["result"], registry=registry
        )
        self.adopted = Counter(
            "tfgate_adopted_total", "Tasks taken over from another server", registry=registry
        )
        self.reloads = Counter(
            "tfgate_reloads_total", "Reloads of the rules", ["result"], registry=registry
        )
        self.open = Gauge("tfgate_open_tasks", "Tasks without an answer", registry=registry)

    def text(self) -> bytes:
        """Give the exposition format."""
        return generate_latest(self._registry)
