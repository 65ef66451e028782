"""No alert ends while what it is about lasts, and its last notice has no more than what is so."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np
import pytest

from alerts.languages.language import ENGLISH
from alerts.lifecycle.alert import Alert, Notice, Reason, State
from alerts.lifecycle.policies import policies
from alerts.notices.alert_pipeline import AlertPipeline
from alerts.notices.endings import ending
from alerts.notices.history import NoticeHistory
from streams.contract.sectors import Registry
from streams.contract.verdicts import Question, Verdict
from streams.judging.border_judge import BorderJudge
from surgewatch.harness.records import Record
from tests.alerts.made import FIRST_DAY, verdict
from tests.five_sectors import DISPERSION, IDS, MEAN, in_a_row, summary, without_data

Day = Mapping[str, float]


class Border:
    """Five sectors in a row through the whole flow, day by day."""

    def __init__(self, places: Registry | None = None) -> None:
        places = places or in_a_row()
        self._judge = BorderJudge(places, "south")
        self._alerts, self._history = AlertPipeline(policies()), NoticeHistory(policies(), places)
        self._day = self._last = self._offset = 0

    def live(self, days: Collection[Day], *, alarms: str = "", missing: str = "") -> list[Notice]:
        """Let some days pass, and return what was sent about the border; `missing` are without data."""
        return [notice for day in days for notice in self._close(day, alarms, missing)]

    def _close(self, day: Day, alarms: str, missing: str) -> Iterator[Notice]:
        with_data = {name: people for name, people in day.items() if name not in missing}
        closed = [
            summary(self._day, name, people, alarm=name in alarms) for name, people in with_data.items()
        ]
        closed += [without_data(self._day, name, since=self._last) for name in missing]
        if not missing:
            self._last = self._day
        verdicts, self._day = self._judge.close(closed), self._day + 1
        for one in verdicts:
            at = int(one.event_time.timestamp() * 1000)
            record = Record(self._offset, one.model_dump_json().encode(), at)
            self._offset += 1
            yield from self._history.follow(self._alerts.process(0, [record]).changes, at / 1000)


def drawn(days: int, seed: int, **means: float) -> list[dict[str, float]]:
    """Days of five sectors, each with its mean of people, or the usual one."""
    draw = np.random.default_rng(seed)
    size = {name: means.get(name, MEAN) / (DISPERSION - 1) for name in IDS}
    return [{name: float(draw.negative_binomial(size[name], 0.5)) for name in IDS} for _ in range(days)]


def reasons_of(notices: Collection[Notice], question: Question) -> list[Reason]:
    found = [one.reason for one in notices if one.alert.question is question]
    return [reason for reason in found if reason is not Reason.STILL]


@pytest.mark.parametrize("seed", range(3))
def test_a_displacement_lasts_while_its_crossing_is_shut_and_the_people_are_next_door(seed: int) -> None:
    border = Border()
    border.live(drawn(30, seed))
    assert reasons_of(border.live(drawn(45, 9, b=72, c=5, d=72)), Question.DISPLACEMENT) == [Reason.FIRST]
    back = border.live(drawn(20, 8))
    assert reasons_of(back, Question.DISPLACEMENT) == [Reason.RESOLVED]


def test_a_displacement_whose_people_are_gone_from_next_door_is_over_and_is_not_called_normal() -> None:
    border = Border()
    border.live(drawn(30, 1))
    border.live(drawn(20, 2, b=72, c=5, d=72))
    notices = border.live(drawn(30, 3, c=5))
    (over,) = [
        one
        for one in notices
        if one.alert.question is Question.DISPLACEMENT and one.alert.state == "resolved"
    ]
    assert over.details.startswith("Those who are missing here are found next door no more: ")


def test_a_cluster_whose_sectors_become_surges_is_not_told_to_be_back_to_normal() -> None:
    border = Border()
    border.live(drawn(30, 1))
    border.live([{"a": 50.0, "b": 70.0, "c": 71.0, "d": 69.0, "e": 50.0}] * 4)
    notices = border.live(drawn(12, 2, b=140, c=140, d=140), alarms="bcd")
    (over,) = [one for one in notices if one.alert.question is Question.SCAN]
    assert (over.reason, over.details) == (
        Reason.RESOLVED,
        "No sectors side by side stand out together any more. One with a surge of its own has its own alert.",
    )


def test_a_cluster_of_which_a_sector_falls_silent_is_not_over_until_its_data_come_again() -> None:
    border = Border()
    border.live(drawn(30, 1))
    border.live([{"a": 50.0, "b": 70.0, "c": 71.0, "d": 69.0, "e": 50.0}] * 4)
    silent = border.live(drawn(14, 2, b=50, d=50), missing="c")
    assert Reason.RESOLVED not in reasons_of(silent, Question.SCAN)
    assert reasons_of(border.live(drawn(12, 3)), Question.SCAN) == [Reason.RESOLVED]


@pytest.mark.parametrize("people", [40.0, 55.0])  # of the silent sector, before
def test_a_cluster_is_over_though_a_sector_that_was_no_part_of_it_is_silent(people: float) -> None:
    border = Border()
    days = drawn(30, 1)
    border.live(days[:-7] + [{**day, "e": people} for day in days[-7:]])
    border.live([{"a": 50.0, "b": 70.0, "c": 71.0, "d": 69.0}] * 4, missing="e")
    assert reasons_of(border.live(drawn(12, 3), missing="e"), Question.SCAN) == [Reason.RESOLVED]


def spilling(days: int) -> list[dict[str, float]]:
    """Days in which `d` follows `a` by nine days; a surge at `a` is at `d` on day 99, and stays there."""
    found = drawn(days, 7)
    for at in range(9, days):
        found[at]["d"] = found[at - 9]["a"] * 0.8 + found[at]["d"] * 0.2
    found[90]["a"] = 110.0
    for at in range(99, 130):
        found[at]["d"] = 108.0
    return found


def test_a_spill_over_lasts_while_the_sector_is_as_high() -> None:
    border = Border(in_a_row({"d": ("a",)}))
    days = spilling(150)
    assert reasons_of(border.live(days[:130]), Question.SPILL_OVER) == [Reason.FIRST]
    assert reasons_of(border.live(days[130:]), Question.SPILL_OVER) == [Reason.RESOLVED]


@pytest.mark.parametrize("silent", ["a", "d", "ad"])
def test_a_spill_over_lasts_though_the_sector_or_the_one_upstream_falls_silent(silent: str) -> None:
    border = Border(in_a_row({"d": ("a",)}))
    days = spilling(160)
    assert reasons_of(border.live(days[:104]), Question.SPILL_OVER) == [Reason.FIRST]
    assert reasons_of(border.live(days[104:128], missing=silent), Question.SPILL_OVER) == []
    assert reasons_of(border.live(days[130:]), Question.SPILL_OVER) == [Reason.RESOLVED]


MOST = [{"name": "citizenship=HAITI", "observed": 400.0, "expected": 100.0}]


@pytest.mark.parametrize(
    ("question", "first", "last"),
    [
        (Question.MIX, {"slices": MOST, "window": 7}, {"slices": MOST, "observed": 400, "expected": 200}),
        (Question.RECORD, {"observed": 300}, {"observed": 250, "expected": 250, "level": 5.0}),
        (Question.SLOW_RISE, {"observed": 300}, {"observed": 300, "expected": 150}),
    ],
)
def test_what_lasts_is_not_over(question: Question, first: dict[str, Any], last: dict[str, Any]) -> None:
    pipeline = AlertPipeline(policies())
    _process(pipeline, verdict(0, breach=True, question=question, **{"observed": 400, **first}))
    for day in range(1, 12):
        _process(pipeline, calm(day, question, **{"recent": (), **last}))
    assert [alert.state for alert in pipeline.all_alerts()] == [State.FIRING]
    for day in range(12, 20):
        _process(pipeline, calm(day, question, recent=(), observed=30, expected=30))
    assert [alert.state for alert in pipeline.all_alerts()] == [State.RESOLVED]


def test_another_group_that_is_a_little_high_does_not_keep_a_shift_in_the_mix_open() -> None:
    pipeline = AlertPipeline(policies())
    _process(pipeline, verdict(0, breach=True, question=Question.MIX, slices=MOST))
    other = [{"name": "citizenship=CUBA", "observed": 40.0, "expected": 25.0}]
    for day in range(1, 8):
        _process(pipeline, calm(day, Question.MIX, slices=other, observed=40, expected=25))
    assert [alert.state for alert in pipeline.all_alerts()] == [State.RESOLVED]


@pytest.mark.parametrize(
    ("question", "before", "last", "start"),
    [
        (Question.SURGE, {}, {"observed": 30, "expected": 30}, "Back to normal: 30, expected 15 to 50."),
        (
            Question.SURGE,
            {},
            {"observed": 60, "expected": 30},
            "It is found no more, but this is not normal: 60,",
        ),
        (
            Question.DROP,
            {"observed": 20, "recent_expected": [100] * 28},
            {"observed": 20, "recent_expected": [25] * 28},
            "This is normal by now: 20, expected 15 to 50.",
        ),
        (Question.REGIME, {}, {"observed": 20, "expected": 20}, "This is normal by now: 20,"),
        (Question.STRAIN, {}, {"observed": 7, "capacity": 8}, "There is room again: 7, room for 8."),
        (Question.SILENCE, {}, {"observed": 0, "expected": 0}, "There are data again."),
    ],
)
def test_an_end_has_what_is_so(
    question: Question, before: dict[str, Any], last: dict[str, Any], start: str
) -> None:
    assert ending(_over(question, before, last), ENGLISH, sends_again=False).startswith(start)


def test_an_alert_that_nothing_comes_about_is_not_told_to_be_over() -> None:
    alert = _over(Question.SURGE, {}, {}).model_copy(update={"expired": True})
    assert ending(alert, ENGLISH, sends_again=False).endswith("whether it is over is not known.")


def calm(day: int, question: Question, **evidence: object) -> Verdict:
    """A verdict that is no breach, with its own count of people."""
    made = verdict(day, breach=False, question=question)
    shown = made.evidence.model_validate({**made.evidence.model_dump(), **evidence})
    return made.model_copy(update={"evidence": shown})


def _over(question: Question, before: dict[str, Any], last: dict[str, Any]) -> Alert:
    pipeline = AlertPipeline(policies())
    _process(pipeline, verdict(0, breach=True, question=question, **before))
    (alert,) = pipeline.all_alerts()
    return alert.model_copy(update={"state": State.RESOLVED, "latest": calm(9, question, **last)})


def _process(pipeline: AlertPipeline, one: Verdict) -> None:
    offset = (one.period - FIRST_DAY).days
    pipeline.process(0, [Record(offset, one.model_dump_json().encode(), int(one.as_of.timestamp() * 1000))])
