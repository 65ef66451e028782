"""`surgewatch policy`: a date on which sectors change their level."""

import datetime as dt

import click

from streams.contract.controls import PolicyDate
from surgewatch.options.control import control_command


@click.command("policy")
@click.argument("name")
@click.option(
    "--date",
    required=True,
    metavar="YYYY-MM-DD",
    help="First day of the new level, in the sector's time zone.",
)
@click.option("--sectors", required=True, help="Ids or globs, separated by commas.")
@control_command
def command(name: str, date: str, sectors: str, by: str, at: dt.datetime, reason: str) -> PolicyDate:
    """From a date on, the baselines of these sectors step to a new level. NAME identifies this date."""
    globs = tuple(part.strip() for part in sectors.split(",") if part.strip())
    return PolicyDate(by=by, at=at, reason=reason, name=name, date=date, sectors=globs)
