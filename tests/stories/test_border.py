"""A border shows what no sector shows alone: stories over five sectors in a row."""

import numpy as np
import pytest

from streams.contract.cadence import Cadence
from streams.contract.sectors import Registry, Sector
from streams.contract.verdicts import Question, Verdict
from streams.judging.border_judge import KEEP, BorderJudge
from streams.judging.operating_limits import level
from streams.judging.period_summary import PeriodSummary
from streams.judging.publication import LASTING
from tests.five_sectors import DISPERSION, IDS, MEAN, in_a_row, summary


def summaries(day: int, counts: dict[str, float], alarms: tuple[str, ...] = ()) -> list[PeriodSummary]:
    return [summary(day, name, count, alarm=name in alarms) for name, count in counts.items()]


def calm(days: int, seed: int = 7) -> list[dict[str, float]]:
    size = MEAN / (DISPERSION - 1)
    drawn = np.random.default_rng(seed).negative_binomial(size, size / (size + MEAN), (days, len(IDS)))
    return [dict(zip(IDS, map(float, one), strict=True)) for one in drawn]


def run(judge: BorderJudge, days: list[dict[str, float]], first: int = 0) -> list[Verdict]:
    return [verdict for at, one in enumerate(days, first) for verdict in judge.close(summaries(at, one))]


def breaches(verdicts: list[Verdict], question: Question) -> list[Verdict]:
    return [verdict for verdict in verdicts if verdict.breach and verdict.question is question]


def test_people_who_go_next_door_are_displaced_and_not_gone() -> None:
    days = [*calm(10), {"a": 50, "b": 85, "c": 5, "d": 82, "e": 50}]
    (found,) = breaches(run(BorderJudge(in_a_row(), "south"), days), Question.DISPLACEMENT)
    assert found.sector == "c"
    assert {part.name for part in found.evidence.neighbours} == {"b", "d"}
    assert found.evidence.remark == "45 fewer here, 67 more at B and D"


def test_part_of_a_flow_that_goes_next_door_is_seen_within_a_week_and_with_how_much_of_it() -> None:
    """150 a day stop, and a sixth of them turns up beside: in no day alone is that sure."""
    judge, published = BorderJudge(in_a_row(), "south"), []
    for at, one in enumerate(calm(10)):
        judge.close(summaries(at, one))
    for at in range(10, 17):
        published += judge.close(summaries(at, {"a": 50.0, "b": 61.0, "c": 2.0, "d": 61.0, "e": 50.0}))
    found = breaches(published, Question.DISPLACEMENT)
    assert {verdict.sector for verdict in found} == {"c"}
    assert found[-1].evidence.window == 7
    assert found[-1].evidence.remark == "336 fewer here, 154 more at B and D"


def test_more_people_next_door_than_are_missing_here_are_a_surge_and_no_displacement() -> None:
    days = [dict.fromkeys(IDS, 50.0)] * 10 + [{"a": 50.0, "b": 150.0, "c": 5.0, "d": 150.0, "e": 50.0}]
    assert not breaches(run(BorderJudge(in_a_row(), "south"), days), Question.DISPLACEMENT)


def test_people_who_are_gone_are_not_displaced() -> None:
    days = [*calm(10), {"a": 50, "b": 50, "c": 5, "d": 50, "e": 50}]
    assert not breaches(run(BorderJudge(in_a_row(), "south"), days), Question.DISPLACEMENT)


def test_three_neighbours_each_a_little_high_are_found_together() -> None:
    days = [*calm(10), *[{"a": 50, "b": 70, "c": 71, "d": 69, "e": 50}] * 3]
    found = breaches(run(BorderJudge(in_a_row(), "south"), days), Question.SCAN)[-1]
    assert found.sector == "south"
    assert {part.name for part in found.evidence.neighbours} == {"b", "c", "d"}
    assert found.evidence.window == 3


def test_a_sector_that_rang_by_itself_is_no_part_of_a_cluster() -> None:
    judge, published = BorderJudge(in_a_row(), "south"), []
    for at, one in enumerate(calm(10)):
        judge.close(summaries(at, one))
    for at in range(10, 13):
        day = {"a": 50.0, "b": 70.0, "c": 130.0, "d": 69.0, "e": 50.0}
        published += judge.close(summaries(at, day, alarms=("c",)))
    assert not breaches(published, Question.SCAN)


