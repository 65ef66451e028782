"""What a sink is sent when silences, nights, routes, restarts and outages come between."""

import pytest

from alerts.lifecycle.alert import Reason, Severity
from alerts.lifecycle.policies import Policies, Policy
from alerts.notices.backlog import SETTLE_SECONDS
from alerts.notices.batches import Limits
from alerts.notices.notices import summary_line
from alerts.notices.outcomes import Delivered, Refused, Retry
from alerts.notices.routing import Route
from streams.contract.controls import Withdrawn
from tests.alerts.one_sink import SINK, OneSink, reasons
from tests.stories.made import CRITICAL, QUIET, acknowledge, breach, calm, reroute, silence

ESCALATING = Policies(default=Policy(unanswered_minutes=(15, 60)))
DIGESTS = Limits(most=20)


def test_an_alert_that_gets_worse_in_a_silence_is_sent_as_worse_when_it_ends() -> None:
    desk = OneSink()
    assert reasons(desk.judge(breach())) == [Reason.FIRST]
    desk.apply(silence(desk, 1))
    assert desk.judge(breach(1, CRITICAL)) == []
    (notice,) = desk.wait(hours=1.1)
    assert (notice.reason, notice.alert.severity) == (Reason.WORSE, Severity.CRITICAL)
    assert desk.judge(breach(2, CRITICAL)) == []


def test_an_alert_that_ends_in_a_silence_is_resolved_for_those_who_know_of_it() -> None:
    desk = OneSink()
    desk.judge(breach())
    desk.apply(silence(desk, 1))
    assert reasons(desk.judge(*calm())) == [Reason.RESOLVED]


def test_an_alert_that_begins_and_ends_in_a_silence_is_never_sent() -> None:
    desk = OneSink()
    desk.apply(silence(desk, 1))
    assert desk.judge(breach(), *calm()) == []
    assert desk.wait(hours=2) == []


def test_a_silence_that_is_withdrawn_ends_at_once() -> None:
    desk = OneSink()
    desk.apply(silence(desk, 8))
    desk.judge(breach())
    taken_back = Withdrawn(withdraws="silence/all", by="anna", at=desk.at, reason="over")
    assert reasons(desk.apply(taken_back)) == [Reason.FIRST]


def test_what_fires_at_night_is_one_digest_in_the_morning() -> None:
    desk = OneSink(QUIET, limits=DIGESTS)
    assert desk.judge(breach(sector="swanton"), breach(sector="blaine")) == []
    assert reasons(desk.wait(hours=6)) == [Reason.FIRST, Reason.FIRST]
    assert len(desk.batches) == 1
    assert reasons(desk.judge(*calm("swanton"), *calm("blaine"))) == [Reason.RESOLVED] * 2


def test_what_is_critical_is_sent_at_night() -> None:
    desk = OneSink(QUIET)
    assert desk.judge(breach()) == []
    assert reasons(desk.judge(breach(1, CRITICAL))) == [Reason.FIRST]


def test_what_begins_and_ends_at_night_is_never_sent() -> None:
    desk = OneSink(QUIET)
    assert desk.judge(breach(), *calm()) == []
    assert desk.wait(hours=7) == []


def test_a_route_that_is_switched_off_closes_what_it_opened_and_opens_it_anew_when_it_is_back() -> None:
    desk = OneSink()
    (opened,) = desk.judge(breach())
    (closed,) = desk.apply(reroute(desk, None))
    assert closed.reason is Reason.RESOLVED
    assert closed.headline == "No longer sent here: Surge at Swanton: 60 in 1 day, expected 30 (×2.0)"
    assert "It goes on. No route leads here" in closed.text  # whether or not one leads elsewhere
    (again,) = desk.apply(Withdrawn(withdraws="route/all", by="anna", at=desk.at, reason="over"))
    assert again.reason is Reason.FIRST
    assert len({opened.notice_id, closed.notice_id, again.notice_id}) == 3
    (over,) = desk.judge(*calm())
    assert over.notice_id != closed.notice_id


def test_a_restart_sends_nothing_again() -> None:
    desk = OneSink(policies=ESCALATING)
    desk.judge(breach(0, CRITICAL))
    desk.apply(acknowledge(desk))
    desk.restart()
    assert desk.sent() == []
    assert reasons(desk.judge(*calm())) == [Reason.RESOLVED]


