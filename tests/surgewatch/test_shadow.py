"""What differs between the verdicts of a shadow and the live ones is named, and nothing else is."""

import datetime as dt
from typing import Any

import pytest
from click.testing import CliRunner

from streams.contract.cadence import Cadence
from streams.contract.verdicts import Evidence, Question, Verdict
from surgewatch.commands.shadow import command
from surgewatch.shadow.comparing import Difference, Kind, Published, compare

DAY = dt.datetime(2023, 1, 1, tzinfo=dt.UTC)
CALM = {"observed": 5, "expected": 4, "lower": 1, "upper": 9, "p_value": 0.3, "alpha": 0.01}


def verdict(day: int, *, breach: bool = False, closed: bool = True, **evidence: Any) -> Verdict:
    period = DAY + dt.timedelta(days=day)
    return Verdict.of(
        question=Question.SURGE,
        sector="swanton",
        cadence=Cadence.DAY,
        period=period,
        as_of=period + dt.timedelta(days=1),
        closed=closed,
        breach=breach,
        evidence=Evidence(**CALM | evidence),
    )


def published(*verdicts: Verdict, at: int = 0) -> list[Published]:
    return [Published(one, at + number) for number, one in enumerate(verdicts)]


def kinds(differences: list[Difference]) -> list[tuple[Kind, int]]:
    return [(one.kind, (one.verdict.period - DAY).days) for one in differences]


def test_the_same_verdicts_published_once_or_twice_do_not_differ() -> None:
    days = [verdict(day) for day in range(5)]
    found = compare(published(*days, at=100), published(*days[2:], *days, at=100), until=1_000)
    assert found == (5, [])


def test_what_is_missing_extra_and_different_is_named_in_the_order_of_periods() -> None:
    live = [verdict(0), verdict(1), verdict(2, p_value=0.02)]
    shadow = [verdict(0), verdict(2, breach=True, p_value=0.001), verdict(3)]
    found = compare(published(*live), published(*shadow), until=1_000)
    assert kinds(found.differences) == [(Kind.MISSING, 1), (Kind.DIFFERENT, 2), (Kind.EXTRA, 3)]
    assert found.differences[1].fields == {"breach": (False, True), "p_value": (0.02, 0.001)}
    assert found.compared == 4


def test_last_digits_and_verdicts_on_open_periods_do_not_count() -> None:
    live = published(verdict(0, expected=4.00001), verdict(1, closed=False))
    shadow = published(verdict(0, expected=4.00002), verdict(2, closed=False))
    assert compare(live, shadow, until=1_000) == (1, [])


def test_what_was_published_before_the_shadow_began_or_after_the_comparison_is_not_missed() -> None:
    live = published(verdict(0)) + published(verdict(1), at=100) + published(verdict(2), at=300)
    shadow = published(verdict(1), at=100) + published(verdict(3), at=300)
    assert compare(live, shadow, until=200) == (1, [])
    assert kinds(compare(live, shadow, until=300).differences) == [(Kind.MISSING, 2), (Kind.EXTRA, 3)]


def test_a_shadow_without_verdicts_is_compared_with_nothing() -> None:
    assert compare(published(verdict(0)), [], until=1_000).compared == 0


@pytest.mark.parametrize(
    ("shadow", "fault"),
    [
        ("eu.", "eu. is the prefix of the live topics"),
        ("", "can be no prefix"),
        ("my shadow.", "can be no pre"),
    ],
)
@pytest.mark.parametrize("verb", ["begin", "compare"])
def test_a_shadow_needs_a_prefix_of_its_own(verb: str, shadow: str, fault: str) -> None:
    """Else its advice would be to delete the live topics, and nothing would ever differ."""
    done = CliRunner().invoke(command, [verb, shadow, "--topic-prefix", "eu."])
    assert (done.exit_code, fault in done.output) == (2, True), done.output
