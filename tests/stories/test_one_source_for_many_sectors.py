"""One source that carries many sectors is one message when it stops, and one when it sends again."""

from alerts.lifecycle.alert import MOST_PARTS, Notice, Reason
from alerts.lifecycle.policies import policies
from alerts.notices.batches import Limits
from alerts.notices.controls import Acknowledge
from alerts.notices.digests import digest_title, gravest_first
from alerts.notices.gathering import CLICK_SECONDS, GATHER_SECONDS
from alerts.notices.wording import facts
from streams.contract.questions import Question
from tests.alerts.made import outage, verdict
from tests.alerts.one_sink import OneSink, reasons

SECTORS = [f"sector-{at:02}" for at in range(20)]


def gathered(desk: OneSink) -> list[Notice]:
    return [*desk.wait(seconds=GATHER_SECONDS / 2), *desk.wait(seconds=GATHER_SECONDS)]


def test_a_source_that_stops_is_one_message_that_names_it_and_so_is_its_return() -> None:
    desk = OneSink(policies=policies(), limits=Limits(most=20))
    assert desk.judge(outage(SECTORS[0])) == []
    desk.wait(seconds=5)
    assert desk.judge(*map(outage, SECTORS[1:])) == []
    stopped = gathered(desk)
    assert reasons(stopped) == [Reason.FIRST] * 20
    assert digest_title(gravest_first(stopped)) == "No data from customs for 20 sectors"
    desk.judge(*(outage(sector, 1, breach=False) for sector in SECTORS))
    back = gathered(desk)
    assert digest_title(gravest_first(back)) == "customs sends again, for 20 sectors"
    assert [len(batch.messages) for batch in desk.batches] == [20, 20]


def test_the_title_of_a_source_that_was_acknowledged_says_so() -> None:
    desk = OneSink(policies=policies(), limits=Limits(most=20))
    desk.judge(*map(outage, SECTORS))
    stopped = gathered(desk)
    taken = [
        Acknowledge(alert_id=notice.alert.alert_id, by="anna", at=desk.at, reason="on it")
        for notice in stopped
    ]
    assert [notice for control in taken for notice in desk.apply(control)] == []
    acknowledged = desk.wait(seconds=CLICK_SECONDS)
    assert reasons(acknowledged) == [Reason.ACKNOWLEDGED] * 20
    assert len(desk.batches[-1].messages) == 20
    assert digest_title(gravest_first(acknowledged)) == "Acknowledged: No data from customs for 20 sectors"


def test_a_surge_does_not_wait_for_a_source_nor_share_its_message() -> None:
    desk = OneSink(policies=policies(), limits=Limits(most=20))
    desk.judge(*map(outage, SECTORS[:3]))
    (surge,) = desk.judge(verdict(0, breach=True, observed=200, sector="swanton"))
    assert surge.alert.question is Question.SURGE
    assert {notice.alert.question for notice in gathered(desk)} == {Question.SILENCE}
    assert [len(batch.messages) for batch in desk.batches] == [1, 3]


def test_a_sink_that_takes_one_alert_at_a_time_waits_for_nothing() -> None:
    desk = OneSink(policies=policies())
    assert len(desk.judge(*map(outage, SECTORS))) == 20


def test_a_notice_about_a_source_shows_what_is_known_and_no_figures_of_people() -> None:
    desk = OneSink(policies=policies())
    (stopped,) = desk.judge(outage("swanton"))
    assert facts(stopped) == {
        "Where": "Swanton",
        "Since": "2023-01-01 15:00 EST (2023-01-01 20:00 UTC)",
    }
    assert "Since 2023-01-01 15:00 EST (2023-01-01 20:00 UTC).\n" in stopped.text
    (back,) = desk.judge(outage("swanton", 1, breach=False))
    assert (back.since, facts(back)) == (stopped.since, facts(stopped))


def test_what_is_over_does_not_show_how_sure_it_was() -> None:
    desk = OneSink(policies=policies())
    desk.judge(verdict(0, breach=True))
    (over,) = desk.judge(*(verdict(day, breach=False) for day in (1, 2, 3)))
    assert list(facts(over)) == ["Seen", "Expected", "Where", "Since"]


def test_a_source_of_more_sectors_than_an_alert_holds_is_said_to_have_more() -> None:
    desk = OneSink(policies=policies(), limits=Limits(by_source=True))
    sectors = [f"sector-{at:03}" for at in range(MOST_PARTS + 200)]
    desk.judge(*map(outage, sectors))
    (stopped,) = gathered(desk)
    assert stopped.headline == "No data from customs for 500+ sectors"
    assert "and 480+ more." in stopped.text
    desk.judge(*(outage(sector, 1, breach=False) for sector in sectors))
    (back,) = gathered(desk)
    assert back.headline == "Resolved: customs sends again, for 500+ sectors"
