"""`surgewatch capacity`: how many people a day a sector can take in."""

import datetime as dt

import click

from streams.contract.controls import Capacity
from surgewatch.options.control import control_command


@click.command("capacity")
@click.argument("sector")
@click.argument("people_per_day", type=float)
@control_command
def command(sector: str, people_per_day: float, by: str, at: dt.datetime, reason: str) -> Capacity:
    """SECTOR can take in PEOPLE_PER_DAY from now on."""
    return Capacity(by=by, at=at, reason=reason, sector=sector, people_per_day=people_per_day)
