"""A library that logs the same thing thousands of times gets a few lines a minute."""

import logging

from streams.runtime.log_lines import MOST, LogLimiter


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
