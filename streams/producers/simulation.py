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
    """A record: when it arrives (epoch seconds), its key, and its content (bytes where it is broken)."""

    at: int
    key: bytes
    content: Mapping[str, Any] | bytes


@dataclass(frozen=True)
class Profile:
    """What arrivals of a flow are drawn from; `fixed` are the fields that all of them share."""

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


def daily_means(profile: Profile) -> tuple[list[dt.date], Floats]:
    """Return the days of the profile's months and the people expected on each; months add up to levels."""
    starts = [dt.date.fromisoformat(f"{month}-01") for month in profile.months]
    end = (starts[-1] + dt.timedelta(days=31)).replace(day=1)
    lengths = np.diff([day.toordinal() for day in (*starts, end)])
    days = np.arange(starts[0].toordinal(), end.toordinal())
    month = np.repeat(np.arange(len(starts)), lengths)
    levels = np.fromiter(profile.months.values(), float)
    means = _smooth(
        days, np.array([day.toordinal() for day in starts]) + lengths / 2, levels / lengths, profile
    )
    means *= np.asarray(profile.weekday)[(days + 6) % 7]  # ordinal 1 was a Monday
    means *= np.divide(levels, np.bincount(month, means), out=np.zeros_like(levels), where=levels > 0)[month]
    return [dt.date.fromordinal(day) for day in days.tolist()], means


def _smooth(days: npt.NDArray[np.int64], middles: Floats, rates: Floats, profile: Profile) -> Floats:
    """Interpolate the rate of each day: geometric between the middles of months, never across a break."""
    edges = [days[0], *sorted(day.toordinal() for day in profile.breaks), days[-1] + 1]
    logs = np.log(rates + 0.01)  # a level of 0 has no logarithm; where it stands, the month's sum makes it 0
    means = np.empty(len(days))
    for first, last in pairwise(edges):
        within = (days >= first) & (days < last)
        nodes = (middles >= first) & (middles < last)
        if not nodes.any():
            nodes = np.arange(len(middles)) == np.argmin(np.abs(middles - (first + last) / 2))
        means[within] = np.exp(np.interp(days[within] + 0.5, middles[nodes], logs[nodes]))
    return means


def arrivals(profile: Profile, prefix: str, *seed: int) -> Iterator[Arrival]:
    """Draw arrivals day by day, one for each group; ids are `prefix` and a running number."""
    rng = np.random.default_rng(seed)
    days, means = daily_means(profile)
    groups = _overdispersed(rng, means / profile.group, profile.dispersion)
    total = int(groups.sum())
    zone = ZoneInfo(profile.time_zone)
    midnights = [int(dt.datetime.combine(day, dt.time(), zone).timestamp()) for day in days]
    hours = rng.choice(24, total, p=_shares(profile.hours)) * HOUR
    moments = np.repeat(midnights, groups) + hours + rng.integers(0, HOUR, total)
    moments.sort()
    sizes = np.minimum(rng.geometric(1 / profile.group, total), LARGEST).tolist()
    citizenship = _drawn(rng, profile.citizenship, total)
    alone, together = _drawn(rng, profile.alone, total), _drawn(rng, profile.together, total)
    key = profile.fixed["sector"].encode()
    for number, (at, size) in enumerate(zip(moments.tolist(), sizes, strict=True)):
        identity = f"{prefix}-{number}"
        content = {
            "event_id": identity,
            "occurred_at": moment(at),
            **profile.fixed,
            "demographic": alone[number] if size == 1 else together[number],
            "citizenship": citizenship[number],
            "count": size,
        }
        if size > 1:
            content["group_id"] = f"g{identity}"
        yield Arrival(at, key, content)


def moment(epoch: float) -> str:
    """Return epoch seconds as they are written on the wire."""
    return dt.datetime.fromtimestamp(epoch, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _overdispersed(rng: np.random.Generator, means: Floats, dispersion: float) -> npt.NDArray[np.int64]:
    """Draw negative binomial counts with variance dispersion x mean (Poisson at 1), as a mixture."""
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
