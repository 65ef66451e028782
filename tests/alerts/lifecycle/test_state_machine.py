"""Laws of an alert's life: it fires on a breach that counts, ends once, and old verdicts change nothing."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.lifecycle.alert import Alert, State
from alerts.lifecycle.policies import Policies, Policy
from alerts.lifecycle.state_machine import TABLE, Signal, step
from alerts.notices.alert_pipeline import AlertChange, AlertPipeline, without_offset
from streams.contract.cadence import DAY
from streams.contract.verdicts import Question, Verdict
from surgewatch.harness.records import Record
from tests.alerts.made import FIRST_DAY, verdict

POLICY = Policy()
DAYS = st.lists(st.sampled_from(["calm", "breach", "small", "open"]), max_size=40)


def story(days: list[str]) -> list[Verdict]:
    """A verdict a day: a breach, a breach too small to count, one of a day still filling, or calm."""
    kinds = {
        "calm": {"breach": False},
        "breach": {"breach": True},
        "small": {"breach": True, "observed": 32},
        "open": {"breach": True, "closed": False},
    }
    return [verdict(day, **kinds[kind]) for day, kind in enumerate(days)]  # type: ignore[arg-type]


def live(verdicts: list[Verdict]) -> list[Alert]:
    """The states of the alerts on one question, verdict after verdict."""
    alert: Alert | None = None
    states = []
    for one in verdicts:
        after = step(alert, one, POLICY, at=FIRST_DAY)
        if after is not None and after is not alert:
            states.append(after)
        alert = after
    return states


def processed(records: list[Record], size: int = 3) -> tuple[AlertPipeline, list[AlertChange]]:
    pipeline = AlertPipeline(Policies())
    changes = []
    for start in range(0, len(records), size):
        changes += pipeline.process(0, records[start : start + size]).changes
    return pipeline, changes


def records_of(verdicts: list[Verdict]) -> list[Record]:
    return [Record(at, one.model_dump_json().encode()) for at, one in enumerate(verdicts)]


def test_an_alert_that_comes_again_soon_is_over_once_it_has_been_calm_for_longer() -> None:
    """Two days between its alerts, of five that count as soon; and then five days of calm."""
    policy = Policy(resolve_after=1, keep_firing_hours=5 * 24)
    alert, states = None, []
    for day, breach in enumerate([True, False, False, True, False, True, *[False] * 6]):
        alert = step(alert, verdict(day, breach=breach), policy, at=FIRST_DAY)
        assert alert is not None
        states.append((alert.state, alert.recurrences))
    firing, over = (State.FIRING, 1), (State.RESOLVED, 1)
    first = [(State.FIRING, 0), (State.RESOLVED, 0), (State.RESOLVED, 0)]
    assert states == [*first, *[firing] * 8, over]


def not_a_breach(day: int, *, observed: float, level: float) -> Verdict:
    """A closed day of a question about drops; 340 people were expected at this level."""
    found = verdict(day, breach=False, question=Question.DROP)
    figures = {"observed": observed, "expected": 340.0, "level": level}
    return found.model_copy(update={"evidence": found.evidence.model_copy(update=figures)})


@pytest.mark.parametrize(
    ("observed", "level", "is_over"),
    [(300, 0.5, False), (300, 1.0, True), (600, 0.5, True), (900, 0.5, True), (300, 1.5, True)],
)
def test_a_level_that_lasts_ends_no_alert(observed: float, level: float, *, is_over: bool) -> None:
    policy = Policy(resolve_after=1)
    low = verdict(0, breach=True, question=Question.DROP, observed=5)
    after = step(
        step(None, low, policy, at=FIRST_DAY),
        not_a_breach(1, observed=observed, level=level),
        policy,
        at=FIRST_DAY,
    )
    assert after is not None
    assert (after.state is State.RESOLVED) == is_over
    assert after.breaches == 1


def test_the_table_has_a_move_for_every_state_and_signal() -> None:
    wanted = set(itertools.product([None, *State], Signal)) - {(None, Signal.NOTHING)}
    assert wanted == set(TABLE)


@given(DAYS)
def test_an_alert_ends_at_most_once_and_never_fires_again(days: list[str]) -> None:
    by_id = itertools.groupby(live(story(days)), key=lambda alert: alert.alert_id)
    for _, states in by_id:
        names = [alert.state for alert in states]
        assert State.RESOLVED not in names[:-1]


@given(DAYS)
def test_nothing_fires_without_a_breach_that_counts(days: list[str]) -> None:
    calm = ["calm" if day in ("breach", "open") else day for day in days]
    assert live(story(calm)) == []


@given(DAYS, st.data())
def test_applying_verdicts_again_changes_nothing(days: list[str], data: st.DataObject) -> None:
    verdicts = story(days)
    at = data.draw(st.integers(0, len(verdicts)))
    back = data.draw(st.integers(0, at))
    assert live([*verdicts[:at], *verdicts[back:at], *verdicts[at:]]) == live(verdicts)


@given(DAYS, st.integers(1, 7), st.integers(1, 7))
def test_the_size_of_batches_does_not_matter(days: list[str], one: int, other: int) -> None:
    records = records_of(story(days))
    assert processed(records, one)[1] == processed(records, other)[1]


@given(DAYS, st.data())
def test_a_pipeline_that_died_publishes_the_same_states(days: list[str], data: st.DataObject) -> None:
    records = records_of(story(days))
    whole, changes = processed(records)
    at = data.draw(st.integers(0, len(records)))
    back = data.draw(st.integers(0, at))
    first, published = processed(records[:at])
    revived = AlertPipeline(Policies())
    revived.restore(0, {k: v for k, v in first.dirty().get(0, []) if v is not None})
    for record in records[back:]:
        published += revived.process(0, [record]).changes
    assert [change for change in published if change in changes] == published
    assert sorted(a.model_dump_json() for a in revived.all_alerts()) == sorted(
        a.model_dump_json() for a in whole.all_alerts()
    )


def test_the_first_tick_after_a_recovery_publishes_every_alert() -> None:
    first, _ = processed(records_of(story(["breach"])))
    revived = AlertPipeline(Policies())
    revived.restore(0, {k: v for k, v in first.dirty()[0] if v is not None})
    assert [change.alert for change in revived.tick(0, False).changes] == first.all_alerts()
    assert revived.tick(0, False).changes == []


def test_an_alert_of_a_border_does_not_expire_while_its_border_is_behind_the_sectors() -> None:
    """In a replay, sectors are months ahead of the borders that wait for the slowest of them."""
    moved = verdict(0, breach=True, question=Question.DISPLACEMENT)
    ahead = [verdict(day, breach=False) for day in range(1, 90)]
    still = verdict(1, breach=True, question=Question.DISPLACEMENT)
    pipeline, changes = processed(records_of([moved, *ahead, still]))
    (alert,) = pipeline.all_alerts()
    assert (alert.state, alert.breaches, len(changes)) == (State.FIRING, 2, 2)


def test_an_alert_does_not_expire_while_its_sector_is_behind_others() -> None:
    """Which sector is read first must not matter."""
    ahead = [verdict(day, breach=False, sector="blaine") for day in range(300)]
    pipeline, _ = processed(records_of([*ahead, verdict(0, breach=True), verdict(1, breach=True)]))
    assert [(alert.state, alert.breaches) for alert in pipeline.all_alerts()] == [(State.FIRING, 2)]


def test_a_breach_that_is_published_again_raises_nothing_once_its_alert_is_forgotten() -> None:
    verdicts = story(["breach", *["calm"] * 40])
    pipeline, _ = processed(records_of(verdicts))
    assert pipeline.all_alerts() == []
    again = Record(len(verdicts), verdicts[0].model_dump_json().encode())
    assert pipeline.process(0, [again]).changes == []


def test_an_alert_that_is_read_long_afterwards_is_over_once_all_is_read() -> None:
    """A worker that was down for long does not raise what nobody has seen since."""
    (record,) = records_of([lived := verdict(0, breach=True)])
    appended = int(lived.as_of.timestamp() * 1000)
    pipeline, _ = processed([replace(record, timestamp=appended)])
    later = FIRST_DAY.timestamp() + 300 * DAY
    assert pipeline.tick(later, False).changes == []
    (change,) = pipeline.tick(later, True).changes
    assert change.alert is not None
    assert (change.alert.state, change.alert.expired) == (State.RESOLVED, True)


def test_the_clock_ends_no_alert_of_a_history_however_often_all_is_read() -> None:
    """What a replay of past years gives does not depend on how fast it is read."""
    records = records_of(story(["breach", "small", *["breach"] * 3, *["calm"] * 9]))
    whole, changes = processed(records)
    paced, published = AlertPipeline(Policies()), list[AlertChange]()
    for record in records:
        published += paced.process(0, [record]).changes
        published += paced.tick(record.timestamp / 1000, True).changes
    assert published == changes
    assert paced.all_alerts() == whole.all_alerts()


def test_a_state_that_is_moved_to_another_partition_is_followed_by_newer_ones() -> None:
    """Offsets begin anew there. Sinks and consoles pass over states that are older than the one they have."""
    breaches = [verdict(day, breach=True) for day in range(5)]
    first, published = processed(
        [replace(record, offset=record.offset + 900) for record in records_of(breaches)]
    )
    moved = {key: without_offset(key, value) for key, value in first.dirty()[0] if value is not None}
    revived = AlertPipeline(Policies())
    revived.restore(5, moved)
    published += revived.process(
        5, records_of([verdict(day, breach=day < 7) for day in range(5, 60)])
    ).changes
    states = [change.alert for change in published if change.alert]
    assert not any(after.version.is_before(before.version) for before, after in itertools.pairwise(states))
    assert states[-1].state is State.RESOLVED
    (anew,) = revived.process(5, [Record(90, verdict(90, breach=True).model_dump_json().encode())]).changes
    assert anew.alert is not None
    assert not anew.alert.version.is_before(states[-1].version)


def test_event_times_outlive_the_worker() -> None:
    days = story(["breach", *["calm"] * 40])
    pipeline, _ = processed(records_of(days))
    revived = AlertPipeline(Policies())
    revived.restore(0, {key: value for key, value in pipeline.dirty()[0] if value is not None})
    assert pipeline.dirty() == {}
    assert revived.process(0, records_of(days)[:1]).changes == []


def test_what_an_earlier_build_held_of_a_partition_is_deleted() -> None:
    pipeline = AlertPipeline(Policies())
    pipeline.restore(0, {b"\0clock": b"1.5e9"})
    assert pipeline.dirty() == {0: [(b"\0clock", None)]}


def test_a_header_that_is_no_number_is_passed_over() -> None:
    value = verdict(0, breach=True).model_dump_json().encode()
    for header in (b"soon", b"1.5e3", b"\xff", b"9" * 40):
        pipeline, _ = processed([Record(0, value, headers=(("produced_at", header),))])
        assert [alert.produced_at for alert in pipeline.all_alerts()] == [None]
