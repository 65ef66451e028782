"""A source with many sectors is one alert in PagerDuty and in Slack as an app: one page, and one end."""

import datetime as dt

from alerts.lifecycle.alert import MOST_PARTS, Notice, Reason, State
from alerts.lifecycle.policies import Policies, Policy
from alerts.notices.batches import Limits
from alerts.notices.controls import Acknowledge, Reroute, Silence
from alerts.notices.feeds import on_same_source
from alerts.notices.gathering import GATHER_SECONDS
from alerts.notices.messages import Message
from alerts.notices.outcomes import Delivered, Refused, Retry
from alerts.notices.routing import Route
from alerts.sinks.pagerduty import page
from streams.contract.controls import Withdrawn
from streams.contract.questions import Question
from streams.contract.verdicts import Verdict
from tests.alerts.made import outage, verdict
from tests.alerts.one_sink import SINK, OneSink, reasons

SECTORS = [f"sector-{at:02}" for at in range(20)]
PAGER = Limits(by_source=True)
CHANNEL = Limits(by_source=True, edits=True)
WHO = {"by": "anna", "reason": "drill"}


def back(*sectors: str, day: int = 1) -> list[Verdict]:
    return [outage(sector, day, breach=False) for sector in sectors]


def gathered(desk: OneSink) -> list[Notice]:
    return [*desk.wait(seconds=GATHER_SECONDS / 2), *desk.wait(seconds=GATHER_SECONDS)]


def stopped(limits: Limits = PAGER, policies: Policies | None = None) -> tuple[OneSink, Notice]:
    """A desk whose source has stopped for all sectors, and the one page about it."""
    desk = OneSink(limits=limits, policies=policies)
    desk.judge(*map(outage, SECTORS))
    (notice,) = gathered(desk)
    return desk, notice


def test_a_dead_feed_is_one_incident_that_is_resolved_when_all_sectors_are_back() -> None:
    desk, notice = stopped()
    opened = page(notice)
    assert opened["event_action"] == "trigger"
    assert opened["payload"]["summary"] == "No data from customs for 20 sectors"
    assert opened["payload"]["source"] == "customs"
    assert opened["payload"]["custom_details"]["sectors"] == SECTORS
    assert desk.judge(*back(*SECTORS[:19])) == []
    assert gathered(desk) == []
    desk.judge(*back(SECTORS[19]))
    (end,) = gathered(desk)
    assert page(end)["event_action"] == "resolve"
    assert page(end)["dedup_key"] == opened["dedup_key"]
    assert end.headline == "Resolved: customs sends again, for 20 sectors"


def test_the_incident_stays_open_while_any_sector_is_dead_also_where_the_first_one_is_back() -> None:
    desk, notice = stopped()
    desk.judge(*back(notice.alert.sector))
    assert gathered(desk) == []
    desk.restart()
    assert gathered(desk) == []
    desk.judge(*back(*SECTORS))
    (end,) = gathered(desk)
    assert (end.reason, end.alert.alert_id) == (Reason.RESOLVED, notice.alert.alert_id)


def test_the_message_of_an_app_is_edited_as_sectors_come_back() -> None:
    desk, notice = stopped(CHANNEL)
    desk.answer = Delivered("C1/1.0")
    desk.judge(*back(*SECTORS[:18]))
    (edit,) = gathered(desk)
    assert (edit.reason, edit.alert.alert_id) == (Reason.UPDATED, notice.alert.alert_id)
    assert edit.headline == "No data from customs for 2 sectors"
    assert "No data from: Sector 18, Sector 19." in edit.text
    assert "Data again from: Sector 00, Sector 01," in edit.text


def test_sectors_that_follow_later_are_no_second_page_and_bring_the_incident_up_to_date() -> None:
    desk = OneSink(limits=PAGER)
    desk.judge(outage(SECTORS[0]))
    (opened,) = gathered(desk)
    desk.judge(*map(outage, SECTORS[1:]))
    (grown,) = gathered(desk)
    event = page(grown)
    assert (event["event_action"], event["dedup_key"]) == ("trigger", opened.alert.alert_id)
    assert event["payload"]["summary"] == "No data from customs for 20 sectors"
    assert event["payload"]["custom_details"]["sectors"] == SECTORS
    desk.judge(*back(*SECTORS))
    (end,) = gathered(desk)
    assert end.headline == "Resolved: customs sends again, for 20 sectors"


