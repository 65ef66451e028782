"""An end that a sink may have had, and one that is published again: what fires afterwards is not lost."""

import datetime as dt

import pytest

from alerts.lifecycle.alert import Reason, Version
from alerts.lifecycle.policies import Policies, Policy
from alerts.notices.alert_pipeline import FORGOTTEN, AlertChange
from alerts.notices.controls import Reroute
from alerts.notices.outcomes import Delivered, Refused, Retry
from alerts.notices.routing import Route
from streams.contract.controls import Withdrawn
from streams.contract.reading import Unusable
from tests.alerts.made import outage, verdict
from tests.alerts.one_sink import OneSink, reasons

NO_ANSWER, REFUSED = Retry("timeout", unanswered=True), Refused("http_400")
ELSEWHERE = Route(name="all", sinks=("other",))


def led_elsewhere_in_doubt() -> OneSink:
    """A sink that knows of an alert; its end was sent once without an answer, and then refused."""
    desk = OneSink()
    desk.judge(verdict(0, breach=True, observed=60))
    desk.answer = NO_ANSWER
    desk.apply(Reroute(name="all", route=ELSEWHERE, by="anna", at=desk.at, reason="drill"))
    desk.answer = REFUSED
    desk.wait(minutes=1)
    desk.answer = Delivered()
    assert [reason for _, reason in desk.dead] == ["http_400"]
    return desk


def test_an_alert_that_a_route_leads_back_is_opened_anew_where_its_end_may_have_been_received() -> None:
    desk = led_elsewhere_in_doubt()
    back = Withdrawn(withdraws="route/all", by="anna", at=desk.at, reason="over")
    assert reasons(desk.apply(back)) == [Reason.FIRST]
    assert reasons(desk.judge(*(verdict(day, breach=False) for day in (1, 2, 3)))) == [Reason.RESOLVED]


def test_an_end_that_may_not_have_been_received_goes_out_as_it_was_when_it_is_sent_again() -> None:
    desk = led_elsewhere_in_doubt()
    letter = desk.batches[-1].messages[0]
    desk.send_again(letter)
    (notice,) = desk.sent()
    assert (notice.reason, notice.notice_id) == (Reason.RESOLVED, letter.notice_id)


def test_a_letter_that_is_sent_again_waits_for_one_that_may_have_been_received() -> None:
    desk = OneSink(policies=Policies(default=Policy(unanswered_minutes=(15,))))
    desk.answer = REFUSED
    desk.judge(verdict(0, breach=True, observed=200))
    (letter,) = desk.batches[0].messages
    desk.answer = NO_ANSWER
    desk.wait(hours=1)
    desk.wait(hours=100)
    assert [reason for _, reason in desk.dead] == ["http_400", "gave up: timeout"]
    desk.answer = Delivered()
    desk.send_again(letter)
    assert reasons(desk.sent()) == [Reason.UNANSWERED]


def test_a_forgotten_alert_that_is_published_again_does_not_end_the_next_one() -> None:
    desk = OneSink()
    calm = [verdict(day, breach=False) for day in range(1, 4)]
    desk.judge(verdict(0, breach=True, observed=60), *calm)
    desk.judge(verdict(60, breach=False, sector="houlton"), verdict(60, breach=False))
    desk.judge(verdict(61, breach=True, observed=60))
    (forgotten,) = (change for change in desk.published if change.alert is None)
    desk.queue.observe(forgotten, published_at=desk.now, moment=desk._moment)
    assert desk.sent() == []
    read = AlertChange.read(forgotten.question_key.encode(), None, forgotten.headers)
    assert read == forgotten


def test_an_alert_that_is_over_without_a_verdict_and_is_published_again_is_not_opened() -> None:
    desk = OneSink()
    desk.answer = Retry("http_503")
    desk.judge(outage("houlton", 0))
    desk.judge(*(verdict(day, breach=False, sector="houlton") for day in range(1, 4)))
    firing, over = (one for one in desk.published if one.question_key.startswith("silence"))
    assert firing.alert is not None
    assert over.alert is not None
    assert firing.alert.position == over.alert.position
    desk.answer = Delivered()
    desk.queue.observe(firing, published_at=desk.now, moment=desk._moment)
    assert desk.wait(minutes=5) == []


@pytest.mark.parametrize(
    "value", [None, b"", b"\xff", b"7", b"x 2023-01-01", b"7 2023", b"7 9999-99-99", b"9" * 5_000]
)
def test_a_header_that_cannot_be_read_leaves_the_record_as_it_is(value: bytes | None) -> None:
    read = AlertChange.read(b"surge|swanton||day", None, [(FORGOTTEN, value)])
    assert not isinstance(read, Unusable)
    assert read.forgotten is None


def test_a_version_is_read_as_it_was_written() -> None:
    version = Version(12, dt.datetime(2023, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC))
    assert Version.parse(str(version)) == version