def test_a_replay_sends_every_step_and_a_restart_of_it_sends_nothing_again() -> None:
    desk = OneSink(replay=True)
    desk.answer = Retry("http_503")
    desk.judge(breach(), *calm())
    desk.judge(breach(5), breach(6, CRITICAL))
    desk.answer = Delivered()
    sent = [*desk.wait(minutes=1), *desk.wait(minutes=1)]
    assert sorted(reasons(sent)) == [Reason.FIRST, Reason.FIRST, Reason.RESOLVED, Reason.WORSE]
    for _ in range(2):
        desk.restart()
        assert desk.sent() == []
    assert reasons(desk.judge(*calm(first=7))) == [Reason.RESOLVED]


@pytest.mark.parametrize("is_answered", [True, False])
def test_a_replay_that_is_killed_resolves_nothing_that_fires(is_answered: bool) -> None:
    """What an alert was before the sink knew of it, pending or less severe, is passed over."""
    seldom = Policies(default=Policy(open_after=2, sure_below=0))
    desk = OneSink((Route(name="duty", sinks=(SINK,), least=Severity.CRITICAL),), seldom, replay=True)
    desk.answer = Delivered() if is_answered else Retry("timeout", unanswered=True)
    desk.judge(breach(0), breach(1), breach(2, CRITICAL))
    desk.answer = Delivered()
    desk.restart()
    assert reasons([*desk.wait(minutes=1), *desk.sent()]) == ([] if is_answered else [Reason.FIRST])
    assert reasons(desk.judge(*calm(first=3))) == [Reason.RESOLVED]


def test_a_notice_names_the_figures_of_the_one_before() -> None:
    desk = OneSink()
    desk.judge(breach())
    (worse,) = desk.judge(breach(1, CRITICAL))
    assert worse.text.splitlines()[0] == "Now critical. Last notice: 60 in 1 day, expected 30 (×2.0)."


def test_a_notice_has_the_sectors_own_time_beside_utc() -> None:
    (notice,) = OneSink().judge(breach())
    assert "Since 2022-12-31 19:00 EST (2023-01-01 00:00 UTC), 1 day in breach." in notice.text
    assert notice.as_of == "2023-01-01 19:00 EST (2023-01-02 00:00 UTC)"


def test_an_outage_of_an_hour_is_one_message_about_what_stands() -> None:
    desk = OneSink()
    desk.answer = Retry("http_503")
    desk.judge(breach())
    desk.wait(minutes=30)
    desk.judge(breach(1, CRITICAL))
    desk.judge(breach(0, sector="blaine"), *calm("blaine"))
    desk.wait(minutes=30)
    desk.answer = Delivered()
    (notice,) = desk.wait(minutes=1)
    assert (notice.reason, notice.alert.severity) == (Reason.FIRST, Severity.CRITICAL)


def test_a_message_without_an_answer_is_sent_again_as_it_was_and_then_what_is_new() -> None:
    desk = OneSink()
    desk.answer = Retry("timeout", unanswered=True)
    desk.judge(breach())
    desk.judge(breach(1, CRITICAL))
    desk.restart()
    desk.answer = Delivered()
    first, worse = desk.wait(minutes=1)
    assert (first.reason, first.alert.severity) == (Reason.FIRST, Severity.WARNING)
    assert (worse.reason, worse.alert.severity) == (Reason.WORSE, Severity.CRITICAL)


def test_a_message_that_may_have_been_received_is_not_forgotten_when_its_next_try_is_refused() -> None:
    desk = OneSink()
    desk.answer = Retry("timeout", unanswered=True)
    desk.judge(breach())
    desk.answer = Retry("http_500")
    desk.wait(seconds=1)
    desk.judge(*calm())
    desk.answer = Delivered()
    assert reasons(desk.wait(minutes=5)) == [Reason.FIRST, Reason.RESOLVED]


def test_a_receiver_cannot_ask_for_a_wait_of_a_day() -> None:
    desk = OneSink()
    desk.answer = Retry("http_429", 86_400.0)
    desk.judge(breach())
    desk.answer = Delivered()
    assert reasons(desk.wait(minutes=5)) == [Reason.FIRST]


