"""What the streams worker shows of a sector is its newest period, by itself."""

from streams.metrics import Metrics
from streams.pipeline import Outcome
from streams.sectors import registry
from streams.verdicts import Verdict
from tests.alerts.made import verdict

WEEK = {"window": 7, "period_lower": 3, "period_upper": 12, "recent": (5, 21), "recent_expected": (6, 7)}


def shown(*verdicts: Verdict) -> list[float | None]:
    metrics = Metrics(registry())
    metrics.outcome(Outcome(verdicts=list(verdicts)))
    at = {"sector": "swanton", "window": "day"}
    names = ("observed", "expected", "lower", "upper")
    return [metrics.registry.get_sample_value(f"surgewatch_{name}", at) for name in names]


def test_a_day_is_shown_alone_though_the_week_says_more() -> None:
    assert shown(verdict(0, breach=True, observed=140, **WEEK)) == [21, 7, 3, 12]


def test_an_older_period_judged_again_does_not_take_the_place_of_the_newest() -> None:
    newest, older = verdict(5, breach=True, observed=90), verdict(2, breach=True, observed=70)
    assert shown(newest, older) == shown(newest) == [90, 30, 15, 50]
