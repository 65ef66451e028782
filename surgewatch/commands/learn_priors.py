"""`surgewatch learn-priors`: what is normal in the sectors of a history, for sectors without one."""

from collections import Counter
from collections.abc import Iterator
from typing import TextIO

import click

from streams.backtest import scoring
from streams.backtest.history_judge import HistoryJudge
from streams.backtest.history_table import Table
from streams.baselines.calendar import Calendar
from streams.baselines.peer_priors import EVERYWHERE, PeerPrior
from streams.baselines.priors import GROWN
from streams.contract.sectors import Registry
from surgewatch.options.broker import registry_option
from surgewatch.options.history import historic, refuse


@click.command("learn-priors")
@historic
@registry_option
def command(table: Table, dates: Calendar, out: TextIO, places: Registry) -> None:
    """Learn from the counts of FILE (series,period,count) what is normal, by border and in all its series.

    Only series with a year of history count (of hours: three weeks). What is written is for
    SURGEWATCH_PEER_PRIORS: a new sector is taken to be prior the others of its border until its own counts
    show otherwise.
    """
    peer_priors = scoring.learn_peer_priors(_as_sectors(table, places), HistoryJudge(places, dates))
    if not peer_priors.prior:
        refuse(f"no series of {GROWN[table.cadence]:.0f} {table.cadence}s that reaches the end of the file")
    for prior in peer_priors.prior:
        out.write("\n".join(_table(prior)) + "\n\n")


def _as_sectors(table: Table, places: Registry) -> Table:
    """Return the table with the ids of sectors as names of series, where the registry has them."""
    known = {name: places.by_name.get(name.casefold()) for name in table.series}
    ids = {name: sector.id if sector else name for name, sector in known.items()}
    twice = [name for name, times in Counter(ids.values()).items() if times > 1]
    if twice:
        refuse(f"several series are one sector: {', '.join(twice)}")
    return Table(table.cadence, {ids[name]: column for name, column in table.series.items()})


def _table(prior: PeerPrior) -> Iterator[str]:
    """Yield the lines of one table of a TOML document."""
    where = "in all" if prior.border == EVERYWHERE else f"on the {prior.border} border"
    yield f"# {prior.sectors} sectors {where}: {prior.people:,.1f} people a {prior.cadence} in the middle one"
    yield "[[prior]]"
    yield f'border = "{prior.border}"'
    yield f'cadence = "{prior.cadence}"'
    yield f"sectors = {prior.sectors}"
    for name, values in (("centre", prior.centre), ("spread", prior.spread)):
        yield f"{name} = [{', '.join(f'{value:.4g}' for value in values)}]"
    for name in ("dispersion", "slope", "periods"):
        yield f"{name} = {getattr(prior, name):.4g}"
