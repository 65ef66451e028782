"""A notice says where a surge comes from, and leaves out what says nothing."""

import datetime as dt
from zoneinfo import ZoneInfo

from alerts.notices.notices import compose, standing
from streams.contract.questions import Question
from streams.contract.sectors import registry
from tests.stories.port import Port


def test_a_slice_that_is_always_everybody_and_a_high_day_of_last_week_are_left_out() -> None:
    port = Port("2023-01-02", people=60)
    port.live(40)
    port.live(2, lambda _: 4.0)
    notice = compose(standing(port.standing()[Question.SURGE]), registry())
    assert "Surge at" in notice.headline
    assert "Most of it" not in notice.text
    assert "Last so high" not in notice.text


def test_the_slice_that_grew_and_a_high_day_of_long_ago_are_named() -> None:
    port = Port("2023-01-02", people=60)

    def live(days: int, people: int) -> None:
        for _ in range(days):
            seven = dt.datetime.combine(port.today, dt.time(7), ZoneInfo("America/New_York"))
            port.send(int(seven.timestamp()), people, demographic="family_unit")
            port.live(1)

    live(5, 30)
    live(1, 400)
    live(60, 30)
    live(2, 300)
    found = port.standing()[Question.SURGE]
    assert "Most of it: families 300 (expected 35)." in compose(standing(found), registry()).text
    assert found.latest.evidence.last_as_high is not None
    assert f"{found.latest.evidence.last_as_high:%Y-%m-%d}" == "2023-01-07"
