"""A record is news where it is far higher than its rank and the highest counts before explain."""

import numpy as np
import pytest

from streams.contract.cadence import Cadence
from streams.contract.questions import Look
from streams.contract.sectors import registry
from streams.contract.verdicts import Question, Verdict
from streams.counting.sector_counts import KEEP, Counts
from streams.counting.series import Series
from streams.judging.judge import Judge

PLACES, START, DAYS = registry(), Cadence.DAY.index(1_640_995_200), 250  # 2022-01-01
HIGHEST = 200


def record_of(people: int) -> Verdict | None:
    """The verdict on a day after 250 of some forty people, of which every tenth has some buses."""
    counts, random = Counts("swanton", "UTC"), np.random.default_rng(1)
    days = random.negative_binomial(40, 0.5, DAYS)
    days[9::10] = np.linspace(80, HIGHEST, DAYS // 10)[::-1].astype(int)
    counts.series[Cadence.DAY] = Series(Cadence.DAY, KEEP[Cadence.DAY], START, np.append(days, people))
    verdicts = Judge(PLACES).ask(Look.CLOSED, [counts], cadence=Cadence.DAY, index=START + DAYS)
    return next((one for one in verdicts if one.question is Question.RECORD and one.breach), None)


@pytest.mark.parametrize(("people", "is_news"), [(HIGHEST, False), (250, False), (300, True)])
def test_a_record_is_news_far_beyond_the_highest_counts_before(people: int, is_news: bool) -> None:
    """By the baseline alone 250 people have p .0024; beside the high days before they are one more."""
    assert (record_of(people) is not None) == is_news
