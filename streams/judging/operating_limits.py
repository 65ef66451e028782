"""What operators have laid down: the budget of false alarms, known dates, capacities."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from streams.baselines.calendar import Calendar, KnownDate
from streams.baselines.negative_binomial import Floats
from streams.baselines.peer_priors import PeerPrior, PeerPriors
from streams.contract.cadence import Cadence
from streams.contract.controls import Capacity, Confirm, PolicyDate, Sensitivity, StreamControl
from streams.contract.questions import DEFAULT_BUDGET, Question
from streams.contract.sectors import Registry
from streams.counting.sector_counts import Counts
from streams.counting.series import period_at

# Periods in a month.
MONTH: Final = {Cadence.HOUR: 730.0, Cadence.DAY: 30.4, Cadence.WEEK: 4.35, Cadence.MONTH: 1.0}
MOST: Final = 0.01  # alpha never is larger, whatever the budget


def level(question: Question, cadence: Cadence, budget: float) -> float:
    """The p-value of a breach in a period, at a budget of false alarms in a month.

    The level of a question without a share moves with the budget.

    >>> level(Question.SCAN, Cadence.DAY, 0.05), level(Question.SCAN, Cadence.DAY, 0.2)
    (0.001, 0.004)
    """
    entry = question.entry
    if entry.budget_share:
        return min(budget * entry.budget_share / MONTH[cadence], MOST)
    return min(entry.level * budget / DEFAULT_BUDGET, max(entry.level, MOST))


class OperatingLimits:
    """The limits that hold now; controls change them."""

    def __init__(
        self,
        registry: Registry,
        calendar: Calendar,
        *,
        false_alarms_per_month: float,
        peer_priors: PeerPriors | None = None,
    ) -> None:
        self._sectors = registry.by_id
        self._calendar = calendar
        self._policies: dict[str, PolicyDate] = {}
        self._capacities: dict[str, float] = {}
        self._confirmed: dict[str, float] = {}
        self._budgets = {"*": false_alarms_per_month}
        self._default_budget = false_alarms_per_month
        self.peer_priors = peer_priors or PeerPriors()
        self.calendar = calendar  # with the policy dates that came by controls

    def apply(self, control: StreamControl) -> None:
        """Apply a control."""
        match control:
            case PolicyDate():
                self._policies[control.name] = control
                self._date()
            case Capacity():
                self._capacities[control.sector] = control.people_per_day
            case Sensitivity():
                self._budgets[control.sector] = control.false_alarms_per_month
            case Confirm():
                self._confirmed[control.sector] = control.at.timestamp()

    def withdraw(self, key: str) -> None:
        """Withdraw the control of a key: what held before it holds again."""
        kind, _, name = key.partition("/")
        if kind == "policy" and self._policies.pop(name, None) is not None:
            self._date()
        elif kind == "capacity":
            self._capacities.pop(name, None)
        elif kind == "confirm":
            self._confirmed.pop(name, None)
        elif kind == "sensitivity":
            self._budgets.pop(name, None)
            self._budgets.setdefault("*", self._default_budget)

    def alpha(self, sector: str, cadence: Cadence, question: Question) -> float:
        """The level of a question in a sector, per period."""
        return level(question, cadence, self._budgets.get(sector, self._budgets["*"]))

    def alphas(self, sectors: Sequence[Counts], cadence: Cadence, question: Question) -> Floats:
        """The level of a question in each of n sectors [n]."""
        return np.array([self.alpha(counts.sector, cadence, question) for counts in sectors])

    def capacity(self, sector: str) -> float | None:
        """People a day that a sector can take in; None where nobody has set it."""
        known = self._sectors.get(sector)
        return self._capacities.get(sector, known.capacity if known else None)

    def is_zero(self, counts: Counts, as_of: float) -> bool:
        """Return whether a person has confirmed, since the sector's last event, that nobody comes."""
        confirmed = self._confirmed.get(counts.sector)
        return confirmed is not None and counts.data_until < confirmed <= as_of

    def is_closed(self, counts: Counts, hour: int) -> bool:
        """Return whether the calendar has the sector closed on the local day of an hour (since 1970)."""
        return period_at(counts.zone, Cadence.DAY, hour) in self.calendar.closures(counts.sector)

    def border(self, sector: str) -> str:
        """The border of a sector; "" where the registry does not know it."""
        known = self._sectors.get(sector)
        return known.border if known else ""

    def peer_prior(self, sector: str, cadence: Cadence) -> PeerPrior | None:
        """What is normal in sectors like this one, where that is known."""
        return self.peer_priors.of(self.border(sector), cadence)

    def _date(self) -> None:
        self.calendar = self._calendar.with_dates(
            KnownDate(one.date, "policy", one.name, sector)
            for one in self._policies.values()
            for sector in one.sectors
        )
