"""The same verdicts give the same notices: however partitions are read, and whatever is published again."""

import random

from hypothesis import given
from hypothesis import strategies as st

from streams.contract.verdicts import Question, Verdict
from tests.alerts.made import verdict
from tests.examples import few
from tests.laws.reading import PLACES, Read, System

DAYS = 60  # long enough for alerts to be over and forgotten
SECTORS = ("a", "b")
OF_SECTORS, OF_BORDERS = (Question.SURGE, Question.DROP), (Question.DISPLACEMENT,)


def judged(draw: random.Random, sector: str, questions: tuple[Question, ...]) -> list[Verdict]:
    """The verdicts of a sector, in the order of their days: episodes, calm, and days without a verdict."""
    verdicts = []
    left = dict.fromkeys(questions, 0)  # days of the episode
    kinds = dict.fromkeys(questions, "calm")
    for day in range(DAYS):
        for question in questions:
            if not left[question]:
                kinds[question] = draw.choice(("calm", "calm", "breach", "weak breach", "nothing"))
                left[question] = draw.choice((1, 2, 5, 30))
            left[question] -= 1
            breach = kinds[question].endswith("breach")
            weak = 1e-3 if kinds[question].startswith("weak") else 1e-5
            for closed in (False, True) if breach else (True,) if kinds[question] == "calm" else ():
                of = {"question": question, "sector": sector, "border": "south", "p_value": weak}
                verdicts.append(verdict(day, breach=breach, closed=closed, **of))  # type: ignore[arg-type]
    return verdicts


def notices(streams: list[list[Verdict]], partitions: int, draw: random.Random | None = None) -> Read:
    """Publish the verdicts of sectors and borders, and read them. Workers die where `draw` has it."""
    system = System(partitions, PLACES, wall_clock=False)
    done, committed = [0] * len(streams), [0] * len(streams)
    while left := [at for at, stream in enumerate(streams) if done[at] < len(stream)]:
        at = draw.choice(left) if draw else left[0]
        several = draw.randint(1, 40) if draw else len(streams[at])
        for one in streams[at][done[at] : done[at] + several]:
            system.verdicts.put(one.sector, one.model_dump_json().encode())
        done[at] += several
        if draw and draw.random() < 0.2:
            committed[at] = done[at]
        if draw and draw.random() < 0.2:
            done[at] = committed[at]
    system.notify(draw, 60)
    return system.found


@few(60)
@given(st.integers(0, 10_000), st.sampled_from([1, 2, 4, 7]), st.integers(0, 10_000))
def test_interleaving_and_restarts_change_no_notice(seed: int, partitions: int, order: int) -> None:
    draw = random.Random(seed)
    streams = [judged(draw, sector, of) for sector in SECTORS for of in (OF_SECTORS, OF_BORDERS)]
    assert notices(streams, partitions, random.Random(order)) == notices(streams, 1)


def test_the_verdicts_lead_to_alerts_that_are_over_and_forgotten() -> None:
    draw = random.Random(1)
    found = [notices([judged(draw, "a", OF_SECTORS)], 1).notices for _ in range(9)]
    assert sum("esolved" in headline for one in found for headline in one.values()) >= 3
