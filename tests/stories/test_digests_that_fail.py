"""One message that its receiver does not take holds up no other, also where they are sent together."""

import pytest

from alerts.lifecycle.alert import Notice
from alerts.notices.batches import Batch, Limits
from alerts.notices.outcomes import Delivered, Outcome, Retry
from tests.alerts.one_sink import OneSink
from tests.stories.made import CRITICAL, breach, calm

DIGESTS = Limits(spacing=1.0, most=20)
FAULTS = (Retry("http_500"), Retry("timeout", unanswered=True))
WAITS = (Retry("http_503", 60.0), Retry("http_429", 7.0))
HEALTHY = tuple(f"sector-{number}" for number in range(25))


BAD = ("blaine", "oroville")


class Poisoned(OneSink):
    """A sink that never takes a message about the bad ones."""

    def __init__(self, fault: Outcome, limits: Limits = DIGESTS) -> None:
        super().__init__(limits=limits)
        self.fault = fault

    def answer_to(self, batch: Batch) -> Outcome:
        is_bad = any(one.view.alert.sector in BAD for one in batch.messages)
        return self.fault if is_bad else Delivered()


def taken(desk: OneSink, seconds: int) -> list[Notice]:
    return [notice for _ in range(seconds) for notice in desk.wait(seconds=1)]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_message_that_fails_holds_up_no_digest(fault: Outcome) -> None:
    desk = Poisoned(fault)
    desk.judge(breach(sector="blaine"), *(breach(sector=name) for name in HEALTHY))
    assert {one.alert.sector for one in taken(desk, 60)} == set(HEALTHY)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_grave_message_that_fails_holds_up_none_that_come_later(fault: Outcome) -> None:
    desk = Poisoned(fault)
    desk.judge(breach(0, CRITICAL, sector="blaine"), *(breach(sector=name) for name in HEALTHY))
    taken(desk, 600)
    desk.observe(*(breach(1, CRITICAL, sector=name) for name in HEALTHY))
    assert {one.alert.sector for one in taken(desk, 15)} == set(HEALTHY)


@pytest.mark.parametrize("limits", [Limits(), Limits(spacing=1.0), DIGESTS])
@pytest.mark.parametrize("fault", [*FAULTS, *WAITS])
def test_a_grave_message_for_which_a_wait_is_asked_each_time_keeps_its_sink_from_no_other(
    fault: Outcome, limits: Limits
) -> None:
    desk = Poisoned(fault, limits)
    others = [breach(sector=name) for name in HEALTHY]
    notices = desk.judge(breach(0, CRITICAL, sector="blaine"), *others) + taken(desk, 300)
    assert {one.alert.sector for one in notices} == set(HEALTHY)
    desk.observe(*(breach(1, CRITICAL, sector=name) for name in HEALTHY[:4]))
    assert {one.alert.sector for one in taken(desk, 15)} == set(HEALTHY[:4])


@pytest.mark.parametrize("limits", [Limits(), Limits(spacing=1.0), DIGESTS])
@pytest.mark.parametrize("fault", WAITS)
def test_nor_do_two_of_them_once_the_sink_takes_something_again(fault: Retry, limits: Limits) -> None:
    desk = Poisoned(fault, limits)
    grave = [breach(0, CRITICAL, sector=name) for name in BAD]
    desk.answer_to = lambda _: fault  # type: ignore[method-assign]  until it works again
    desk.judge(*grave, *(breach(sector=name) for name in HEALTHY))
    assert taken(desk, 600) == []
    del desk.answer_to
    assert {one.alert.sector for one in taken(desk, 200)} == set(HEALTHY)


def test_after_a_wait_the_gravest_goes_first() -> None:
    desk = OneSink(limits=Limits(spacing=1.0))
    desk.answer = Retry("http_429", 60.0)
    desk.judge(breach(0, CRITICAL, sector="blaine"), *(breach(sector=name) for name in HEALTHY))
    taken(desk, 600)
    desk.answer = Delivered()
    assert "blaine" in [one.alert.sector for one in taken(desk, 62)][:2]


def test_a_sink_that_was_away_for_an_hour_has_all_in_a_few_messages_and_was_asked_seldom() -> None:
    desk = OneSink(limits=DIGESTS)
    desk.answer = Retry("http_503")
    desk.judge(*(breach(sector=f"sector-{number}") for number in range(60)))
    taken(desk, 3600)
    tries = len(desk.batches)
    desk.answer = Delivered()
    assert len(taken(desk, 60)) == 60
    assert len(desk.batches) - tries == 4
    assert tries < 400


def test_a_message_that_failed_and_is_taken_at_last_goes_with_others_again() -> None:
    desk = Poisoned(Retry("http_500"))
    desk.judge(breach(sector="blaine"), *(breach(sector=name) for name in HEALTHY[:4]))
    taken(desk, 300)
    desk.fault = Delivered()
    assert [one.alert.sector for one in taken(desk, 60)] == ["blaine"]
    before = len(desk.batches)
    desk.observe(*(one for name in ("blaine", *HEALTHY[:4]) for one in calm(name)))
    assert len(taken(desk, 5)) == 5
    assert len(desk.batches) - before == 1


def test_the_summary_of_a_backlog_is_tried_ever_more_seldom_by_a_sink_that_takes_nothing() -> None:
    desk = OneSink(limits=DIGESTS)
    desk.wait(hours=24 * 365)
    desk.wait(seconds=1)
    desk.answer = Retry("http_503")
    desk.observe(breach(sector="swanton"), *calm("swanton"))
    taken(desk, 3600)
    assert len(desk.batches) < 150
    desk.answer = Delivered()
    taken(desk, 60)
    assert desk.batches[-1].backlog is not None
    tries = len(desk.batches)
    taken(desk, 60)
    assert len(desk.batches) == tries
