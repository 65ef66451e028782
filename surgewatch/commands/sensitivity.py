"""`surgewatch sensitivity`: the budget of false alarms."""

import datetime as dt

import click

from streams.contract.controls import Sensitivity
from surgewatch.options.control import control_command


@click.command("sensitivity")
@click.argument("sector")
@click.argument("false_alarms_per_month", type=float)
@control_command
def command(sector: str, false_alarms_per_month: float, by: str, at: dt.datetime, reason: str) -> Sensitivity:
    """Accept this many false alarms a month in SECTOR ("*": in each sector without its own budget)."""
    return Sensitivity(
        by=by, at=at, reason=reason, sector=sector, false_alarms_per_month=false_alarms_per_month
    )
