"""Escalation: what nobody acknowledges is sent again, and so is what somebody took and let lie."""

import pytest

from alerts.lifecycle.alert import Reason
from alerts.lifecycle.policies import Policies, Policy
from alerts.notices.routing import Route
from streams.contract.controls import Withdrawn
from tests.alerts.one_sink import SINK, OneSink, reasons
from tests.stories.made import CRITICAL, WARNING, WHO, acknowledge, breach, calm
from tests.stories.test_reconciled_delivery import ESCALATING

ESCALATION = (Route(sinks=(SINK,), reason=(Reason.UNANSWERED,)),)
EXPIRING = Policies(default=Policy(unanswered_minutes=(15, 60), acknowledgement_hours=8))


def test_the_escalation_route_opens_when_nobody_answers_and_is_closed_in_the_end() -> None:
    desk = OneSink(ESCALATION, ESCALATING)
    assert desk.judge(breach(0, CRITICAL)) == []
    assert reasons(desk.wait(minutes=16)) == [Reason.UNANSWERED]
    assert reasons(desk.judge(*calm())) == [Reason.RESOLVED]


def test_what_nobody_acknowledges_is_sent_again_after_each_wait_and_then_no_more() -> None:
    desk = OneSink(policies=ESCALATING)
    desk.judge(breach(0, CRITICAL))
    sent = [reasons(desk.wait(minutes=minutes)) for minutes in (14, 1, 1, 44, 1, 840)]
    assert sent == [[], [Reason.UNANSWERED], [], [Reason.UNANSWERED], [], []]


def test_what_is_below_the_severity_that_escalates_is_not_sent_again() -> None:
    desk = OneSink(policies=ESCALATING)
    desk.judge(breach())
    assert desk.wait(minutes=900) == []


def test_an_acknowledgement_is_sent_once_and_ends_the_escalation() -> None:
    desk = OneSink(policies=ESCALATING)
    desk.judge(breach(0, CRITICAL))
    (notice,) = desk.apply(acknowledge(desk))
    assert (notice.reason, notice.text.splitlines()[0]) == (Reason.ACKNOWLEDGED, "anna takes care of it.")
    assert desk.wait(minutes=900) == []


def test_an_acknowledgement_that_expires_is_asked_for_again_and_escalation_resumes() -> None:
    desk = OneSink(policies=EXPIRING)
    desk.judge(breach(observed=CRITICAL))
    assert reasons(desk.apply(acknowledge(desk))) == [Reason.ACKNOWLEDGED]
    assert desk.wait(hours=7.9) == []
    (asked,) = desk.wait(hours=0.2)
    assert asked.reason is Reason.UNANSWERED
    assert "The acknowledgement is over. Nobody takes care of it now." in asked.text
    assert [reasons(desk.wait(minutes=10)) for _ in range(6)] == [
        [Reason.UNANSWERED] if at in (0, 5) else [] for at in range(6)
    ]
    assert reasons(desk.apply(acknowledge(desk))) == [Reason.ACKNOWLEDGED]
    assert reasons(desk.wait(hours=8.1)) == [Reason.UNANSWERED]
    assert len({message.notice_id for batch in desk.batches for message in batch.messages}) == 7


def test_an_alert_below_the_severity_that_escalates_is_asked_for_once_by_those_who_knew_of_it() -> None:
    desk = OneSink(policies=EXPIRING)
    desk.judge(breach())
    desk.apply(acknowledge(desk))
    assert reasons(desk.wait(hours=8.1)) == [Reason.UNANSWERED]
    assert desk.wait(hours=24) == []
    second = OneSink(ESCALATION, EXPIRING)
    second.judge(breach())
    second.apply(acknowledge(second))
    assert second.wait(hours=8.1) == []


def test_the_escalation_route_opens_when_an_acknowledgement_expires() -> None:
    desk = OneSink(ESCALATION, EXPIRING)
    desk.judge(breach(observed=CRITICAL))
    desk.apply(acknowledge(desk))
    assert desk.wait(hours=7.9) == []
    assert reasons(desk.wait(hours=0.2)) == [Reason.UNANSWERED]


def test_an_acknowledgement_that_is_renewed_in_time_is_not_asked_for() -> None:
    desk = OneSink(policies=EXPIRING)
    desk.judge(breach(observed=CRITICAL))
    desk.apply(acknowledge(desk))
    for _ in range(5):
        desk.wait(hours=6)
        assert desk.apply(acknowledge(desk)) == []


@pytest.mark.parametrize("minutes", [5, 300])
def test_the_escalation_route_opens_when_an_acknowledgement_is_taken_back_and_the_waits_begin_anew(
    minutes: float,
) -> None:
    desk = OneSink(ESCALATION, ESCALATING)
    desk.judge(breach(observed=CRITICAL))
    desk.apply(acknowledge(desk))
    assert desk.wait(minutes=minutes) == []
    key = f"ack/{desk.alert().alert_id}"
    (asked,) = desk.apply(Withdrawn(withdraws=key, at=desk.at, **WHO))
    assert asked.reason is Reason.UNANSWERED
    desk.restart()
    sent = [reasons(desk.wait(minutes=minutes)) for minutes in (14, 1, 44, 1, 840)]
    assert sent == [[], [Reason.UNANSWERED], [], [Reason.UNANSWERED], []]


@pytest.mark.parametrize("observed", [WARNING, CRITICAL])
def test_an_acknowledgement_that_is_taken_back_is_asked_for_by_those_who_knew_of_it(observed: float) -> None:
    desk = OneSink()
    desk.judge(breach(0, observed))
    sent = []
    for _ in range(2):
        desk.apply(acknowledge(desk))
        key = f"ack/{desk.alert().alert_id}"
        sent += desk.apply(Withdrawn(withdraws=key, at=desk.at, **WHO))
        desk.restart()
        assert desk.wait(hours=1) == []
    assert reasons(sent) == [Reason.UNANSWERED] * 2
    assert len({notice.notice_id for notice in sent}) == 2
    assert "The acknowledgement is over. Nobody takes care of it now." in sent[0].text
