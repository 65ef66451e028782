"""Is the budget of false alarms held, all questions together, on series as they really are?

    python -m benchmarks.budget [FAMILY ...] [--seeds 10] [--days 1095] [--budget 0.05]

Nothing ever happens in these series, so every first notice is a false alarm. Each family is lived through the
whole pure flow: records, counts, verdicts of sectors and borders, alerts under the shipped policies. Printed
are first notices per sector and month, in times the budget, with a 95 % interval (Poisson, over all seeds),
for all questions together and by question in times the question's share.
"""

import argparse
import datetime as dt
import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from scipy.stats import chi2

from alerts.lifecycle import state_machine
from alerts.lifecycle.alert import Alert, State
from alerts.lifecycle.policies import policies
from streams.contract.questions import Question, Scope
from streams.contract.sectors import Registry, Sector
from streams.contract.verdicts import Verdict
from streams.judging.judge import Judge
from streams.pipelines.border_pipeline import BorderPipeline
from streams.pipelines.sector_pipeline import SectorPipeline
from surgewatch.harness.records import Record

MEANS = np.geomspace(0.3, 1500, 20)  # people a day
START = dt.datetime(2019, 1, 1, tzinfo=dt.UTC)
MONTH = 365.25 / 12
DAY = 86_400
Generator = np.random.Generator
Event = tuple[int, dict[str, Any]]  # second of the day, fields
Days = Iterator[list[Event]]
CITIZENSHIPS = ("HONDURAS", "MEXICO", "INDIA", "OTHER")


def tallies(level: Callable[[Generator, int], Iterator[np.ndarray]], phi: float, means: np.ndarray) -> Any:
    """A family of daily tallies: negative binomial (Poisson at φ 1) about a level that may stray."""

    def days(random: Generator, number: int) -> Days:
        for factor in level(random, number):
            mean = means * factor
            rate = mean if phi == 1 else random.gamma(np.maximum(mean, 1e-9) / (phi - 1), phi - 1)
            counts = random.poisson(rate)
            yield [
                (0, {"sector": f"s{at}", "count": int(count), "period": "day"})
                for at, count in enumerate(counts)
            ]

    return days, len(means)


def steady(random: Generator, number: int) -> Iterator[np.ndarray]:
    """A level that stays."""
    for _ in range(number):
        yield np.ones(1)


def autoregressive(deviation: float, memory: float = 0.9) -> Callable[..., Iterator[np.ndarray]]:
    """A log level that strays from 0 and comes back: AR(1) by the day, of this standard deviation."""

    def level(random: Generator, number: int) -> Iterator[np.ndarray]:
        log = random.normal(0, deviation, len(MEANS))
        for _ in range(number):
            log = memory * log + random.normal(0, deviation * (1 - memory**2) ** 0.5, len(MEANS))
            yield np.exp(log - deviation**2 / 2)

    return level


def random_walk(step: float) -> Callable[..., Iterator[np.ndarray]]:
    """A log level that goes anywhere, slowly."""

    def level(random: Generator, number: int) -> Iterator[np.ndarray]:
        log = np.zeros(len(MEANS))
        for _ in range(number):
            log = log + random.normal(0, step, len(MEANS))
            yield np.exp(log)

    return level


def weather(random: Generator, number: int) -> Iterator[np.ndarray]:
    """Stretches of bad weather, two days of ten, in which a quarter comes; the same for neighbours."""
    bad = False
    for _ in range(number):
        bad = random.random() < (0.5 if bad else 0.125)
        yield np.full(1, 0.25 if bad else 1.19)


def heavy_tailed(random: Generator, number: int) -> Iterator[np.ndarray]:
    """Days that are off by themselves, now and then far: a t of 4 degrees, times .2, on a log scale."""
    for _ in range(number):
        yield np.exp(random.standard_t(4, len(MEANS)) * 0.2 - 0.03)


def closures(random: Generator, number: int) -> Iterator[np.ndarray]:
    """One day of fifty on which a place is closed, and nobody has announced it."""
    for _ in range(number):
        yield np.where(random.random(len(MEANS)) < 0.02, 0.0, 1.0)


def holidays(random: Generator, number: int) -> Iterator[np.ndarray]:
    """One day of thirty on which a fifth to a half comes, everywhere, and nobody has announced it."""
    for _ in range(number):
        part = random.uniform(0.2, 0.5, len(MEANS))
        yield part if random.random() < 1 / 30 else np.ones(1)


def groups(share: float, size: int, means: np.ndarray) -> Any:
    """People in groups, of which a share are buses of one nationality."""
    mean_size = (1 - share) * 1.5 + share * size

    def days(random: Generator, number: int) -> Days:
        for _ in range(number):
            events: list[Event] = []
            for at, mean in enumerate(means):
                for _ in range(random.poisson(mean / mean_size)):
                    people = size if random.random() < share else int(random.geometric(1 / 1.5))
                    events.append(
                        (
                            int(random.integers(DAY)),
                            {
                                "sector": f"s{at}",
                                "count": people,
                                "citizenship": CITIZENSHIPS[random.choice(4, p=[0.4, 0.3, 0.2, 0.1])],
                                "demographic": "family_unit" if people > 1 else "single_adult",
                            },
                        )
                    )
            yield sorted(events, key=lambda event: event[0])

    return days, len(means)


