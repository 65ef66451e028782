"""`surgewatch ack`: acknowledge an alert."""

import datetime as dt

import click

from alerts.lifecycle.alert import Assessment
from alerts.notices.controls import Acknowledge
from surgewatch.options.control import control_command

FOUND = tuple(one.replace("_", "-") for one in Assessment)


@click.command("ack")
@click.argument("alert")
@click.option("--as", "found", type=click.Choice(FOUND), help="What it was found to be.")
@control_command
def command(alert: str, found: str | None, by: str, at: dt.datetime, reason: str) -> Acknowledge:
    """Acknowledge ALERT (its id or a unique beginning of it): no reminders from now on."""
    assessment = Assessment(found.replace("-", "_")) if found else None
    return Acknowledge(by=by, at=at, reason=reason, alert_id=alert, assessment=assessment)
