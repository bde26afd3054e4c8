"""What the server reports of itself: log lines (JSON on standard error), and metrics."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from tfgate.server.job import RunTask

Log = Any
"""A structlog logger: its methods take the event and keyword values."""


def set_up() -> Log:
    """Return the logger. Warnings and errors of libraries are written the same way."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = _Forward()
    for name in ("dbos", "uvicorn", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.propagate = False
        logger.setLevel(logging.WARNING)
    return structlog.get_logger()


class _Forward(logging.Handler):
    """Writes a library's line without its arguments' tracebacks: these may hold a request."""

    def emit(self, record: logging.LogRecord) -> None:
        kind = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        log = structlog.get_logger()
        text = record.getMessage().split("\n", 1)[0][:300]
        log.log(record.levelno, "library", logger=record.name, text=text, error=kind)


def about(log: Log, key: str, task: RunTask) -> Log:
    """Return a logger whose every line names the run and the task."""
    return log.bind(
        task=key,
        run_id=task.run_id,
        stage=task.stage.value,
        organization=task.organization_name,
        workspace=task.workspace_name,
    )


# Metrics for Prometheus. No label has a value that a request chooses.


class Metrics:
    """The server's metrics."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self.requests = Counter(
            "tfgate_requests_total",
            "Run task requests by the answer to them",
            ["result"],
            registry=registry,
        )
        self.answers = Counter(
            "tfgate_answers_total",
            "Final answers that were taken (passed, failed), and tasks given up (abandoned)",
            ["stage", "status"],
            registry=registry,
        )
        self.evaluated = Histogram(
            "tfgate_judge_seconds",
            "Time of an evaluation, with the wait for a place",
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
        """Return the exposition format."""
        return generate_latest(self._registry)
