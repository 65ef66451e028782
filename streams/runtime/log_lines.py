"""What a worker logs: structured lines on standard error, and few of one kind."""

import logging
import sys
import time
from collections.abc import Callable, Hashable

import structlog
from aiohttp.http_exceptions import HttpProcessingError
from aiokafka.errors import KafkaError
from structlog.typing import EventDict

from streams.runtime.kafka_diagnosis import causes

MOST = 3  # lines of one kind that libraries may log
MOST_TROUBLES = 20  # warnings and errors of one kind that we may log ourselves
WINDOW = 60.0  # in so many seconds
LONGEST = 300  # characters of a library's line that stands for a trace


class Rate:
    """Lets so many lines of each kind through in a window; the next one has the number of those left out."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._clock = most, clock
        self._kinds: dict[Hashable, tuple[float, int]] = {}  # when the window began, lines since

    def admit(self, kind: Hashable) -> int | None:
        """Return how many lines were left out before this one; None where it is left out too."""
        now = self._clock()
        began, lines = self._kinds.get(kind, (now, 0))
        left_out = 0
        if now - began >= WINDOW:
            began, left_out, lines = now, max(0, lines - self._most), 0
        self._kinds[kind] = began, lines + 1
        return left_out if lines < self._most else None


class LogLimiter(logging.Filter):
    """Lets a few lines of each kind through.

    A kind is a logger and the text of its message before values are put in. Libraries that try to reach a
    broker log hundreds of lines a second.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._rate = Rate(MOST, clock)

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the line is let through.

        What the broker refused has no trace: the message names it.
        """
        error = record.exc_info[1] if record.exc_info else None
        is_of_kafka = any(isinstance(one, KafkaError) for one in causes(error))
        if _is_no_news(record.name, error, is_of_kafka=is_of_kafka):
            return False
        if is_of_kafka:
            record.exc_info = None
        if error is not None and record.name.startswith("aiokafka"):  # such as garbage in place of an answer
            record.msg, record.args, record.exc_info = f"{record.getMessage()}: {error!r}"[:LONGEST], (), None
        left_out = self._rate.admit((record.name, str(record.msg)[:40]))
        if left_out:
            record.msg, record.args = f"{record.getMessage()} ({left_out} more like this)", ()
        return left_out is not None


def _is_no_news(logger: str, error: BaseException | None, *, is_of_kafka: bool) -> bool:
    """Return whether a client broke off, or sends no HTTP, or the error is in the worker's last line."""
    if logger == "aiohttp.server":
        return isinstance(error, ConnectionResetError | HttpProcessingError)
    if isinstance(error, RuntimeError) and str(error) == "Event loop is closed":
        return True  # whoever stops on a loop that has ended
    return is_of_kafka and logger == "asyncio"  # a task that nobody awaits


class EventLimiter:
    """A processor of structlog that does the same for our own warnings and errors, by their event.

    A topic may hold any number of records that are not understood, and a worker reads them at each start.
    Metrics count them all.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = Rate(MOST_TROUBLES, clock)

    def __call__(self, logger: object, method: str, event: EventDict) -> EventDict:
        """Return the event; raises DropEvent where it is left out."""
        if method not in ("warning", "error"):
            return event
        left_out = self._rate.admit(event["event"])
        if left_out is None:
            raise structlog.DropEvent
        return {**event, "left_out": left_out} if left_out else event


def start_logging() -> None:
    """Log our own events as JSON, and warnings of libraries as text; few of a kind in a minute."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(LogLimiter())
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    structlog.configure(
        processors=[
            EventLimiter(),
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
