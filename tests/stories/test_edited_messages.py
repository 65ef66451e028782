"""A sink that edits its messages: what stands is shown as it is, and nobody is notified of that."""

import datetime as dt

from alerts.lifecycle.alert import Assessment, Notice, Reason
from alerts.notices.batches import Limits
from alerts.notices.controls import Acknowledge, Silence
from alerts.notices.outcomes import Delivered, Retry
from streams.contract.controls import Withdrawn
from tests.alerts.made import verdict
from tests.alerts.one_sink import OneSink, reasons

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
    assert desk.queue.may_be_unrecorded(message)
