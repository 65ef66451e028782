"""A history is scored as it would have been lived."""

import datetime as dt
from itertools import chain

import numpy as np

from streams.backtest.history_judge import HistoryJudge
from streams.backtest.history_table import Column, Table
from streams.backtest.scoring import Score, Scorer
from streams.contract.cadence import Cadence
from streams.contract.sectors import Registry

START = Cadence.DAY.index(dt.datetime(2020, 1, 6, tzinfo=dt.UTC).timestamp())


def _table(counts: dict[str, np.ndarray]) -> Table:
    return Table(
        Cadence.DAY,
        {name: Column(START, values, np.ones(len(values), bool)) for name, values in counts.items()},
    )


def _scores(table: Table, partial: int | None = None) -> list[Score]:
    scorer = Scorer(table, HistoryJudge(Registry(sector=())), 0.01, table.first, partial)
    return list(chain.from_iterable(scorer))


def _series(seed: int, length: int = 120, mean: float = 20) -> np.ndarray:
    return np.random.default_rng(seed).negative_binomial(mean, 0.5, length).astype(np.int64)


def test_the_scores_of_a_prefix_are_the_prefix_of_the_scores() -> None:
    whole = {"a": _series(1), "b": _series(2)}
    whole["a"][80:84] *= 4
    prefix = {name: values[:90] for name, values in whole.items()}
    assert _scores(_table(prefix)) == [one for one in _scores(_table(whole)) if one.period < START + 90]


def test_the_order_of_series_changes_no_score() -> None:
    there = {"a": _series(1), "b": _series(2), "c": _series(3)}
    back = dict(reversed(there.items()))
    assert sorted(_scores(_table(there))) == sorted(_scores(_table(back)))


def test_a_surge_is_an_alarm_with_its_reason() -> None:
    values = _series(4)
    values[100] = 120
    found = next(one for one in _scores(_table({"a": values})) if one.period == START + 100)
    assert found.alarm
    assert "expected" in found.reason


def test_a_gap_a_zero_nobody_reported_and_an_open_period_are_distinguished() -> None:
    table = _table({"a": _series(5, mean=40)})
    column = table.series["a"]
    column.known[70], column.values[70] = False, 0
    column.values[80] = 0
    status = {one.period - START: one.status for one in _scores(table, partial=START + 119)}
    assert (status[70], status[80], status[90], status[119]) == ("gap", "unreported", "closed", "partial")
