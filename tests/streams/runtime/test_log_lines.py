"""A library that logs the same thing thousands of times gets a few lines a minute."""

import logging
from contextlib import suppress

import structlog
from aiohttp.http_exceptions import BadStatusLine
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

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


def failure(error: BaseException, name: str = "faust") -> logging.LogRecord:
    """A line that a library logs with a trace."""
    return logging.LogRecord(name, logging.ERROR, __file__, 1, "crashed", (), (type(error), error, None))


def test_what_the_broker_refused_has_one_line_and_a_bug_has_its_trace() -> None:
    refused, bug = failure(TopicAuthorizationFailedError("verdicts")), failure(ValueError("a bug"))
    wrapped = RuntimeError("the broker did not take it")
    wrapped.__cause__ = refused.exc_info and refused.exc_info[1]
    limiter = LogLimiter()
    for line_of_broker in (refused, failure(wrapped)):
        assert limiter.filter(line_of_broker)
        assert line_of_broker.exc_info is None
    assert limiter.filter(bug)
    assert bug.exc_info


def test_a_peer_that_is_no_broker_costs_a_line_and_no_trace() -> None:
    garbage = failure(ValueError("b'' is no int32" + "x" * 1_000), "aiokafka.conn")
    assert LogLimiter().filter(garbage)
    assert garbage.exc_info is None
    assert garbage.getMessage().startswith("crashed: ValueError(\"b'' is no int32xxx")
    assert len(garbage.getMessage()) == 300


def test_a_client_that_breaks_off_or_sends_no_http_is_no_news_and_an_error_of_the_console_is() -> None:
    limiter = LogLimiter()
    assert not limiter.filter(failure(ConnectionResetError("closing transport"), "aiohttp.server"))
    assert not limiter.filter(failure(BadStatusLine("\x16\x03"), "aiohttp.server"))
    assert limiter.filter(failure(ValueError("a bug"), "aiohttp.server"))


def test_nothing_follows_the_line_that_says_why_a_worker_ends() -> None:
    """Futures that nobody waits for any more, and services that are stopped after their loop."""
    limiter = LogLimiter()
    assert not limiter.filter(failure(KafkaError("refused"), "asyncio"))
    assert not limiter.filter(failure(RuntimeError("Event loop is closed")))
    assert limiter.filter(failure(ValueError("a bug"), "asyncio"))


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
