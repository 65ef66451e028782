"""Who silences is sent what is critical behind the silence, and what stands when it is about to end."""

import datetime as dt

from alerts.lifecycle.alert import Reason
from alerts.notices.controls import Silence
from alerts.notices.routing import Route
from tests.alerts.one_sink import SINK, OneSink, reasons
from tests.stories.test_reconciled_delivery import CRITICAL, breach, calm

ELSEWHERE = (Route(name="all", sinks=("shift",)),)


def silence(desk: OneSink, lasts: float, **given) -> Silence:
    start = given.get("starts") or desk.at
    until = start + dt.timedelta(hours=lasts)
    return Silence(name="q", until=until, by="anna", at=desk.at, reason="drill", **given)


def test_what_is_critical_in_a_silence_is_sent_to_its_author_alone() -> None:
    author, shift = OneSink(ELSEWHERE), OneSink()
    for desk in (author, shift):
        desk.apply(silence(desk, 8, notify=SINK if desk is author else "author"))
    (notice,) = author.judge(breach(observed=CRITICAL))
    assert notice.reason is Reason.FIRST
    assert "A silence by anna holds it back until 2023-01-02 03:00 EST (2023-01-02 08:00 UTC)." in notice.text
    assert shift.judge(breach(observed=CRITICAL)) == []
    assert reasons(author.wait(hours=8.1)) == [Reason.RESOLVED]  # handed over: the routes have it now
    assert reasons(shift.wait(hours=8.1)) == [Reason.FIRST]


def test_what_is_not_critical_is_sent_to_the_author_when_the_silence_is_about_to_end() -> None:
    author = OneSink(ELSEWHERE)
    author.apply(silence(author, 8, notify=SINK))
    assert author.judge(breach()) == []
    assert author.wait(hours=6.9) == []
    assert reasons(author.wait(hours=0.2)) == [Reason.FIRST]


def test_a_silence_behind_which_nothing_stands_sends_nothing() -> None:
    author = OneSink(ELSEWHERE)
    author.apply(silence(author, 8, notify=SINK))
    author.judge(breach())
    author.judge(*calm())
    assert author.wait(hours=9) == []


def test_an_author_who_is_in_the_routes_too_is_sent_it_once() -> None:
    author = OneSink()
    author.apply(silence(author, 8, notify=SINK))
    assert reasons(author.judge(breach(observed=CRITICAL))) == [Reason.FIRST]
    assert author.wait(hours=9) == []


def test_a_silence_in_advance_holds_back_nothing_before_it_starts() -> None:
    desk = OneSink()
    desk.apply(silence(desk, 8, starts=desk.at + dt.timedelta(hours=2)))
    assert reasons(desk.judge(breach())) == [Reason.FIRST]
    desk.wait(hours=3)
    assert desk.judge(breach(sector="blaine")) == []
    assert reasons(desk.wait(hours=8)) == [Reason.FIRST]


def test_a_silence_of_every_night_lets_what_stands_through_by_day() -> None:
    desk = OneSink()
    desk.apply(silence(desk, 24 * 9, starts=desk.at, repeats="FREQ=DAILY", hours=8))
    assert desk.judge(breach()) == []
    assert reasons(desk.wait(hours=8.1)) == [Reason.FIRST]
    desk.wait(hours=17)
    assert desk.judge(breach(sector="blaine", day=1)) == []
    assert reasons(desk.wait(hours=8)) == [Reason.FIRST]
