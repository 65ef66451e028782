"""A library that logs the same thing thousands of times gets a few lines a minute."""

import logging
from contextlib import suppress

import structlog

from streams.runtime.log_lines import MOST, MOST_TROUBLES, WINDOW, EventLimiter, LogLimiter


def line(number: int, text: str = "cannot connect to %s") -> logging.LogRecord:
    return logging.LogRecord("aiokafka", logging.ERROR, __file__, 1, text, (number,), None)


def test_thousands_of_lines_become_a_few_and_the_next_minute_reports_how_many_were_left_out() -> None:
    now = 0.0
    limiter = LogLimiter(lambda: now)
    assert sum(limiter.filter(line(at)) for at in range(1_000)) == MOST
    assert limiter.filter(line(1, "something else: %s"))
    now = 61.0
    later = line(7)
    assert limiter.filter(later)
    assert later.getMessage() == f"cannot connect to 7 ({1_000 - MOST} more like this)"


def test_records_that_are_not_understood_cost_a_few_lines_and_the_rest_is_counted() -> None:
    now = 0.0
    limit = EventLimiter(lambda: now)
    passed = 0
    for offset in range(1_000):
        with suppress(structlog.DropEvent):
            limit(None, "error", {"event": "alert not understood", "offset": offset})
            passed += 1
    assert passed == MOST_TROUBLES
    now = WINDOW
    found = limit(None, "error", {"event": "alert not understood", "offset": 1_000})
    assert found["left_out"] == 1_000 - MOST_TROUBLES


def test_every_line_that_is_no_trouble_is_logged_and_so_is_what_ends_a_worker() -> None:
    limit = EventLimiter(lambda: 0.0)
    for method in ("info", "critical"):
        for _ in range(100):
            assert limit(None, method, {"event": "control"}) == {"event": "control"}
