"""What a worker logs: structured lines on standard error, and few of them while the broker is away."""

import logging
import sys
import time
from collections.abc import Callable

import structlog

MOST = 3  # lines of one kind that libraries may log
WINDOW = 60.0  # in so many seconds


class LogLimiter(logging.Filter):
    """Lets a few lines of each kind through; the next one has the number of those left out.

    A kind is a logger and the text of its message before values are put in. Libraries that try to reach a
    broker log hundreds of lines a second.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._kinds: dict[tuple[str, str], tuple[float, int]] = {}  # when the window began, lines since

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the line is let through."""
        now, kind = self._clock(), (record.name, str(record.msg)[:40])
        began, lines = self._kinds.get(kind, (now, 0))
        left_out = 0
        if now - began >= WINDOW:
            began, left_out, lines = now, max(0, lines - MOST), 0
        self._kinds[kind] = began, lines + 1
        if left_out:
            record.msg, record.args = f"{record.getMessage()} ({left_out} more like this)", ()
        return lines < MOST


def start_logging() -> None:
    """Log our own events as JSON, and warnings of libraries as text, a few of each kind a minute."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(LogLimiter())
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
