"""The detection suites, made anew from their descriptions by a seed.

weekly: the 42 scenarios of Noufaily et al. 2013, Stat Med 32:1206, with the outbreaks of Bédubourg & Le
Strat 2017, PLoS ONE 12:e0181227. daily: the 16 signals of Noufaily et al. 2019, Bioinformatics 35:3110, years
of 364 days. hourly and regime are ours: one profile of the day and the week, a level that strays, and a date
on which the level changes for good.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.baselines.calendar import KnownDate
from streams.contract.cadence import Cadence

Integers = NDArray[np.int64]
Floats = NDArray[np.float64]
Generator = np.random.Generator

MONDAY: Final = dt.date(2012, 1, 2)  # the first day of every suite


class Case(NamedTuple):
    """One series: its counts, and how many of them are of the surge to be found."""

    group: str
    counts: Integers
    surge: Integers  # nothing but zeros where there is no surge


@dataclass(frozen=True)
class Suite:
    """Series to be scored from period `first` on."""

    cadence: Cadence
    first: int
    alpha: float
    lead: int  # periods that are early
    cases: list[Case] = field(default_factory=list)
    dates: tuple[KnownDate, ...] = ()


def negative_binomial(random: Generator, mean: Floats, phi: float) -> Integers:
    """Counts of variance φ·mean; Poisson at φ 1."""
    return random.poisson(mean if phi == 1 else random.gamma(mean / (phi - 1), phi - 1))


def _spread(random: Generator, start: int, people: int, length: int, *, step: float) -> Integers:
    """People of an outbreak from `start` on: log-normal over periods of length `step`."""
    at = start + np.floor(random.lognormal(0.0, 0.5, people) / step).astype(int)
    return np.bincount(at[at < length], minlength=length)


def _season(phase: Floats, harmonics: int, cosine: float, sine: float) -> Floats:
    """Pairs of harmonics that all have the same two coefficients."""
    pairs = ((np.cos(j * phase), np.sin(j * phase)) for j in range(1, harmonics + 1))
    return sum((cosine * c + sine * s for c, s in pairs), np.zeros_like(phase))


# Level, trend, cosine and sine of the season, dispersion.
WEEKLY: Final = (
    (0.1, 0.0025, 0.6, 0.6, 1.5),
    (-2.0, 0.005, 0.1, 0.3, 2.0),
    (1.5, 0.003, 0.2, -0.4, 1.0),
    (0.5, 0.002, 0.5, 0.5, 5.0),
    (2.5, 0.001, 1.0, 0.1, 3.0),
    (3.75, 0.001, 0.1, -0.1, 1.1),
    (5.0, 0.0001, 0.05, 0.01, 1.2),
)
WEEKS, PAST, NOW = 624, 312, 575
PAST_SIZES: Final = (0, 2, 3, 5, 10)  # of the four outbreaks in the past, in standard deviations


def weekly(seed: int, repeats: int = 5) -> Suite:
    """42 scenarios; each series once without and once with an outbreak in its last 49 weeks."""
    random, suite = np.random.default_rng(seed), Suite(Cadence.WEEK, NOW, 0.01, 1)
    week = np.arange(1, WEEKS + 1)
    scenarios = product(WEEKLY, (0, 1), (0, 1, 2))
    for number, ((level, trend, cosine, sine, phi), has_trend, harmonics) in enumerate(scenarios):
        season = _season(2 * np.pi * week / 52, harmonics, cosine, sine)
        mean = np.exp(level + trend * has_trend * week + season)
        for repeat in range(number + seed * repeats, number + seed * repeats + repeats):
            base = negative_binomial(random, mean, phi)
            for start in random.integers(PAST, NOW, 4):
                people = random.poisson(PAST_SIZES[repeat % 5] * np.sqrt(phi * mean[start]))
                base = base + _spread(random, start, people, WEEKS, step=1.0)
            start = random.integers(NOW, WEEKS - 1)
            people = 0
            while people < 2:
                people = random.poisson((1 + repeat % 10) * np.sqrt(phi * mean[start]))
            surge = _spread(random, start, people, WEEKS, step=1.0)
            suite.cases.append(Case(f"scenario {number + 1}", base, np.zeros_like(surge)))
            suite.cases.append(Case(f"scenario {number + 1}", base + surge, surge))
    return suite


class Signal(NamedTuple):
    """A signal of the daily suite: log mean, as in the paper, and what is particular to it."""

    week: int  # days in the week on which it has counts
    level: float
    yearly: tuple[int, float, float]  # harmonics, cosine, sine
    weekly: tuple[int, float, float]
    phi: float
    shift: int
    trend: float = 0.0
    divisor: int = 1  # counts are made larger by this, and divided
    seasonal: tuple[int, int, int] | None = None  # an outbreak each year: first and last day of start, size
    seasonal_like: int | None = None  # the size is in standard deviations of this signal


DAILY: Final = (
    Signal(7, 6.0, (1, 0.2, 0.2), (2, 0.5, 0.4), 2.0, 29),
    Signal(7, 0.5, (1, 1.5, 1.4), (2, 0.5, 0.4), 1.0, -167),
    Signal(7, 5.5, (0, 0.0, 0.0), (2, 0.3, 0.25), 1.0, 1),
    Signal(7, 2.0, (0, 0.0, 0.0), (2, 0.3, 0.25), 1.0, 1),
    Signal(5, 6.0, (1, 0.3, 2.0), (1, 0.3, 0.5), 1.5, -50, divisor=10, seasonal=(0, 20, 3 * 5 * 80)),
    Signal(5, 1.0, (1, 0.1, 2.0), (1, 0.05, 0.05), 1.0, -50, seasonal=(0, 20, 3 * 5 * 50)),
    Signal(5, 6.0, (0, 0.0, 0.0), (1, 0.6, 0.9), 1.5, 0, trend=0.0001, divisor=10),
    Signal(5, 3.0, (1, 1.5, 0.1), (1, 0.2, 0.3), 1.0, -150),
    Signal(5, 3.0, (1, 0.2, 0.1), (1, 0.05, 0.15), 1.0, -200),
    Signal(5, 5.0, (1, 0.2, 0.1), (1, 0.05, 0.1), 1.0, 0),
    Signal(5, 0.5, (2, 0.4, 0.0), (1, 0.05, 0.15), 1.0, 0),
    Signal(5, 9.0, (1, 0.5, 0.2), (1, 0.2, 0.5), 1.0, 0, divisor=100),
    Signal(7, 2.0, (1, 0.8, 0.8), (2, 0.8, 0.4), 4.0, 57, trend=0.0005),
    Signal(7, 0.05, (4, 0.01, 0.01), (1, 1.8, 0.1), 1.0, -85),
    Signal(7, 3.0, (1, 0.8, 0.6), (2, 0.8, 0.4), 4.0, 29, seasonal=(210, 230, 3 * 7 * 150), seasonal_like=5),
    Signal(7, 6.0, (0, 0.0, 0.0), (2, 0.8, 0.4), 4.0, 1),
)
YEARS, FIRST_DAY = 7, 2205
HOLIDAYS: Final = (1, 92, 95, 127, 148, 239, 359, 360)  # days of the year, from 1
SIZES: Final = (2, 3, 5, 10)
# People of an outbreak come on weekends, or at the beginning of a working week.
OUTBREAK_WEIGHTS: Final = {7: np.array([1, 1, 1, 1, 1, 2, 2]), 5: np.array([1.5, 1.1, 1, 1, 1.1])}


def daily(seed: int, repeats: int = 1) -> Suite:
    """16 signals with outbreaks of four sizes in their last 49 weeks."""
    random = np.random.default_rng(seed)
    starts = [364 * year + day - 1 for year in range(YEARS) for day in HOLIDAYS]
    dates = tuple(KnownDate(MONDAY + dt.timedelta(days=at), "holiday", "bank holiday") for at in starts)
    suite = Suite(Cadence.DAY, FIRST_DAY, 0.01, 3, dates=dates)
    for (number, signal), size, _ in product(enumerate(DAILY), SIZES, range(repeats)):
        suite.cases.append(_daily(random, signal, size, holidays=starts, name=f"signal {number + 1}"))
    return suite


def _daily(random: Generator, signal: Signal, size: int, *, holidays: list[int], name: str) -> Case:
    length = 52 * signal.week * YEARS
    mean = _daily_mean(signal, np.arange(1, length + 1))
    base = np.rint(negative_binomial(random, mean, signal.phi) / signal.divisor).astype(int)
    if signal.seasonal:
        first, last, many = signal.seasonal
        like = signal if signal.seasonal_like is None else DAILY[signal.seasonal_like]
        for year in range(YEARS):
            start = year * 52 * signal.week + random.integers(first, last)
            people = random.poisson(many * _deviation(like, np.array([start + 1]))[0] / like.divisor)
            base = base + _spread(random, start, people, length, step=0.02)
    start = random.integers(length - 49 * signal.week, length - signal.week)
    deviation = _deviation(signal, np.array([start + 1]))[0] / signal.divisor
    people = max(random.poisson(deviation * size * signal.week), 2)
    surge = _spread(random, start, people, length, step=0.25)
    surge = np.rint(surge * OUTBREAK_WEIGHTS[signal.week][np.arange(length) % signal.week]).astype(int)
    counts = base + surge
    if signal.week == 5:
        whole = np.arange(length) + np.arange(length) // 5 * 2  # the place of a working day in the calendar
        counts, surge = (_at(values, whole, length // 5 * 7) for values in (counts, surge))
    return Case(name, _on_holidays(counts, holidays, signal.week), surge)


def _deviation(signal: Signal, day: Integers) -> Floats:
    return np.asarray(np.sqrt(_daily_mean(signal, day) * signal.phi))


def _daily_mean(signal: Signal, day: Integers) -> Floats:
    moved = (day + signal.shift).astype(float)
    yearly = _season(2 * np.pi * moved / (52 * signal.week), *signal.yearly)
    weekly_ = _season(2 * np.pi * moved / signal.week, *signal.weekly)
    return np.exp(signal.level + signal.trend * moved + yearly + weekly_)


def _at(values: Integers, places: Integers, length: int) -> Integers:
    out = np.zeros(length, int)
    out[places] = values
    return out


def _on_holidays(counts: Integers, holidays: list[int], week: int) -> Integers:
    """Twice as many people where every day is worked, else nobody, and more on the day after."""
    counts = counts.copy()
    for at in holidays:
        if week == 7:
            counts[at] *= 2
        elif counts[at]:
            counts[at], counts[at + 1] = 0, round(1.5 * counts[at + 1])
    return counts


WEEKDAYS: Final = np.array([1.0, 1.06, 1.12, 1.06, 1.01, 0.87, 0.88])
HOURS: Final = 120 * 24
LEVELS, LENGTHS, RATES = (0.5, 2.0, 10.0, 40.0, 150.0), (3, 6, 12, 24), (1.0, 2.0, 4.0)


def hourly(seed: int, repeats: int = 1) -> Suite:
    """120 days of hours; each series once without and once with a surge in its last 30 days."""
    random, suite = np.random.default_rng(seed), Suite(Cadence.HOUR, 24 * 90, 0.002, 3)
    hour = np.arange(HOURS)
    phase = 2 * np.pi * (hour % 24 - 5) / 24
    profile = (1 + 0.7 * np.cos(phase) + 0.25 * np.cos(2 * phase)) * WEEKDAYS[hour // 24 % 7]
    for people, length, rate, _ in product(LEVELS, LENGTHS, RATES, range(repeats)):
        mean = people / 24 * profile * np.repeat(np.exp(_level(random, HOURS // 24, 0.13, 0.95)), 24)
        base = negative_binomial(random, mean, 1.5)
        start = random.integers(24 * 91, HOURS - length)
        lasts = (hour >= start) & (hour < start + length)
        more = np.where(lasts, random.poisson(rate * mean), 0)
        suite.cases.append(Case(f"{people:g} a day", base, np.zeros(HOURS, int)))
        suite.cases.append(Case(f"{people:g} a day", base + more, lasts.astype(int)))
    return suite


def _level(random: Generator, days: int, deviation: float, memory: float) -> Floats:
    """A log level that strays from 0 and comes back: AR(1) by the day."""
    level = np.empty(days)
    level[0] = random.normal(0, deviation)
    for day in range(1, days):
        level[day] = memory * level[day - 1] + random.normal(0, deviation * (1 - memory**2) ** 0.5)
    return level


REGIME_DAYS, CHANGE = 1456, 1260
CHANGES: Final = {"steady": 1.0, "down": 0.4, "up": 2.5}


def regime(seed: int, repeats: int = 20, *, announced: bool = True) -> Suite:
    """60 people a day, and a date on which the level changes for good; half of the series surge after."""
    random, day = np.random.default_rng(seed), np.arange(REGIME_DAYS)
    on = MONDAY + dt.timedelta(days=CHANGE)
    dates = (KnownDate(on, "policy", "step", "up-*"), KnownDate(on, "policy", "step", "down-*"))
    suite = Suite(Cadence.DAY, 1092, 0.01, 5, dates=dates if announced else ())
    season = 60 * np.exp(0.22 * np.cos(2 * np.pi * day / 364)) * WEEKDAYS[day % 7]
    for (name, change), has_surge, _ in product(CHANGES.items(), (False, True), range(repeats)):
        start = random.integers(CHANGE + 30, REGIME_DAYS - 8)
        lasts = has_surge & (day >= start) & (day < start + 5)
        mean = season * np.where(day >= CHANGE, change, 1.0) * np.where(lasts, 1.8, 1.0)
        suite.cases.append(Case(name, negative_binomial(random, mean, 3.0), lasts.astype(int)))
    return suite


SUITES: Final[dict[str, Callable[[int], Suite]]] = {
    "weekly": weekly,
    "daily": daily,
    "hourly": hourly,
    "regime": regime,
    "regime-unannounced": lambda seed: regime(seed, announced=False),
}


def names(suite: Suite) -> Iterator[str]:
    """The names of the series of a suite, in order; their group comes first."""
    return (f"{case.group}-{at:04d}" for at, case in enumerate(suite.cases))
