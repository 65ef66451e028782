"""Five sectors of one border in a row, a - b - c - d - e, and what they contribute to it each day."""

import datetime as dt

from streams.contract.cadence import Cadence
from streams.contract.sectors import Registry, Sector
from streams.judging.period_summary import PeriodSummary

IDS = ("a", "b", "c", "d", "e")
MEAN, DISPERSION = 50.0, 2.0
BEGIN = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def in_a_row(upstream: dict[str, tuple[str, ...]] | None = None) -> Registry:
    return Registry(
        sector=tuple(
            Sector(
                id=name,
                name=name.upper(),
                country="US",
                border="south",
                neighbours=tuple(IDS[i] for i in (at - 1, at + 1) if 0 <= i < len(IDS)),
                upstream=(upstream or {}).get(name, ()),
            )
            for at, name in enumerate(IDS)
        )
    )


def summary(
    day: int, sector: str, observed: float, *, expected: float = MEAN, alarm: bool = False
) -> PeriodSummary:
    period = BEGIN + dt.timedelta(days=day)
    return PeriodSummary(
        sector=sector,
        border="south",
        cadence=Cadence.DAY,
        period=period,
        as_of=period + dt.timedelta(days=1),
        observed=observed,
        expected=expected,
        dispersion=DISPERSION,
        alarm=alarm,
    )


def without_data(day: int, sector: str, *, since: int) -> PeriodSummary:
    """Return what a sector contributes of which nothing is heard after the day `since`."""
    until = BEGIN + dt.timedelta(days=since + 1)
    return summary(day, sector, 0.0, expected=0.0).model_copy(update={"no_data_since": until})
