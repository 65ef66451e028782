"""From monthly levels to single arrivals: groups, over-dispersed days, weekly and daily rhythm."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from streams.contract.cadence import HOUR

LARGEST = 40  # people in a group
Floats = npt.NDArray[np.float64]


class Arrival(NamedTuple):
    """A record on its way: when it arrives (epoch seconds), its key, and what it tells."""

    at: int
    key: bytes
    told: Mapping[str, Any] | bytes


@dataclass(frozen=True)
class Manner:
    """All that is to be known of a flow to draw its arrivals; `fixed` are fields that are always the same."""

    fixed: Mapping[str, str]
    time_zone: str
    months: Mapping[str, float]
    breaks: Sequence[dt.date]
    weekday: Sequence[float]
    hours: Sequence[float]
    group: float
    dispersion: float
    citizenship: Mapping[str, float]
    alone: Mapping[str, float]
    together: Mapping[str, float]


def daily_means(manner: Manner) -> tuple[list[dt.date], Floats]:
    """Each day of the flow's months, and the people expected on it; months add up to their levels."""
    starts = [dt.date.fromisoformat(f"{month}-01") for month in manner.months]
    end = (starts[-1] + dt.timedelta(days=31)).replace(day=1)
    lengths = np.diff([day.toordinal() for day in (*starts, end)])
    days = np.arange(starts[0].toordinal(), end.toordinal())
    month = np.repeat(np.arange(len(starts)), lengths)
    levels = np.fromiter(manner.months.values(), float)
    means = _smooth(
        days, np.array([day.toordinal() for day in starts]) + lengths / 2, levels / lengths, manner
    )
    means *= np.asarray(manner.weekday)[(days + 6) % 7]  # ordinal 1 was a Monday
    means *= np.divide(levels, np.bincount(month, means), out=np.zeros_like(levels), where=levels > 0)[month]
    return [dt.date.fromordinal(day) for day in days.tolist()], means


def _smooth(days: npt.NDArray[np.int64], middles: Floats, rates: Floats, manner: Manner) -> Floats:
    """The rate of each day: geometric between the middles of months, flat up to a break and from it on."""
    edges = [days[0], *sorted(day.toordinal() for day in manner.breaks), days[-1] + 1]
    logs = np.log(rates + 0.01)  # a level of 0 has no logarithm; where it stands, the month's sum makes it 0
    means = np.empty(len(days))
    for first, last in pairwise(edges):
        within = (days >= first) & (days < last)
        nodes = (middles >= first) & (middles < last)
        if not nodes.any():
            nodes = np.arange(len(middles)) == np.argmin(np.abs(middles - (first + last) / 2))
        means[within] = np.exp(np.interp(days[within] + 0.5, middles[nodes], logs[nodes]))
    return means


def arrivals(manner: Manner, prefix: str, *seed: int) -> Iterator[Arrival]:
    """Draw the flow's arrivals, a group each, day by day; ids are `prefix` and a running number."""
    rng = np.random.default_rng(seed)
    days, means = daily_means(manner)
    groups = _overdispersed(rng, means / manner.group, manner.dispersion)
    total = int(groups.sum())
    zone = ZoneInfo(manner.time_zone)
    midnights = [int(dt.datetime.combine(day, dt.time(), zone).timestamp()) for day in days]
    hours = rng.choice(24, total, p=_shares(manner.hours)) * HOUR
    moments = np.repeat(midnights, groups) + hours + rng.integers(0, HOUR, total)
    moments.sort()
    sizes = np.minimum(rng.geometric(1 / manner.group, total), LARGEST).tolist()
    citizenship = _drawn(rng, manner.citizenship, total)
    alone, together = _drawn(rng, manner.alone, total), _drawn(rng, manner.together, total)
    key = manner.fixed["sector"].encode()
    for number, (at, size) in enumerate(zip(moments.tolist(), sizes, strict=True)):
        identity = f"{prefix}-{number}"
        told = {
            "event_id": identity,
            "occurred_at": moment(at),
            **manner.fixed,
            "demographic": alone[number] if size == 1 else together[number],
            "citizenship": citizenship[number],
            "count": size,
        }
        if size > 1:
            told["group_id"] = f"g{identity}"
        yield Arrival(at, key, told)


def moment(epoch: float) -> str:
    """Epoch seconds as they are written on the wire."""
    return dt.datetime.fromtimestamp(epoch, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _overdispersed(rng: np.random.Generator, means: Floats, dispersion: float) -> npt.NDArray[np.int64]:
    """Negative binomial counts with variance dispersion x mean (Poisson at 1), drawn as a mixture."""
    if dispersion > 1:
        means = rng.gamma(means / (dispersion - 1), dispersion - 1)
    return rng.poisson(means)


def _shares(weights: Sequence[float]) -> Floats:
    array = np.asarray(weights, float)
    shares: Floats = array / array.sum()
    return shares


def _drawn(rng: np.random.Generator, shares: Mapping[str, float], size: int) -> list[str]:
    names = list(shares)
    chosen = rng.choice(len(names), size, p=_shares(list(shares.values())))
    return [names[index] for index in chosen.tolist()]
