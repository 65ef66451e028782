"""A day of which most is without data is neither calm nor low: people may have come, whom nobody saw."""

import datetime as dt
import json
from collections.abc import Mapping

import numpy as np

from streams.contract.questions import Question
from tests.laws.reading import HOUR, START, Sent, System
from tests.stories.port import Port
from tests.stories.tallied_border import PLACES

LEARNT = 45  # days
SURGE = {"a": 1.0, "b": 1.8, "c": 1.0}


class Border:
    """Three places whose people are sent hour by hour."""

    def __init__(self) -> None:
        self.flow, self._hour, self._draw = System(2, PLACES, wall_clock=True), 0, np.random.default_rng(3)

    def live(self, hours: int, rates: Mapping[str, float]) -> None:
        """Let hours pass; a place without a rate sends nothing."""
        for _ in range(hours):
            at = START + self._hour * HOUR
            people = {name: int(self._draw.poisson(8 * rate)) for name, rate in rates.items()}
            self.flow.send(_event(name, at + HOUR // 2, count) for name, count in people.items() if count)
            self._hour += 1
            if not self._hour % 4:
                self.flow.read()
                self.flow.tick(START + self._hour * HOUR + 1)
                self.flow.notify()

    def notices(self, words: str) -> list[str]:
        return [one for one in self.flow.found.notices.values() if words in one]


def _event(name: str, at: int, count: int) -> Sent:
    moment = dt.datetime.fromtimestamp(at, dt.UTC).isoformat()
    event = {"event_id": f"{name}{at}", "sector": name, "occurred_at": moment, "count": count}
    return Sent(
        name, json.dumps({**event, "crossing_type": "at_port", "demographic": "unknown"}).encode(), at
    )


def test_nobody_has_left_a_place_whose_feed_dies_in_the_morning() -> None:
    border = Border()
    border.live(24 * LEARNT, dict.fromkeys("abc", 1.0))
    border.live(24 + 6, SURGE)
    border.live(24 * 3, {"b": 1.8, "c": 1.0})
    assert border.notices("Surge at B") != []
    assert border.notices("No data from A") != []
    assert border.notices("Displacement") == []


def test_nobody_had_left_a_place_whose_feed_is_back_in_the_evening() -> None:
    border = Border()
    border.live(24 * LEARNT, dict.fromkeys("abc", 1.0))
    border.live(24 + 6, SURGE)
    border.live(36, {"b": 1.8, "c": 1.0})
    border.live(24 * 2, SURGE)
    assert border.notices("Resolved: No data from A") != []
    assert border.notices("Displacement") == []


def test_a_surge_stands_while_its_feed_brings_half_of_each_day() -> None:
    port = Port("2023-01-02", people=200, opens=0, closes=24)
    port.live(60)
    port.live(4, lambda hour: 1.7)
    port.live(5, lambda hour: 1.7 if hour.hour >= 11 else 0.0)
    assert Question.SURGE in port.standing()
    assert Question.SURGE not in port.resolved()
    port.live(30)
    assert Question.SURGE in port.resolved()


def test_a_surge_stands_while_its_source_is_away_for_most_of_each_day() -> None:
    port = Port("2023-01-02", people=200, opens=0, closes=24)
    port.live(60, sources=["ferry"])
    port.live(4, lambda hour: 1.7, sources=["ferry"])
    for _ in range(5):
        start = int(dt.datetime.combine(port.today, dt.time(5), dt.UTC).timestamp())
        for hour in range(24):
            if hour >= 16:
                port.send(start + hour * HOUR + HOUR // 2, 14)
                port.beat(start + (hour + 1) * HOUR - 60, "ferry")
            port.let_pass(start + (hour + 1) * HOUR + 1)
        port.today += dt.timedelta(days=1)
    assert Question.SURGE not in port.resolved()
