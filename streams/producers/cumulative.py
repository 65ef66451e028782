"""Sums since the start of the year become the figures of single months."""

from collections import defaultdict
from collections.abc import Iterator

from streams.contract.dead_letters import Reason, Rejected
from streams.producers.figures import Figures, Key
from streams.producers.rows import Skipped


def in_months(figures: Figures) -> Iterator[Rejected | Skipped]:
    """Subtract from each figure the sum up to the month before, in place.

    A month whose month before has no figure is dropped, and so is one whose sum is smaller than that.
    """
    series: defaultdict[Key, list[Key]] = defaultdict(list)
    for key in figures:
        series[key._replace(start=key.start.replace(month=1))].append(key)
    for year in series.values():
        yield from _one_year(figures, sorted(year))


def _one_year(figures: Figures, keys: list[Key]) -> Iterator[Rejected | Skipped]:
    before, month = 0, 0
    for key in keys:
        figure = figures[key]
        so_far = figure.count
        if key.start.month != month + 1:
            del figures[key]
            yield Skipped(figure.number, "a sum of several months: the month before has no figure")
        elif so_far < before:
            del figures[key]
            detail = f"{key.start:%Y-%m}: the sum since January falls from {before:,} to {so_far:,}"
            yield Rejected(figure.number, Reason.INVALID, detail)
        else:
            figure.count = so_far - before
        before, month = so_far, key.start.month
