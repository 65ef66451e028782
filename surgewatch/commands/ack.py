"""`surgewatch ack`: somebody takes care of an alert."""

import datetime as dt

import click

from alerts.notices.controls import Acknowledge
from surgewatch.options.control import controls


@click.command("ack")
@click.argument("alert")
@controls
def command(alert: str, by: str, at: dt.datetime, reason: str) -> Acknowledge:
    """Take care of ALERT (its id): no reminders from now on."""
    return Acknowledge(by=by, at=at, reason=reason, alert_id=alert)
