"""Two things at once: sinks away, silences, nights, routes, acknowledgements and clocks that meet."""

import datetime as dt

import pytest

from alerts.lifecycle.alert import Reason, Severity
from alerts.lifecycle.policies import Policies, Policy
from alerts.notices.batches import Limits
from alerts.notices.controls import Silence
from alerts.notices.outcomes import Delivered, Refused, Retry
from alerts.notices.routing import Route
from alerts.sinks.slack.block_kit import digest as slack_digest
from streams.contract.controls import Withdrawn
from tests.alerts.made import FIRST_DAY
from tests.alerts.one_sink import SINK, OneSink, reasons
from tests.stories.made import CRITICAL, NIGHT, QUIET, WHO, acknowledge, breach, calm, reroute, silence

ESCALATING = Policies(default=Policy(unanswered_minutes=(15, 60), acknowledgement_hours=2))
AWAY = Retry("http_503")


def test_a_silence_that_ends_while_the_sink_is_away_is_told_once_when_it_is_back() -> None:
    desk = OneSink()
    desk.judge(breach())
    desk.apply(silence(desk, 1))
    desk.judge(breach(1, CRITICAL))
    desk.answer = AWAY
    assert desk.wait(hours=2) == []
    desk.answer = Delivered()
    (notice,) = desk.wait(minutes=1)
    assert (notice.reason, notice.alert.severity) == (Reason.WORSE, Severity.CRITICAL)
    assert desk.wait(hours=2) == []


def test_a_silence_that_begins_while_the_sink_is_away_holds_back_what_was_due() -> None:
    desk = OneSink()
    desk.answer = AWAY
    desk.judge(breach())
    desk.apply(silence(desk, 1))
    desk.answer = Delivered()
    assert desk.wait(minutes=30) == []
    assert reasons(desk.wait(minutes=31)) == [Reason.FIRST]


def test_what_ends_in_a_silence_while_the_sink_is_away_and_nobody_knows_of_is_never_sent() -> None:
    desk = OneSink()
    desk.answer = AWAY
    desk.judge(breach())
    desk.apply(silence(desk, 1))
    desk.judge(*calm())
    desk.restart()
    desk.answer = Delivered()
    assert desk.wait(hours=2) == []


def test_quiet_hours_that_end_inside_a_silence_send_nothing_before_it_ends() -> None:
    desk = OneSink(QUIET)
    desk.judge(breach())
    desk.apply(silence(desk, 8))
    assert desk.wait(hours=7) == []
    assert reasons(desk.wait(hours=1.1)) == [Reason.FIRST]


def test_a_silence_that_ends_in_quiet_hours_waits_for_the_morning() -> None:
    desk = OneSink(QUIET)
    desk.judge(breach())
    desk.apply(silence(desk, 2))
    assert desk.wait(hours=3) == []
    assert reasons(desk.wait(hours=3)) == [Reason.FIRST]


def test_a_route_that_changes_while_an_alert_is_escalated_closes_it_once() -> None:
    desk = OneSink([Route(name="all", sinks=(SINK,), reason=(Reason.UNANSWERED,))], ESCALATING)
    desk.judge(breach(0, CRITICAL))
    assert reasons(desk.wait(minutes=16)) == [Reason.UNANSWERED]
    (closed,) = desk.apply(reroute(desk, Route(name="all", sinks=("other",))))
    assert (closed.reason, "No longer sent here" in closed.headline) == (Reason.RESOLVED, True)
    assert desk.judge(*calm()) == []


def test_an_acknowledgement_that_expires_in_quiet_hours_asks_again_at_once_where_it_is_critical() -> None:
    desk = OneSink(QUIET, ESCALATING)
    desk.judge(breach(0, CRITICAL))
    assert reasons(desk.apply(acknowledge(desk))) == [Reason.ACKNOWLEDGED]
    assert reasons(desk.wait(hours=2.1)) == [Reason.UNANSWERED]


def test_an_acknowledgement_of_a_warning_that_expires_in_quiet_hours_asks_again_in_the_morning() -> None:
    desk = OneSink(QUIET, ESCALATING)
    desk.wait(hours=20)
    desk.judge(breach())
    desk.apply(acknowledge(desk))
    assert desk.wait(hours=4) == []
    assert reasons(desk.wait(hours=6.1)) == [Reason.UNANSWERED]


def test_an_acknowledgement_that_expires_while_the_sink_is_away_is_one_message() -> None:
    desk = OneSink(policies=ESCALATING)
    desk.judge(breach(0, CRITICAL))
    desk.answer = AWAY
    desk.apply(acknowledge(desk))
    desk.wait(hours=2.1)
    desk.answer = Delivered()
    assert len(desk.wait(minutes=1)) == 1


def test_alerts_of_a_digest_that_end_while_it_waits_are_not_in_it() -> None:
    desk = OneSink(limits=Limits(most=20))
    desk.answer = AWAY
    desk.judge(*(breach(sector=f"sector-{at}") for at in range(6)))
    desk.judge(*(one for at in range(3) for one in calm(f"sector-{at}")))
    desk.answer = Delivered()
    sent = desk.wait(minutes=2)
    assert sorted(notice.alert.sector for notice in sent) == ["sector-3", "sector-4", "sector-5"]
    assert len(desk.batches[-1].messages) == 3


