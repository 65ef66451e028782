"""`surgewatch ack`: acknowledge an alert."""

import datetime as dt

import click

from alerts.notices.controls import Acknowledge
from surgewatch.options.control import control_command


@click.command("ack")
@click.argument("alert")
@control_command
def command(alert: str, by: str, at: dt.datetime, reason: str) -> Acknowledge:
    """Acknowledge ALERT (its id or a unique beginning of it): no reminders from now on."""
    return Acknowledge(by=by, at=at, reason=reason, alert_id=alert)
