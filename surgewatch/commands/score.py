"""`surgewatch score`: what detection would have found in a history, period by period."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TextIO

import click
from rich.console import Console
from rich.progress import Progress

from streams.backtest import history_table, scoring
from streams.backtest.history_judge import HistoryJudge
from streams.backtest.history_table import Table
from streams.baselines.calendar import Calendar
from streams.baselines.peer_priors import PeerPriors
from streams.contract.cadence import Cadence
from streams.contract.sectors import Registry
from streams.contract.toml_documents import load
from streams.judging.operating_limits import MONTH, MOST
from surgewatch.options.history import historic

LARGEST: Final = 0.5  # alpha


class Moment(click.ParamType):
    """A date or time on the command line, ISO 8601."""

    name = "date"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return history_table.moment(value) if isinstance(value, str) else value
        except ValueError:
            self.fail(f"{value!r} is no date or time (ISO 8601)", param, ctx)


@click.command("score")
@historic
@click.option("--from", "start", type=Moment(), help="Score from here on; all before is history.")
@click.option("--as-of", type=Moment(), help="Periods that end later than this are partial.")
@click.option(
    "--alpha", type=click.FloatRange(0, LARGEST, min_open=True), help="Chance of an alarm where nothing is."
)
@click.option("--budget", type=click.FloatRange(0, min_open=True), help="False alarms per series and month.")
@click.option(
    "--peer-priors",
    type=click.Path(path_type=Path),
    help="Peer priors for young series (`surgewatch learn-priors`); by default learnt from FILE.",
)
def command(
    table: Table, dates: Calendar, start: float | None, as_of: float | None,
    alpha: float | None, budget: float | None, peer_priors: Path | None, out: TextIO,
) -> None:  # fmt: skip
    """Score the counts of FILE (series,period,count), each period with what was known before it."""
    if alpha is not None and budget is not None:
        raise click.UsageError("--alpha or --budget, not both: one follows from the other")
    every = table.cadence
    alpha = _alpha(every, alpha, budget)
    first = table.first if start is None else table.index(start)
    judge = HistoryJudge(
        Registry(sector=()), dates, peer_priors=load(peer_priors, PeerPriors) if peer_priors else None
    )
    partial = None if as_of is None else table.index(as_of)
    scorer = scoring.Scorer(table, judge, alpha, first, partial, alike=peer_priors is None)
    scored, alarms = _write(scorer, table, out)
    share = alarms / max(scored, 1)
    click.echo(
        f"{len(table.series):,} series, {scored:,} periods scored at alpha {alpha:.2g}: {alarms:,} alarms"
        f" ({share:.2%}, {share * MONTH[every]:.2f} per series and month; budget {alpha * MONTH[every]:.2f})",
        err=True,
    )


def _alpha(cadence: Cadence, alpha: float | None, budget: float | None) -> float:
    """The chance of a false alarm in a period, as given or as it follows from a budget of them."""
    if alpha is not None:
        return alpha
    if budget is None:
        return {Cadence.HOUR: 0.002}.get(cadence, MOST)
    alpha = budget / MONTH[cadence]
    if alpha > LARGEST:
        raise click.UsageError(f"--budget is at most {LARGEST * MONTH[cadence]:g} by {cadence}")
    if alpha > MOST:
        click.echo(
            f"note: alpha is {alpha:.2g}, as the budget asks; a worker never goes beyond {MOST}", err=True
        )
    return alpha


def _write(scorer: scoring.Scorer, table: Table, out: TextIO) -> tuple[int, int]:
    """Write the scores, in the order of their periods; returns how many, and how many alarms."""
    scored = alarms = 0
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(scoring.COLUMNS)
        task = bar.add_task("scoring", total=table.end - table.first)
        for period in scorer:
            bar.advance(task)
            for one in period:
                if one.p_value is not None:
                    scored, alarms = scored + 1, alarms + one.alarm
                rows.writerow([*_cells(one, table)])
    return scored, alarms


def _cells(one: scoring.Score, table: Table) -> Iterator[object]:
    cells = one._asdict() | {"period": table.label(one.series, one.period), "alarm": int(one.alarm)}
    yield from cells.values()
