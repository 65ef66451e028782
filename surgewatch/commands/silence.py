"""`surgewatch silence`: send no notices about a sector for a while."""

import datetime as dt

import click

from alerts.notices.controls import Silence
from surgewatch.options.control import control_command


@click.command("silence")
@click.argument("sector")
@click.option("--hours", type=click.FloatRange(0, 24 * 90, min_open=True), default=8.0, show_default=True)
@click.option("--question", default="*", help="Only this question (surge, drop, ...).")
@control_command
def command(sector: str, hours: float, question: str, by: str, at: dt.datetime, reason: str) -> Silence:
    """Send no notices about SECTOR (an id or glob) for some hours. Alerts go on.

    When the silence ends, what still stands is notified.
    """
    name = f"{sector}-{question}".replace("*", "all")[:64]
    until = at + dt.timedelta(hours=hours)
    return Silence(by=by, at=at, reason=reason, name=name, sector=sector, question=question, until=until)