def test_what_is_refused_is_a_dead_letter_and_is_not_tried_again_until_somebody_asks() -> None:
    desk = OneSink()
    desk.answer = Refused("http_400")
    desk.judge(breach())
    message = desk.batches[-1].messages[0]
    assert desk.dead == [(message.notice_id, "http_400")]
    desk.answer = Delivered()
    assert desk.wait(hours=1) == []
    desk.queue.send_again(message, desk._moment)
    (notice,) = desk.sent()
    assert notice.notice_id == message.notice_id


def test_an_end_that_was_refused_is_sent_again_also_after_a_newer_alert_took_its_place() -> None:
    desk = OneSink()
    desk.judge(breach())
    desk.answer = Refused("http_400")
    desk.judge(*calm())
    (message,) = desk.batches[-1].messages
    desk.answer = Delivered()
    assert reasons(desk.judge(breach(9))) == [Reason.FIRST]
    desk.restart()
    desk.queue.send_again(message, desk._moment)
    assert reasons(desk.sent()) == [Reason.RESOLVED]


def test_a_dead_letter_of_an_alert_that_is_over_is_sent_with_its_end() -> None:
    desk = OneSink()
    desk.answer = Refused("http_400")
    desk.judge(breach())
    desk.judge(*calm())
    desk.answer = Delivered()
    desk.queue.send_again(desk.batches[0].messages[0], desk._moment)
    assert reasons(desk.sent()) == [Reason.FIRST, Reason.RESOLVED]


def test_a_digest_with_a_notice_that_is_refused_is_sent_notice_by_notice() -> None:
    desk = OneSink(limits=DIGESTS)
    desk.answer = Refused("http_400")
    desk.judge(*(breach(sector=f"sector-{at}") for at in range(5)))
    assert [len(batch.messages) for batch in desk.batches] == [5, 1, 1, 1, 1, 1]


def test_year_old_surges_are_one_line_and_what_stands_is_sent() -> None:
    desk = OneSink(limits=DIGESTS)
    desk.wait(hours=24 * 365)
    desk.wait(seconds=1)
    for at in range(200):
        desk.judge(breach(sector=f"sector-{at}"), *calm(f"sector-{at}"))
    desk.judge(breach(4, sector="swanton"))
    assert desk.batches == []
    assert reasons(desk.wait(seconds=SETTLE_SECONDS)) == [Reason.FIRST]
    (batch,) = desk.batches
    assert batch.backlog is not None
    assert summary_line(batch.backlog, desk.now) == (
        "Backlog, 362 days old: 200 alerts between 2023-01-01 and 2023-01-05 began and ended before they "
        "could be sent"
    )
    assert desk.wait(hours=1) == []


def test_a_storm_is_one_message_where_a_sink_takes_digests_and_a_few_are_sent_one_by_one() -> None:
    for number, batches in ((3, 3), (4, 1), (45, 3)):
        desk = OneSink(limits=DIGESTS)
        desk.judge(*(breach(sector=f"sector-{at}") for at in range(number)))
        assert len(desk.batches) == batches


def test_one_alert_that_is_not_taken_holds_up_no_other() -> None:
    desk = OneSink()
    desk.answer = Retry("http_500")
    desk.judge(breach())
    desk.answer = Delivered()
    assert reasons(desk.judge(breach(sector="blaine"))) == [Reason.FIRST]


def test_the_age_of_the_oldest_message_outlives_a_restart() -> None:
    desk = OneSink()
    desk.answer = Retry("http_503")
    desk.judge(breach())
    desk.wait(hours=9)
    desk.restart()
    desk.sent()
    number, age = desk.queue.waiting(desk.steady)
    assert (number, round(age)) == (1, 9 * 3600)


def test_a_letter_that_is_sent_again_in_a_silence_waits_for_its_end() -> None:
    desk = OneSink()
    desk.answer = Refused("http_400")
    desk.judge(breach())
    (letter,) = desk.batches[-1].messages
    desk.answer = Delivered()
    desk.apply(silence(desk, 1))
    desk.send_again(letter)
    assert desk.sent() == []
    assert reasons(desk.wait(hours=1.1)) == [Reason.FIRST]


def test_a_letter_is_not_sent_again_to_those_whom_the_routes_no_longer_name() -> None:
    desk = OneSink()
    desk.answer = Refused("http_400")
    desk.judge(breach())
    (letter,) = desk.batches[-1].messages
    desk.answer = Delivered()
    desk.apply(reroute(desk, None))
    desk.send_again(letter)
    assert desk.wait(hours=1) == []
