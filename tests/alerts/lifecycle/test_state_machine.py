"""Laws of an alert's life: told once, ended once, and deaf to what it has heard before."""

import itertools
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from alerts.lifecycle.alert import Alert, Reason, State
from alerts.lifecycle.policies import Policies, Policy
from alerts.lifecycle.state_machine import TABLE, Signal, step
from alerts.notices.alert_pipeline import CLOCK, AlertPipeline
from alerts.notices.marks import Marks
from streams.contract.verdicts import Question, Verdict
from tests.alerts.made import verdict

POLICY = Policy()
DAYS = st.lists(st.sampled_from(["calm", "breach", "small", "open"]), max_size=40)


class Record(NamedTuple):
    offset: int
    value: bytes
    timestamp: int = 1_700_000_000_000
    headers: tuple[tuple[str, bytes], ...] = ()


def story(days: list[str]) -> list[Verdict]:
    """A verdict a day: a breach, a breach too small to count, one of a day still filling, or calm."""
    kinds = {
        "calm": {"breach": False},
        "breach": {"breach": True},
        "small": {"breach": True, "observed": 32},
        "open": {"breach": True, "closed": False},
    }
    return [verdict(day, **kinds[kind]) for day, kind in enumerate(days)]  # type: ignore[arg-type]


def live(verdicts: list[Verdict]) -> tuple[Alert | None, list[tuple[str, Reason]]]:
    """What becomes of one question, and what is told of it."""
    alert: Alert | None = None
    told = []
    for heard in verdicts:
        alert, reason, _ = step(alert, heard, POLICY)
        if reason is not None and alert is not None:
            told.append((alert.alert_id, reason))
    return alert, told


def heralded(records: list[Record], size: int = 3) -> tuple[AlertPipeline, list[str]]:
    pipeline = AlertPipeline(Policies(), Marks())
    ids = []
    for start in range(0, len(records), size):
        ids += [n.notice_id for n, _ in pipeline.process(0, records[start : start + size]).notices]
    return pipeline, ids


def test_the_table_knows_what_to_do_in_every_state_whatever_is_heard() -> None:
    wanted = set(itertools.product([None, *State], Signal)) - {(None, Signal.NOTHING)}
    assert wanted == set(TABLE)


@given(DAYS)
def test_each_alert_is_told_first_once_and_resolved_at_most_once(days: list[str]) -> None:
    _, told = live(story(days))
    for alert_id in {alert_id for alert_id, _ in told}:
        reasons = [reason for one, reason in told if one == alert_id]
        assert reasons.count(Reason.FIRST) == 1
        assert reasons[0] is Reason.FIRST
        assert reasons.count(Reason.RESOLVED) <= 1
        assert Reason.RESOLVED not in reasons[:-1]


@given(DAYS)
def test_nothing_fires_without_a_breach_that_counts(days: list[str]) -> None:
    _, told = live(story(["calm" if day in ("breach", "open") else day for day in days]))
    assert told == []


@given(DAYS, st.data())
def test_hearing_verdicts_again_changes_nothing(days: list[str], data: st.DataObject) -> None:
    verdicts = story(days)
    at = data.draw(st.integers(0, len(verdicts)))
    back = data.draw(st.integers(0, at))
    alert, told = live(verdicts)
    again, retold = live([*verdicts[:at], *verdicts[back:at], *verdicts[at:]])
    assert (again, retold) == (alert, told)


@given(DAYS, st.integers(1, 7), st.integers(1, 7))
def test_how_verdicts_are_fetched_does_not_matter(days: list[str], one: int, other: int) -> None:
    records = [Record(at, v.model_dump_json().encode()) for at, v in enumerate(story(days))]
    assert heralded(records, one)[1] == heralded(records, other)[1]


@given(DAYS, st.data())
def test_a_herald_that_died_says_the_same_under_the_same_ids(days: list[str], data: st.DataObject) -> None:
    records = [Record(at, v.model_dump_json().encode()) for at, v in enumerate(story(days))]
    whole, ids = heralded(records)
    at = data.draw(st.integers(0, len(records)))
    back = data.draw(st.integers(0, at))
    first, said = heralded(records[:at])
    revived = AlertPipeline(Policies(), Marks())
    revived.restore(0, {k: v for k, v in first.dirty().get(0, []) if v is not None})
    for record in records[back:]:
        said += [notice.notice_id for notice, _ in revived.process(0, [record]).notices]
    assert said == ids
    assert sorted(a.model_dump_json() for a in revived.standing()) == sorted(
        a.model_dump_json() for a in whole.standing()
    )


def test_an_alert_of_a_region_does_not_expire_while_its_region_is_behind_the_sectors() -> None:
    """Much read at once, sectors are months ahead of the regions that wait for the slowest of them."""
    moved = verdict(0, breach=True, question=Question.DISPLACEMENT)
    ahead = [verdict(day, breach=False) for day in range(1, 90)]
    still = verdict(1, breach=True, question=Question.DISPLACEMENT)
    records = [Record(at, v.model_dump_json().encode()) for at, v in enumerate([moved, *ahead, still])]
    pipeline, ids = heralded(records)
    (alert,) = pipeline.standing()
    assert (alert.state, alert.breaches, len(ids)) == (State.FIRING, 2, 1)


def test_state_of_a_partition_ends_with_its_clock() -> None:
    pipeline, _ = heralded([Record(0, verdict(0, breach=True).model_dump_json().encode())])
    assert [key for key, _ in pipeline.dirty()[0][-2:]] == list(CLOCK.values())
    assert pipeline.dirty() == {}
