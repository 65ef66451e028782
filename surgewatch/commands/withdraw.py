"""`surgewatch withdraw`: withdraw a control."""

import datetime as dt

import click

from streams.contract.controls import Withdrawn
from surgewatch.options.control import control_command


@click.command("withdraw")
@click.argument("key")
@control_command
def command(key: str, by: str, at: dt.datetime, reason: str) -> Withdrawn:
    """Withdraw the control under KEY (`surgewatch controls` lists them)."""
    return Withdrawn(by=by, at=at, reason=reason, withdraws=key)