SOME = np.array([5.0, 12.0, 40.0, 40.0, 100.0, 300.0])
FAMILIES: dict[str, Any] = {
    "Poisson": tallies(steady, 1.0, MEANS),
    "negative binomial, phi 2": tallies(steady, 2.0, MEANS),
    "negative binomial, phi 5": tallies(steady, 5.0, MEANS),
    "strays by .05": tallies(autoregressive(0.05), 2.0, MEANS),
    "strays by .10": tallies(autoregressive(0.10), 2.0, MEANS),
    "strays by .15": tallies(autoregressive(0.15), 2.0, MEANS),
    "random walk, .01 a day": tallies(random_walk(0.01), 2.0, MEANS),
    "weather": tallies(weather, 2.0, MEANS),
    "heavy tails": tallies(heavy_tailed, 2.0, MEANS),
    "closures": tallies(closures, 2.0, MEANS),
    "holidays": tallies(holidays, 2.0, MEANS),
    "buses of 50, 3 %": groups(0.03, 50, SOME),
    "buses of 50, 1 %": groups(0.01, 50, SOME),
}


class World:
    """The whole pure flow over some sectors of one border, and the first notices it led to."""

    def __init__(self, sectors: int, budget: float) -> None:
        places = Registry(
            sector=tuple(
                Sector(
                    id=f"s{at}", name=f"S{at}", country="US", border="b", time_zone="UTC",
                    neighbours=tuple(f"s{other}" for other in (at - 1, at + 1) if 0 <= other < sectors),
                )
                for at in range(sectors)
            )
        )  # fmt: skip
        self._places, self._policies = places, policies()
        self._sectors = SectorPipeline(places, Judge(places, false_alarms_per_month=budget))
        self._borders = BorderPipeline(places, false_alarms_per_month=budget)
        self._alerts: dict[str, Alert] = {}
        self._expired = dict.fromkeys(Scope, 0)
        self._offset = 0
        self._fired = set[str]()  # alerts whose first notice is counted
        self.first = Counter[Question]()
        self.noticed = set[tuple[Question, str]]()  # and the sector

    def live(self, day: int, events: list[Event]) -> None:
        """Take a day's events."""
        begin = START + dt.timedelta(days=day)
        appended = int((begin.timestamp() + DAY) * 1000)
        records = []
        for second, fields in events:
            event = {
                "event_id": f"e{self._offset}", "crossing_type": "between_ports", "demographic": "unknown",
                "occurred_at": (begin + dt.timedelta(seconds=second)).isoformat(), **fields,
            }  # fmt: skip
            records.append(Record(self._offset, json.dumps(event).encode(), appended))
            self._offset += 1
        if not records:
            return
        output = self._sectors.process(0, records)
        verdicts = output.verdicts
        closed = [Record(0, one.model_dump_json().encode(), appended) for one in output.summaries]
        if closed:
            verdicts = [*verdicts, *self._borders.process(0, closed).verdicts]
        for verdict in verdicts:
            self._observe(verdict)

    def _observe(self, verdict: Verdict) -> None:
        scope, today = verdict.question.entry.scope, int(verdict.as_of.timestamp()) // DAY
        if today > self._expired[scope]:
            self._expired[scope] = today
            for key, alert in list(self._alerts.items()):
                if alert.question.entry.scope is scope:
                    policy = self._policies.of(alert.question)
                    self._keep(key, state_machine.expire(alert, verdict.as_of, policy))
        key, policy = verdict.question_key, self._policies.of(verdict.question)
        alert = state_machine.step(self._alerts.get(key), verdict, policy, at=verdict.as_of)
        self._keep(key, alert)
        if alert and alert.state is State.FIRING and alert.alert_id not in self._fired:
            self._fired.add(alert.alert_id)
            self.first[verdict.question] += 1
            self.noticed.add((verdict.question, verdict.sector))

    def _keep(self, key: str, alert: Alert | None) -> None:
        if alert is None:
            self._alerts.pop(key, None)
        else:
            self._alerts[key] = alert


def interval(count: int) -> tuple[float, float]:
    """The 95 % interval of a Poisson mean of which `count` was seen (Garwood 1936)."""
    low = chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    return float(low), float(chi2.ppf(0.975, 2 * count + 2) / 2)


def measure(family: str, *, seeds: int, number: int, budget: float) -> str:
    """Live a family through, and return its line."""
    days, sectors = FAMILIES[family]
    first, months = Counter[Question](), 0.0
    for seed in range(1, seeds + 1):
        world = World(sectors, budget)
        for day, events in enumerate(days(np.random.default_rng(seed), number)):
            world.live(day, events)
        first += world.first
        months += sectors * number / MONTH
    total, unit = first.total(), months * budget
    low, high = (bound / unit for bound in interval(total))
    shares = ", ".join(
        f"{question} {count / unit / question.entry.budget_share:.1f}"
        if question.entry.budget_share
        else f"{question} {count / unit:.2f} of all"
        for question, count in first.most_common()
    )
    return f"{family:26} {total / unit:6.2f} [{low:.2f}-{high:.2f}]  {shares}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("family", nargs="*", help="; ".join(FAMILIES).replace("%", "%%"))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--days", type=int, default=1095)
    parser.add_argument("--budget", type=float, default=0.05)
    options = parser.parse_args()
    for family in options.family or FAMILIES:
        line = measure(family, seeds=options.seeds, number=options.days, budget=options.budget)
        print(line, flush=True)


if __name__ == "__main__":
    main()
