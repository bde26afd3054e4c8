"""Log lines of the server: one JSON object a line on standard error."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

import structlog

if TYPE_CHECKING:
    from tfgate.web.payload import RunTask

Log = Any
"""A structlog logger: its methods take the event and keyword values."""


def set_up() -> Log:
    """Give the logger. What the libraries say from warnings on is written the same way."""
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
    """Give a logger whose every line names the run and the task."""
    return log.bind(
        task=key,
        run_id=task.run_id,
        stage=task.stage.value,
        organization=task.organization_name,
        workspace=task.workspace_name,
    )
