"""A sink that edits its messages: what stands is shown as it is, and nobody is notified of that."""

import datetime as dt
from collections.abc import Sequence
from typing import ClassVar

from pydantic import SecretStr

from alerts.lifecycle.alert import Assessment, Notice, Reason
from alerts.notices.batches import Batch, Limits
from alerts.notices.controls import Acknowledge, Silence
from alerts.notices.notices import compose
from alerts.notices.outcomes import Absent, Delivered, Outcome, Retry
from alerts.sinks.slack.app import SlackApp, SlackAppSink
from alerts.worker.delivery import posting
from streams.contract.controls import Withdrawn
from tests.alerts.made import verdict
from tests.alerts.one_sink import REGISTRY, OneSink, reasons

EDITS = Limits(edits=True)


def opened(observed: float = 90) -> OneSink:
    """A sink that has a message about one alert."""
    desk = OneSink(limits=EDITS)
    desk.answer = Delivered("C1/1.0")
    assert reasons(desk.judge(verdict(0, breach=True, observed=observed))) == [Reason.FIRST]
    return desk


def silence(desk: OneSink) -> Silence:
    until = desk.at + dt.timedelta(hours=8)
    return Silence(name="s", sector="swanton", until=until, by="anna", at=desk.at, reason="drill")


def acknowledge(desk: OneSink, assessment: Assessment | None = None) -> Acknowledge:
    return Acknowledge(
        alert_id=desk.alert().alert_id, by="anna", at=desk.at, reason="drill", assessment=assessment
    )


def shown(notices: list[Notice]) -> tuple[str, str, float]:
    """Who has acknowledged and silenced it, and its figure."""
    (notice,) = notices
    assert notice.reason is Reason.UPDATED
    alert = notice.alert
    return alert.acknowledged_by, alert.silenced_by, alert.latest.evidence.observed


def test_new_figures_are_shown_under_the_same_reference() -> None:
    desk = opened()
    assert shown(desk.judge(verdict(1, breach=True, observed=91))) == ("", "", 91)
    (batch,) = desk.batches[1:]
    assert batch.messages[0].view.reference == "C1/1.0"


def test_nothing_is_edited_where_nothing_changed() -> None:
    desk = opened()
    assert desk.wait(hours=1) == []
    desk.restart()
    assert desk.sent() == []


def test_a_silence_is_shown_while_it_holds_and_figures_go_on_within_it() -> None:
    desk = opened()
    assert shown(desk.apply(silence(desk))) == ("", "anna", 90)
    assert shown(desk.judge(verdict(1, breach=True, observed=91))) == ("", "anna", 91)
    assert shown(desk.wait(hours=9)) == ("", "", 91)


def test_what_got_worse_within_a_silence_is_shown_there_and_notified_when_it_ends() -> None:
    desk = opened(observed=45)
    desk.apply(silence(desk))
    assert shown(desk.judge(verdict(1, breach=True, observed=500))) == ("", "anna", 500)
    assert reasons(desk.wait(hours=9)) == [Reason.WORSE]


def test_an_acknowledgement_that_is_taken_back_is_no_longer_shown() -> None:
    desk = opened()
    control = acknowledge(desk)
    assert reasons(desk.apply(control)) == [Reason.ACKNOWLEDGED]
    taken_back = Withdrawn(withdraws=control.key, by="anna", at=desk.at, reason="drill")
    (notice,) = desk.apply(taken_back)
    assert (notice.reason, notice.alert.acknowledged_by) == (Reason.UNANSWERED, "")


def test_what_an_alert_was_found_to_be_is_notified_also_after_an_acknowledgement() -> None:
    desk = opened()
    desk.apply(acknowledge(desk))
    (notice,) = desk.apply(acknowledge(desk, Assessment.BAD_DATA))
    assert notice.reason is Reason.ACKNOWLEDGED
    assert "anna marked it as bad data." in notice.text


def test_edits_put_off_no_reminder() -> None:
    desk = opened()
    days = desk.policies.of(desk.alert().question).remind_days
    sent = [desk.judge(verdict(day, breach=True, observed=90 + day)) for day in range(1, days + 1)]
    assert [reasons(one) for one in sent] == [*[[Reason.UPDATED]] * (days - 1), [Reason.STILL]]


def test_a_sink_that_does_not_edit_is_sent_no_update() -> None:
    desk = OneSink()
    desk.judge(verdict(0, breach=True))
    assert desk.judge(verdict(1, breach=True, observed=91)) == []


def test_a_message_that_is_given_up_at_its_first_try_without_an_answer_may_be_there() -> None:
    desk = OneSink(limits=Limits(edits=True, spacing=7200, give_up=3600))
    desk.judge(verdict(0, breach=True), verdict(0, breach=True, sector="houlton"))
    desk.answer = Retry("http_500", unanswered=True)
    desk.wait(hours=2.1)
    (message,) = desk.batches[-1].messages
    assert [notice_id for notice_id, _ in desk.dead] == [message.notice_id]
    assert desk.queue.entry(message.alert_id).doubted


def test_a_reply_that_is_not_there_is_posted_whatever_edit_had_no_answer_before() -> None:
    desk = Channel(limits=Limits(edits=True, keyed=True))
    desk.judge(verdict(0, breach=True))
    desk.answers = [Retry("http_500", unanswered=True)] * 3
    desk.judge(verdict(1, breach=True, observed=91))
    desk.judge(*(verdict(day, breach=False) for day in range(2, 5)))
    desk.wait(minutes=1)
    desk.tried.clear()
    desk.answers = [Absent()]
    assert reasons(desk.wait(minutes=1)) == [Reason.RESOLVED]
    assert desk.tried == [True, False]


class Channel(OneSink):
    """A channel of Slack, and for each try whether its reply is looked for instead of posted."""

    answers: Sequence[Outcome] = ()
    tried: ClassVar[list[bool]] = []

    def answer_to(self, batch: Batch) -> Outcome:
        (message,) = batch.messages
        sink = SlackAppSink("sink", SlackApp(SecretStr("xoxb-1"), SecretStr("xapp-1")), "C1")
        self.tried.append(posting(sink, self.queue, message, compose(message, REGISTRY)).unrecorded)
        first, self.answers = next(iter(self.answers), Delivered("C1/1")), self.answers[1:]
        return first
