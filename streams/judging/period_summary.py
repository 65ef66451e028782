"""Period summaries: one sector's closed period, for the judge of its border, on the topic `summaries`."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Self

from pydantic import ConfigDict, Field
from scipy.special import ndtri

from streams.contract.cadence import Cadence
from streams.contract.moments import Moment
from streams.contract.reading import Timed
from streams.contract.sectors import Registry
from streams.contract.verdicts import Evidence, Figures, Question, Verdict


class PeriodSummary(Timed):
    """One sector's closed period: observed count, and what is normal there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sector: str
    border: str  # that looks at it: the sector's own, or that of a sector downstream
    cadence: Cadence
    period: Moment  # its start, on the sector's clock
    as_of: Moment
    observed: Annotated[float, Field(ge=0)]
    expected: Annotated[float, Field(ge=0)]
    dispersion: Annotated[float, Field(ge=1)] = (
        1.0  # variance of the count / expected, baseline's error included
    )
    alarm: bool = False  # is it a surge by itself?
    no_data_since: Moment | None = None  # the last event (heartbeat) of a sector without data

    @property
    def event_time(self) -> Moment:
        """The newest moment of event time that the summary refers to."""
        return max(self.period, self.as_of)

    @property
    def index(self) -> int:
        """The index of the period on the sector's clock: the same for all sectors of a border."""
        shift = self.period.utcoffset()
        return self.cadence.index(self.period.timestamp() + (shift.total_seconds() if shift else 0))

    @property
    def figures(self) -> tuple[float, float, float, float]:
        """Observed, expected, dispersion, alarm."""
        return self.observed, self.expected, self.dispersion, self.alarm

    def is_of(self, other: Self) -> bool:
        """Return whether another summary is of the same sector and period."""
        return (self.sector, self.index) == (other.sector, other.index)

    @classmethod
    def of(cls, verdict: Verdict, border: str = "") -> Self | None:
        """Return the summary within a verdict; None where it is not on the count of a closed period."""
        # Without data nothing is known, and the border need not wait: nobody of nobody expected.
        seen = Figures(0.0, 0.0, 0.0, 0.0) if verdict.held else verdict.last_period
        if verdict.question is not Question.SURGE or not verdict.closed or verdict.subject or seen is None:
            return None
        return cls(
            sector=verdict.sector,
            border=border or verdict.border,
            cadence=verdict.cadence,
            period=verdict.period,
            as_of=verdict.as_of,
            observed=seen.observed,
            # Held against the baseline: what neighbours do together must not hide in the level of each.
            expected=seen.expected / verdict.evidence.level,
            dispersion=_dispersion(seen, verdict.evidence),
            alarm=verdict.breach and not verdict.held,
            no_data_since=verdict.evidence.no_data_since if verdict.held else None,
        )


def summaries(verdicts: Iterable[Verdict], registry: Registry) -> Iterator[PeriodSummary]:
    """Return the summaries within some verdicts, one for each border that looks at the sector."""
    for verdict in verdicts:
        for border in registry.audience.get(verdict.sector, ()):
            summary = PeriodSummary.of(verdict, border)
            if summary is not None:
                yield summary


def _dispersion(seen: Figures, evidence: Evidence) -> float:
    """Work the dispersion out from the width of the interval, which leaves alpha on either side."""
    expected = seen.expected / evidence.level
    if expected <= 0 or not 0 < evidence.alpha < 1:
        return 1.0
    deviation = (seen.upper - seen.lower) / (2 * -ndtri(min(evidence.alpha, 0.4)))
    return max(1.0, float(deviation**2 / expected))
