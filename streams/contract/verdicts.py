"""Verdicts: what `streams` publishes and `alerts` reads. One judged question with its evidence.

A verdict is calm or a breach. Its id is made of what was asked and on which occasion, never of what was
found: a replay, or another processor whose last digits differ, gives the same verdict the same id.
"""

import hashlib
from enum import StrEnum
from typing import Annotated, NamedTuple, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from streams.contract.cadence import Cadence
from streams.contract.moments import Moment
from streams.contract.questions import Question as Question
from streams.contract.reading import Timed


class DataStatus(StrEnum):
    """Whether a sector has data. A count of 0 means nobody only where it has, or where it is closed."""

    WITH_DATA = "with_data"
    WITHOUT_DATA = "without_data"  # silent for longer than chance allows, and nobody has explained it
    CLOSED = "closed"  # by a closure in the calendar


Probability = Annotated[float, Field(ge=0, le=1)]


def _rounded(value: float) -> float:
    """Round to six digits, which is more than counts justify; whole numbers stay as they are."""
    return value if value.is_integer() else float(f"{value:.6g}")


Figure = Annotated[float, AfterValidator(_rounded)]
PValue = Annotated[Probability, AfterValidator(_rounded)]


Text = Annotated[str, Field(max_length=200)]  # an id or a name: alerts, state and messages repeat it


class Contribution(BaseModel):
    """One slice or neighbour and its part in what was seen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str  # "citizenship=HAITI", or the id of a neighbouring sector
    observed: Figure
    expected: Figure


class Evidence(BaseModel):
    """Why: observed and expected count, and how sure. Counts are of people in the window."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    observed: Figure
    expected: Figure
    lower: Figure  # central interval of the expected count at the verdict's alpha
    upper: Figure
    p_value: PValue
    alpha: PValue
    window: Annotated[int, Field(ge=1)] = 1  # periods, the last of them being the verdict's
    period_lower: Figure | None = None  # the interval of that last one alone
    period_upper: Figure | None = None
    share_reported: Annotated[float, Field(gt=0, le=1)] = (
        1.0  # of the window's events, by the reporting delay
    )
    share_late: Probability = 0.0  # of the window's people, those who became known after their period
    tally: bool = False  # counts are totals of whole periods: of an open one too, so far as they have come
    level: Figure = 1.0  # where the series' own level is now, times the baseline; `expected` is at this level
    baseline: str = ""  # "regression over 1095 days", "level over 28 days", "prior of like sectors"
    down_weighted: int = 0  # past periods that the fit held to be surges
    since: Moment | None = None  # start of the first period of this run of breaches
    last_as_high: Moment | None = None  # None with record=True: never before
    record: bool = False
    slices: tuple[Contribution, ...] = ()
    neighbours: tuple[Contribution, ...] = ()
    recent: tuple[float, ...] = ()  # observed in the last periods, oldest first: the sparkline
    recent_expected: tuple[float, ...] = ()
    capacity: Figure | None = None
    full_at: Moment | None = None
    no_data_since: Moment | None = None  # the last event (heartbeat) of a sector without data
    source: str = ""  # whose heartbeats have stopped, or are back
    remark: str = ""  # one clause beyond the figures: "upstream Del Rio led by 9 days"


class Figures(NamedTuple):
    """One period: people seen and expected, and the interval of what is normal."""

    observed: float
    expected: float
    lower: float
    upper: float


class Verdict(Timed):
    """One judged question about one sector (or border), for one period of event time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    verdict_id: Text
    question: Question
    sector: Text
    subject: Text = ""  # what within the sector: "" is the whole, else a slice such as "citizenship=HAITI"
    border: Text = ""
    cadence: Cadence
    period: Moment  # start of the judged period
    as_of: Moment  # how far event time had come
    closed: bool  # False: the period was still filling
    breach: bool
    evidence: Evidence
    data: DataStatus = DataStatus.WITH_DATA  # of the sector in that period

    @property
    def event_time(self) -> Moment:
        """The newest moment of event time that the verdict refers to."""
        return max(self.period, self.as_of)

    @property
    def held(self) -> bool:
        """Whether nothing could be judged, because the sector is without data: what stood before stands."""
        return self.data is DataStatus.WITHOUT_DATA and self.question is not Question.SILENCE

    @property
    def is_whole(self) -> bool:
        """Whether its counts are of whole periods: the last one is over, or known by a tally."""
        return self.closed or self.evidence.tally

    @property
    def question_key(self) -> str:
        """What stays the same from verdict to verdict while one trouble lasts."""
        return "|".join((self.question, self.sector, self.subject, self.cadence))

    @property
    def last_period(self) -> Figures | None:
        """The judged period by itself, however long the window is; None where it was not looked at alone."""
        seen = self.evidence
        if self.held:
            return None
        if seen.window == 1:
            return Figures(seen.observed, seen.expected, seen.lower, seen.upper)
        if (
            seen.period_lower is None
            or seen.period_upper is None
            or not seen.recent
            or not seen.recent_expected
        ):
            return None
        return Figures(seen.recent[-1], seen.recent_expected[-1], seen.period_lower, seen.period_upper)

    @classmethod
    def of(cls, occasion: str = "", **content: object) -> Self:
        """Build a verdict and derive its id.

        `occasion` tells looks at one period apart that are taken at one moment: the revision of a closed
        period; the kind of look at an open one, and the people who were in it.
        """
        bare = cls.model_validate({"verdict_id": "", **content})
        period, as_of = (str(int(at.timestamp())) for at in (bare.period, bare.as_of))
        asked = (bare.question_key, period, as_of, "closed" if bare.closed else "open", occasion)
        digest = hashlib.blake2b("\0".join(asked).encode(), digest_size=12).hexdigest()
        return bare.model_copy(update={"verdict_id": digest})
