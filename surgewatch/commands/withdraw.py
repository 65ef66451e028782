"""`surgewatch withdraw`: take back what was said."""

import datetime as dt

import click

from streams.contract.controls import Withdrawn
from surgewatch.options.control import controls


@click.command("withdraw")
@click.argument("key")
@controls
def command(key: str, by: str, at: dt.datetime, reason: str) -> Withdrawn:
    """Take back the control that stands under KEY (`surgewatch controls` lists them)."""
    return Withdrawn(by=by, at=at, reason=reason, withdraws=key)