def test_a_sink_that_is_removed_and_added_again_is_told_what_stands_and_what_is_over() -> None:
    desk = OneSink()
    desk.judge(breach(), breach(sector="blaine"))
    desk.routes = ()
    desk.answer = AWAY
    desk.restart()
    desk.judge(*calm(), breach(1, CRITICAL, "blaine"))
    desk.routes = (Route(name="all", sinks=(SINK,)),)
    desk.restart()
    desk.answer = Delivered()
    sent = desk.wait(minutes=1)
    assert sorted(reasons(sent)) == [Reason.RESOLVED, Reason.WORSE]


@pytest.mark.parametrize("step", [-3600.0, 3600.0, -86_400.0 * 365])
def test_a_step_of_the_clock_neither_repeats_nor_holds_up_a_message(step: float) -> None:
    desk = OneSink()
    desk.answer = Retry("http_503", 7.0)
    desk.judge(breach())
    desk.now += step
    desk.answer = Delivered()
    assert reasons(desk.wait(seconds=8)) == [Reason.FIRST]
    desk.now -= step
    desk.restart()
    assert desk.wait(minutes=5) == []


@pytest.mark.parametrize("after", [0.001, 1e9, 86_400.0])
def test_whatever_wait_a_sink_asks_for_it_is_tried_again_within_five_minutes(after: float) -> None:
    desk = OneSink()
    desk.answer = Retry("http_429", after)
    desk.judge(breach())
    desk.answer = Delivered()
    assert reasons(desk.wait(minutes=5.1)) == [Reason.FIRST]


def test_a_silence_every_night_keeps_to_the_wall_clock_when_the_clocks_change() -> None:
    """On 2023-03-12 at 2:00 New York goes from -5 to -4: 22:00 is 3:00 UTC before, 2:00 after."""
    desk = OneSink()
    begins = dt.datetime(2023, 3, 9, 3, tzinfo=dt.UTC)
    desk.now = (begins - dt.timedelta(hours=1)).timestamp()
    when = {"starts": begins, "hours": 8, "repeats": "FREQ=DAILY", "time_zone": "America/New_York"}
    until = begins + dt.timedelta(days=30)
    desk.apply(Silence.model_validate({"name": "all", "until": until, "at": desk.at, **when, **WHO}))
    day = (dt.datetime(2023, 3, 14, tzinfo=dt.UTC) - FIRST_DAY).days
    desk.now = dt.datetime(2023, 3, 14, 2, 30, tzinfo=dt.UTC).timestamp()
    assert desk.judge(breach(day - 1)) == []
    desk.now = dt.datetime(2023, 3, 14, 9, 59, tzinfo=dt.UTC).timestamp()
    assert desk.sent() == []
    assert reasons(desk.wait(minutes=2)) == [Reason.FIRST]


def test_a_refused_first_message_and_a_route_that_leaves_send_no_end() -> None:
    desk = OneSink()
    desk.answer = Refused("http_400")
    desk.judge(breach())
    desk.answer = Delivered()
    assert desk.apply(reroute(desk, None)) == []
    back = Withdrawn(withdraws="route/all", at=desk.at, **WHO)
    assert desk.apply(back) == []


def test_an_acknowledgement_in_quiet_hours_is_in_the_first_message_of_the_morning() -> None:
    desk = OneSink(QUIET)
    assert desk.judge(breach()) == []
    assert desk.apply(acknowledge(desk)) == []
    (notice,) = desk.wait(hours=6)
    assert notice.reason is Reason.FIRST
    assert notice.headline.startswith("Acknowledged: Surge at Swanton")
    assert "anna takes care of it." in notice.text
    assert desk.wait(hours=1) == []
    back = Withdrawn(withdraws=f"ack/{desk.alert().alert_id}", at=desk.at, **WHO)
    assert reasons(desk.apply(back)) == [Reason.UNANSWERED]


def test_an_incident_is_opened_before_it_is_acknowledged() -> None:
    desk = OneSink(QUIET, limits=Limits(acknowledges=True))
    desk.judge(breach())
    desk.apply(acknowledge(desk))
    assert reasons(desk.wait(hours=6)) == [Reason.FIRST, Reason.ACKNOWLEDGED]


def test_a_digest_of_the_morning_says_who_takes_care_of_what() -> None:
    desk = OneSink(QUIET, limits=Limits(most=20))
    desk.judge(breach())
    desk.apply(acknowledge(desk))
    desk.judge(breach(sector="blaine"))
    notices = desk.wait(hours=6)
    assert len(desk.batches) == 1
    leads = {one.alert.sector: one.headline.partition(":")[0] for one in notices}
    assert leads == {"swanton": "Acknowledged", "blaine": "Surge at Blaine"}
    assert ":eyes:" in str(slack_digest(notices))


def test_a_first_message_where_no_acknowledgement_is_sent_says_nothing_of_it() -> None:
    """Else it would not be sent the end of it either."""
    desk = OneSink((Route(name="all", sinks=(SINK,), reason=(Reason.FIRST,), quiet=NIGHT),))
    desk.judge(breach())
    desk.apply(acknowledge(desk))
    (notice,) = desk.wait(hours=6)
    assert notice.headline.startswith("Surge at Swanton")
    assert "anna" not in notice.text