def test_sectors_that_are_back_or_come_and_go_send_nothing_to_a_pager() -> None:
    desk, _ = stopped()
    desk.judge(*back(*SECTORS[:5]))
    assert gathered(desk) == []
    desk.judge(*(outage(sector, 5) for sector in SECTORS[:5]))
    assert gathered(desk) == []
    desk.judge(*back(*SECTORS, day=6))
    (end,) = gathered(desk)
    assert end.headline == "Resolved: customs sends again, for 20 sectors"


def test_an_incident_grows_after_a_restart_too_and_only_once() -> None:
    desk = OneSink(limits=PAGER)
    desk.judge(*map(outage, SECTORS[:3]))
    gathered(desk)
    desk.judge(*map(outage, SECTORS[3:]))
    desk.restart()
    assert reasons(gathered(desk)) == [Reason.UPDATED]
    desk.restart()
    assert gathered(desk) == []


def test_an_incident_of_more_sectors_than_it_can_name_is_not_brought_up_to_date_again_and_again() -> None:
    desk = OneSink(limits=PAGER)
    sectors = [f"sector-{at:03}" for at in range(MOST_PARTS + 2)]
    desk.judge(*map(outage, sectors))
    assert reasons(gathered(desk)) == [Reason.FIRST]
    desk.judge(*back(*sectors[:2]))
    assert gathered(desk) == []


def test_sectors_that_follow_in_a_silence_are_shown_when_it_ends() -> None:
    desk = OneSink(limits=PAGER)
    desk.judge(*map(outage, SECTORS[:3]))
    gathered(desk)
    until = desk.at + dt.timedelta(hours=1)
    desk.apply(Silence(name="all", until=until, at=desk.at, **WHO))
    desk.judge(*map(outage, SECTORS[3:]))
    assert gathered(desk) == []
    desk.wait(hours=1)
    assert reasons(gathered(desk)) == [Reason.UPDATED]


def refused(desk: OneSink) -> Message:
    """The message about the source that its receiver has refused."""
    desk.answer = Refused("invalid_event")
    gathered(desk)
    (message,) = desk.batches[-1].messages
    desk.answer = Delivered()
    return message


def test_a_leader_that_is_refused_does_not_hold_the_source_back() -> None:
    desk = OneSink(limits=PAGER)
    desk.judge(*map(outage, SECTORS))
    letter = refused(desk)
    desk.wait(seconds=1)
    (notice,) = gathered(desk)
    assert notice.headline == "No data from customs for 20 sectors"
    assert notice.alert.alert_id != letter.alert_id
    desk.judge(*back(*SECTORS))
    assert reasons(gathered(desk)) == [Reason.RESOLVED]


def test_a_refused_letter_that_is_sent_again_is_no_second_page_where_another_alert_leads() -> None:
    desk = OneSink(limits=PAGER)
    desk.judge(*map(outage, SECTORS))
    letter = refused(desk)
    desk.wait(seconds=1)
    gathered(desk)
    desk.send_again(letter)
    assert gathered(desk) == []


def test_a_source_of_one_sector_that_was_refused_waits_for_its_letter() -> None:
    desk = OneSink(limits=PAGER)
    desk.judge(outage(SECTORS[0]))
    letter = refused(desk)
    desk.wait(seconds=1)
    assert gathered(desk) == []
    desk.send_again(letter)
    assert reasons(gathered(desk)) == [Reason.FIRST]


def test_an_end_that_was_refused_does_not_hold_back_the_next_outage() -> None:
    desk, notice = stopped()
    desk.judge(*back(*SECTORS))
    refused(desk)
    desk.judge(*(outage(sector, 5) for sector in SECTORS))
    (again,) = gathered(desk)
    assert (again.reason, again.alert.alert_id == notice.alert.alert_id) == (Reason.FIRST, False)


def test_the_next_outage_is_an_incident_of_its_own() -> None:
    desk, notice = stopped()
    desk.judge(*back(*SECTORS))
    gathered(desk)
    desk.judge(*(outage(sector, 5) for sector in SECTORS))
    (again,) = gathered(desk)
    assert again.reason is Reason.FIRST
    assert again.alert.alert_id != notice.alert.alert_id


def test_two_sources_are_two_incidents_and_a_surge_is_its_own() -> None:
    desk = OneSink(limits=PAGER)
    other = outage("swanton", source="agency")
    (surge,) = desk.judge(*map(outage, SECTORS), other, verdict(0, breach=True, observed=200))
    assert surge.alert.question is Question.SURGE
    assert len(gathered(desk)) == 2


