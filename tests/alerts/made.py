"""Verdicts made for tests: one sector, one question, day after day."""

import datetime as dt

from streams.contract.cadence import Cadence
from streams.contract.verdicts import Contribution, Evidence, Question, Verdict

FIRST_DAY = dt.datetime(2023, 1, 1, tzinfo=dt.UTC)


def verdict(
    day: int,
    *,
    breach: bool,
    observed: float = 90,
    expected: float = 30,
    closed: bool = True,
    question: Question = Question.SURGE,
    sector: str = "swanton",
    border: str = "northern",
    p_value: float = 1e-5,
    **evidence: object,
) -> Verdict:
    """A verdict on the day that many days after the first."""
    period = FIRST_DAY + dt.timedelta(days=day)
    return Verdict.of(
        question=question,
        sector=sector,
        border=border,
        cadence=Cadence.DAY,
        period=period,
        as_of=period + dt.timedelta(days=1 if closed else 0.5),
        closed=closed,
        breach=breach,
        evidence=Evidence.model_validate(
            {
                "observed": observed if breach else expected,
                "expected": expected,
                "lower": 15,
                "upper": 50,
                "p_value": p_value if breach else 0.5,
                "alpha": 0.001,
                "baseline": "regression over 700 days",
                "recent": (30.0,) * 27 + (observed,),
                "slices": (Contribution(name="citizenship=HAITI", observed=40, expected=10),)
                if breach
                else (),
                **evidence,
            }
        ),
    )


def outage(sector: str, day: int = 0, *, breach: bool = True, source: str = "customs") -> Verdict:
    """A verdict on a source: it has stopped, or it sends again."""
    since = FIRST_DAY + dt.timedelta(hours=20) if breach else None
    return verdict(
        day,
        breach=breach,
        question=Question.SILENCE,
        sector=sector,
        source=source,
        no_data_since=since,
        recent=(),
    )