def test_what_followed_upstream_by_nine_days_all_winter_is_announced_with_its_lag() -> None:
    days = calm(100)
    for at in range(9, 100):
        days[at]["d"] = days[at - 9]["a"] * 0.8 + days[at]["d"] * 0.2
    days[90]["a"], days[99]["d"] = 110.0, 108.0
    (found,) = breaches(run(BorderJudge(in_a_row({"d": ("a",)}), "south"), days), Question.SPILL_OVER)[-1:]
    assert found.sector == "d"
    assert found.evidence.remark == "upstream A led by 9 days"
    assert found.evidence.neighbours[0].observed == 110


def test_an_upstream_sector_of_another_border_is_looked_at_and_is_nobodys_neighbour() -> None:
    far = Sector(id="far", name="FAR", country="US", border="north")
    places = Registry(
        sector=(
            far,
            *(s.model_copy(update={"upstream": ("far",) if s.id == "d" else ()}) for s in in_a_row().sector),
        )
    )
    days = calm(100)
    for at in range(100):
        days[at]["far"] = days[at].pop("a")
        days[at]["a"] = 50.0
    for at in range(9, 100):
        days[at]["d"] = days[at - 9]["far"] * 0.8 + days[at]["d"] * 0.2
    days[90]["far"], days[99]["d"] = 110.0, 108.0
    published = run(BorderJudge(places, "south"), days)
    assert breaches(published, Question.SPILL_OVER)[-1].evidence.remark == "upstream FAR led by 9 days"
    assert "far" not in {v.sector for v in published}
    assert "FAR" not in " ".join(v.evidence.remark for v in breaches(published, Question.SCAN))


def test_a_region_taken_back_from_bytes_goes_on_as_if_it_had_never_stopped() -> None:
    days = [*calm(60), {"a": 50, "b": 85, "c": 5, "d": 82, "e": 50}, *calm(10, seed=8)]
    whole = run(BorderJudge(in_a_row(), "south"), days)
    for stop in (0, 30, 61):
        first, second = BorderJudge(in_a_row(), "south"), BorderJudge(in_a_row(), "south")
        before = run(first, days[:stop])
        second.restore(first.encode())
        assert before + run(second, days[stop:], first=stop) == whole


def test_a_period_that_was_judged_is_not_judged_again() -> None:
    judge, day = BorderJudge(in_a_row(), "south"), {"a": 50.0, "b": 85.0, "c": 5.0, "d": 82.0, "e": 50.0}
    assert judge.close(summaries(3, day))
    assert judge.close(summaries(3, day)) == []


def test_the_order_in_which_sectors_report_changes_nothing() -> None:
    day = {"a": 50.0, "b": 85.0, "c": 5.0, "d": 82.0, "e": 50.0}
    there, back = BorderJudge(in_a_row(), "south"), BorderJudge(in_a_row(), "south")
    assert there.close(summaries(0, day)) == back.close(summaries(0, day)[::-1])


def test_calm_is_published_only_while_an_alert_may_wait_for_it() -> None:
    quiet = dict.fromkeys(IDS, 50.0)
    days = [quiet, {"a": 50.0, "b": 85.0, "c": 5.0, "d": 82.0, "e": 50.0}, *[quiet] * (LASTING + 4)]
    published = [
        v for v in run(BorderJudge(in_a_row(), "south"), days) if v.question is Question.DISPLACEMENT
    ]
    assert [v.breach for v in published] == [True] + [False] * LASTING


def test_state_is_bounded_by_what_is_kept_and_not_by_what_has_happened() -> None:
    judge = BorderJudge(in_a_row(), "south")
    run(judge, calm(KEEP))
    full = len(judge.encode())
    run(judge, calm(60, seed=9), first=KEEP)
    assert len(judge.encode()) < full * 1.02


@pytest.mark.parametrize("question", [Question.DISPLACEMENT, Question.SPILL_OVER, Question.SCAN])
def test_a_calm_border_keeps_to_its_budget(question: Question) -> None:
    """500 calm days at one in a hundred: at most 5 expected, 14 is four standard deviations above."""
    judge = BorderJudge(in_a_row({"d": ("a", "b")}), "south", false_alarms_per_month=0.5)
    assert level(question, Cadence.DAY, 0.5) == 0.01
    assert len(breaches(run(judge, calm(500, seed=11)), question)) <= 14
