"""`surgewatch sensitivity`: the budget of false alarms."""

import datetime as dt

import click

from streams.contract.controls import Sensitivity
from surgewatch.options.control import controls


@click.command("sensitivity")
@click.argument("sector")
@click.argument("false_alarms_per_month", type=float)
@controls
def command(sector: str, false_alarms_per_month: float, by: str, at: dt.datetime, reason: str) -> Sensitivity:
    """Accept so many false alarms a month from SECTOR ("*": from each one that has no budget of its own)."""
    return Sensitivity(
        by=by, at=at, reason=reason, sector=sector, false_alarms_per_month=false_alarms_per_month
    )
