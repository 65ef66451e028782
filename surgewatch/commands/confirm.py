"""`surgewatch confirm`: what a silent sector's zeros mean."""

import datetime as dt

import click

from streams.contract.controls import Confirm
from surgewatch.options.control import control_command


@click.command("confirm")
@click.argument("sector")
@click.argument("what", type=click.Choice(["zero"]))
@control_command
def command(sector: str, what: str, by: str, at: dt.datetime, reason: str) -> Confirm:
    """Confirm that nobody comes to SECTOR, from which there is no data: its zeros are true.

    The silence resolves, and the zeros are judged and learnt, until the sector's next event.
    """
    return Confirm(by=by, at=at, reason=reason, sector=sector)
