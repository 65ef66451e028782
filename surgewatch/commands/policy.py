"""`surgewatch policy`: a date from which on sectors have a new level."""

import datetime as dt

import click

from streams.contract.controls import PolicyDate
from surgewatch.options.control import controls


@click.command("policy")
@click.argument("name")
@click.option(
    "--date", required=True, metavar="YYYY-MM-DD", help="First day of the new level, by the sector's clock."
)
@click.option("--sectors", required=True, help="Ids or globs, with commas between them.")
@controls
def command(name: str, date: str, sectors: str, by: str, at: dt.datetime, reason: str) -> PolicyDate:
    """From a date on, baselines of these sectors step to a new level. NAME tells this date from others."""
    globs = tuple(part.strip() for part in sectors.split(",") if part.strip())
    return PolicyDate(by=by, at=at, reason=reason, name=name, date=date, sectors=globs)
