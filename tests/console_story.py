"""A winter at the border for the console: Roxham Road and its neighbours, 60 days up to 24 February 2023.

Levels and the size of the surges follow the published months of that winter (RCMP interceptions in Quebec
4,994 in January 2023; US Border Patrol's Swanton sector at ten times the winter before); the days are drawn.
"""

import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from alerts.console.board import Board
from alerts.console.rows import BoardLimits
from alerts.languages.language import ENGLISH, Language
from alerts.lifecycle.alert import Alert, Notice, Reason, Severity, State, alert_id, notice_id
from alerts.lifecycle.policies import policies
from alerts.notices.controls import Acknowledge, Reroute, Silence
from alerts.notices.dead_letters import DeadLetter
from alerts.notices.notices import headline
from alerts.notices.routing import Route
from streams.contract.cadence import Cadence
from streams.contract.controls import Capacity, Control, PolicyDate
from streams.contract.verdicts import Contribution, Evidence, Question, Verdict

LAST = dt.datetime(2023, 2, 24, tzinfo=dt.UTC)
NOW = LAST + dt.timedelta(days=1, hours=1)
SINKS = ("slack", "pagerduty", "webhook-rcmp")
DAYS = 60
SURE = 3.9  # standard deviations on each side of what is normal: 1 in 10,000


@dataclass(frozen=True)
class Place:
    sector: str
    border: str
    level: float  # people a day
    surge: float = 1.0  # how many times the level in the end
    days: int = 0  # for how long
    missing: int = 0  # days at the end without data


PLACES = (
    Place("rcmp-quebec", "northern", 96, 2.2, 19),
    Place("swanton", "northern", 9, 4.6, 26),
    Place("rcmp-british-columbia", "northern", 2.4),
    Place("rcmp-manitoba", "northern", 0.6),
    Place("rcmp-ontario", "northern", 0.9),
    Place("houlton", "northern", 1.4),
    Place("buffalo", "northern", 2.1),
    Place("detroit", "northern", 3.0),
    Place("grand-forks", "northern", 2.3),
    Place("blaine", "northern", 2.2, 4.5, 3),
    Place("spokane", "northern", 1.2),
    Place("havre", "northern", 0.5),
    Place("san-diego", "southwest", 640),
    Place("el-centro", "southwest", 120),
    Place("yuma", "southwest", 410, 0.45, 9),
    Place("tucson", "southwest", 730),
    Place("el-paso", "southwest", 1_040),
    Place("big-bend", "southwest", 62),
    Place("del-rio", "southwest", 900),
    Place("laredo", "southwest", 140),
    Place("rio-grande-valley", "southwest", 520),
    Place("miami", "coastal", 21, 3.2, 6),
    Place("new-orleans", "coastal", 8),
    Place("ramey", "coastal", 4, missing=5),
)


@cache
def days_of(place: Place) -> list[Verdict]:
    """Every day of one place, judged; drawn from a Poisson law widened by a third."""
    chance = np.random.default_rng(sum(place.sector.encode()))
    week = np.array([1.04, 1.05, 1.02, 1.0, 1.0, 0.95, 0.94])
    verdicts = []
    for back in range(DAYS - 1, -1, -1):
        period = LAST - dt.timedelta(days=back)
        expected = place.level * week[period.weekday()]
        ramp = min(1.0, (place.days - back) / 4) if back < place.days else 0.0
        mean = expected * (1 + (place.surge - 1) * ramp)
        observed = float(chance.poisson(mean * chance.gamma(60, 1 / 60)))
        spread = SURE * np.sqrt(expected + (0.13 * expected) ** 2)
        band = (max(0.0, expected - spread), expected + spread)
        verdicts.append(judged(place, period, observed, expected, band))
    return verdicts


def judged(
    place: Place,
    period: dt.datetime,
    observed: float,
    expected: float,
    band: tuple[float, float],
    question: Question = Question.SURGE,
    **more: object,
) -> Verdict:
    breach = not band[0] <= observed <= band[1]
    figures = {
        "observed": observed,
        "expected": round(float(expected), 2),
        "lower": round(float(band[0]), 2),
        "upper": round(float(band[1]), 2),
        "p_value": math.erfc(SURE * abs(observed - expected) / (band[1] - expected) / math.sqrt(2)),
        "alpha": 1e-4,
        "baseline": "regression over 1095 days",
    }
    return Verdict.of(
        question=question,
        sector=place.sector,
        border=place.border,
        cadence=Cadence.DAY,
        period=period,
        as_of=period + dt.timedelta(days=1),
        closed=True,
        breach=breach,
        evidence=Evidence.model_validate({**figures, **more}),
    )