def test_who_takes_one_of_the_sectors_takes_the_feed_and_escalation_stops() -> None:
    policies = Policies(default=Policy(unanswered_minutes=(15,), unanswered_least="warning"))
    desk, notice = stopped(policies=policies)
    firing = on_same_source(notice.alert.alert_id, desk.pipeline.all_alerts())
    assert firing[0].alert_id == notice.alert.alert_id
    assert len(firing) == 20
    taken = desk.apply(Acknowledge(alert_id=firing[7].alert_id, at=desk.at, **WHO))
    assert reasons(taken) == [Reason.ACKNOWLEDGED]
    assert desk.wait(hours=2) == []


def test_who_takes_a_sector_that_is_silenced_takes_the_feed_too() -> None:
    desk = OneSink(limits=PAGER)
    until = desk.at + dt.timedelta(hours=8)
    desk.apply(Silence(name="one", sector=SECTORS[0], until=until, at=desk.at, **WHO))
    desk.judge(*map(outage, SECTORS[:3]))
    gathered(desk)
    silenced = next(one for one in desk.pipeline.all_alerts() if one.sector == SECTORS[0])
    (taken,) = desk.apply(Acknowledge(alert_id=silenced.alert_id, at=desk.at, **WHO))
    assert (taken.reason, taken.alert.acknowledged_by) == (Reason.ACKNOWLEDGED, "anna")


def test_who_is_not_answered_escalates_once_for_the_feed() -> None:
    policies = Policies(default=Policy(unanswered_minutes=(15,), unanswered_least="warning"))
    desk, _ = stopped(policies=policies)
    assert reasons(desk.wait(minutes=16)) == [Reason.UNANSWERED]


def test_silenced_sectors_are_no_part_of_the_page_and_follow_when_the_silence_ends() -> None:
    desk = OneSink(limits=PAGER)
    until = desk.at + dt.timedelta(hours=1)
    desk.apply(Silence(name="one", sector=SECTORS[0], until=until, at=desk.at, **WHO))
    desk.judge(*map(outage, SECTORS[:3]))
    (notice,) = gathered(desk)
    assert notice.headline == "No data from customs for 2 sectors"
    desk.judge(*back(*SECTORS[1:3]))
    assert reasons(gathered(desk)) == [Reason.RESOLVED]
    desk.wait(hours=2)
    (late,) = gathered(desk)
    assert late.alert.sector == SECTORS[0]


def test_a_route_that_leads_elsewhere_closes_the_incident_and_opens_it_anew_when_it_is_back() -> None:
    desk, _ = stopped()
    desk.apply(Reroute(name="all", route=None, at=desk.at, **WHO))
    (closed,) = gathered(desk)
    assert closed.headline == "No longer sent here: No data from customs for 20 sectors"
    desk.apply(Withdrawn(withdraws="route/all", at=desk.at, **WHO))
    (again,) = gathered(desk)
    assert again.reason is Reason.FIRST
    assert again.notice_id != closed.notice_id


def test_a_route_for_some_sectors_shows_those_alone() -> None:
    desk = OneSink([Route(name="all", sinks=(SINK,), sector=("sector-1*",))], limits=PAGER)
    desk.judge(*map(outage, SECTORS))
    (notice,) = gathered(desk)
    assert notice.headline == "No data from customs for 10 sectors"


def test_a_receiver_that_was_away_gets_one_page() -> None:
    desk = OneSink(limits=PAGER)
    desk.answer = Retry("http_500")
    desk.judge(*map(outage, SECTORS))
    gathered(desk)
    desk.wait(minutes=30)
    desk.answer = Delivered()
    assert reasons(desk.wait(minutes=1)) == [Reason.FIRST]
    assert desk.wait(minutes=5) == []


def test_incidents_from_before_each_for_a_sector_are_all_resolved_and_none_is_opened_anew() -> None:
    desk = OneSink()
    desk.judge(*map(outage, SECTORS[:3]))
    desk.limits = PAGER
    desk.restart()
    assert gathered(desk) == []
    desk.judge(*map(outage, SECTORS[3:]))
    assert reasons(gathered(desk)) == [Reason.UPDATED]
    desk.judge(*back(*SECTORS))
    assert reasons(gathered(desk)) == [Reason.RESOLVED] * 3


def test_a_source_that_sends_again_escalates_no_more_although_it_may_come_and_go() -> None:
    policies = Policies(
        default=Policy(unanswered_minutes=(15,), unanswered_least="warning"),
        question={Question.SILENCE: Policy(keep_firing_hours=200)},
    )
    desk = OneSink(limits=PAGER, policies=policies)
    desk.judge(outage("swanton"), outage("swanton", 1, breach=False), outage("swanton", 2))
    assert reasons(gathered(desk)) == [Reason.FIRST]
    desk.judge(outage("swanton", 3, breach=False))
    assert desk.alert().state is State.FIRING
    assert desk.wait(hours=1) == []