def raised(
    verdict: Verdict, severity: Severity, days: int, state: State = State.FIRING, calms: int = 0
) -> Alert:
    onset = verdict.period - dt.timedelta(days=days - 1)
    return Alert(
        alert_id=alert_id(verdict.question_key, onset),
        question_key=verdict.question_key,
        question=verdict.question,
        sector=verdict.sector,
        border=verdict.border,
        state=state,
        severity=severity,
        onset=onset,
        updated=verdict.as_of,
        worst=verdict,
        latest=verdict,
        breaches=days,
        calms=calms,
    )


def judged_as(verdict: Verdict, question: Question, **evidence: object) -> Verdict:
    """The same day under another question, or with more to say."""
    content = verdict.model_dump(exclude={"verdict_id"})
    return Verdict.of(**{**content, "question": question, "evidence": {**content["evidence"], **evidence}})


def alerts() -> Iterator[Alert]:
    """What stands on the evening of 24 February 2023."""
    last = {place.sector: days_of(place)[-1] for place in PLACES}
    roxham = judged_as(
        last["rcmp-quebec"],
        Question.SURGE,
        record=True,
        remark="nearly all of them at Roxham Road",
        slices=(
            Contribution(name="citizenship=HAITI", observed=71, expected=22),
            Contribution(name="citizenship=VENEZUELA", observed=38, expected=9),
            Contribution(name="demographic=family_unit", observed=112, expected=48),
        ),
        neighbours=(Contribution(name="swanton", observed=last["swanton"].evidence.observed, expected=9),),
        capacity=180,
        full_at=LAST + dt.timedelta(days=2),
    )
    yield raised(roxham, Severity.CRITICAL, 19)
    month = [verdict.evidence for verdict in days_of(PLACES[1])[-26:]]
    rise = judged_as(
        last["swanton"],
        Question.SLOW_RISE,
        observed=sum(day.observed for day in month),
        expected=sum(day.expected for day in month),
        lower=178,
        upper=292,
        p_value=3e-19,
        remark="southbound; began 7 days before the rise at Roxham Road",
        window=26,
    )
    yield raised(rise, Severity.WARNING, 26)
    yield raised(
        judged_as(last["yuma"], Question.DROP, remark="what Yuma lost, Tucson has not gained"),
        Severity.INFO,
        9,
    )
    yield raised(judged_as(last["miami"], Question.SURGE), Severity.WARNING, 6)
    record = {"observed": 13, "expected": 17, "lower": 8, "upper": 27, "record": False}
    yield raised(judged_as(last["houlton"], Question.RECORD, **record), Severity.INFO, 3, calms=2)
    yield raised(judged_as(last["blaine"], Question.SURGE), Severity.INFO, 3, state=State.PENDING)
    yield raised(judged_as(last["del-rio"], Question.SURGE), Severity.INFO, 4, state=State.RESOLVED)


def controls() -> Iterator[Control]:
    """What operators have set."""
    who = {"at": LAST + dt.timedelta(hours=8), "by": "m.tremblay"}
    swanton = next(alert for alert in alerts() if alert.sector == "swanton")
    yield Acknowledge(**who, alert_id=swanton.alert_id, reason="two agents on their way to Champlain")
    yield Silence(
        **who, name="yuma-all", sector="yuma", until=NOW + dt.timedelta(hours=6), reason="sensor work"
    )
    yield PolicyDate(
        **who, name="title-42-ends", date="2023-05-11", sectors=("*",), reason="announced by DHS"
    )
    yield Capacity(**who, sector="rcmp-quebec", people_per_day=180, reason="beds at Lacolle")
    route = Route(name="night", sinks=("pagerduty",), least=Severity.CRITICAL)
    yield Reroute(**who, name="night", route=route, reason="one officer on duty")


def notice_of(alert: Alert) -> Notice:
    return Notice(
        notice_id=notice_id(alert.alert_id, Reason.FIRST, ""),
        alert=alert,
        reason=Reason.FIRST,
        headline=headline(alert, Reason.FIRST),
        text="",
    )


def board(limits: BoardLimits | None = None, language: Language = ENGLISH) -> Board:
    """The whole story on one board, on that evening."""
    full = Board(limits, policies=policies(), sinks=SINKS, clock=NOW.timestamp, language=language)
    for place in PLACES:
        for verdict in days_of(place)[: DAYS - place.missing]:
            full.observe(verdict)
    for number, alert in enumerate(alerts()):
        full.alert(alert)
        for sink in SINKS:
            fails = sink == "webhook-rcmp" and number >= 3
            full.delivery(
                sink,
                notice_of(alert),
                "retry" if fails else "delivered",
                at=LAST + dt.timedelta(hours=15, minutes=7 * number),
                detail="http_503" if fails else "",
            )
    full.add_dead_letter(
        DeadLetter(
            sink="webhook-rcmp",
            notice_id="0b7e4fd21c9a",
            headline="Surge at RCMP Quebec: 204 in 1 day, expected 96 (×2.1)",
            reason="gave up: http_503",
            at=LAST + dt.timedelta(hours=6),
        )
    )
    for control in controls():
        full.control(control)
    return full
