"""`surgewatch silence`: send no notices about a sector for a while, now, later or again and again."""

import datetime as dt
from typing import Final
from zoneinfo import ZoneInfo

import click

from alerts.notices.controls import Silence
from alerts.notices.routing import known_zone
from streams.contract.controls import YEARS
from surgewatch.options.control import control_command

REPEATING: Final = dt.timedelta(days=90)  # for which a silence repeats by default
MOMENT: Final = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"])


@click.command("silence")
@click.argument("sector")
@click.option("--hours", type=click.FloatRange(0, 24 * 90, min_open=True), default=8.0, show_default=True)
@click.option("--question", default="*", help="Only this question (surge, drop, ...).")
@click.option("--starts", type=MOMENT, help="When it begins, by the time zone. Default: now.")
@click.option("--repeats", metavar="RULE", help="Comes again, e.g. FREQ=WEEKLY;BYDAY=SA,SU (RFC 5545).")
@click.option("--until", type=MOMENT, help="When it repeats for the last time. Default: 90 days later.")
@click.option("--time-zone", default="UTC", show_default=True, help="For --starts, --repeats and --until.")
@click.option(
    "--notify", metavar="SINK", help="Your sink: it gets what is critical, and what stands at its end."
)
@click.option("--name", help="Its name. Default: sector and question, and when it --starts.")
@control_command
def command(
    sector: str,
    hours: float,
    question: str,
    starts: dt.datetime | None,
    repeats: str | None,
    until: dt.datetime | None,
    time_zone: str,
    notify: str | None,
    name: str | None,
    by: str,
    at: dt.datetime,
    reason: str,
) -> Silence:
    """Send no notices about SECTOR (an id or glob) for some hours. Alerts go on.

    When the silence ends, what still stands is notified.
    """
    first = _moment(starts, time_zone) or (at if repeats else None)
    length = dt.timedelta(hours=hours)
    if until and not repeats:
        raise click.UsageError("--until is for silences with --repeats; --hours is how long one lasts")
    ends = _moment(until, time_zone) or (first or at) + (REPEATING if repeats else length)
    if ends <= at:
        raise click.UsageError(f"it would be over since {ends:%Y-%m-%d %H:%M %Z}")
    return Silence(
        by=by,
        at=at,
        reason=reason,
        name=name or Silence.name_of(sector, question, first),
        sector=sector,
        question=question,
        starts=first,
        until=ends,
        repeats=repeats,
        hours=hours if repeats else None,
        time_zone=time_zone,
        notify=notify,
    )


def _moment(given: dt.datetime | None, time_zone: str) -> dt.datetime | None:
    """Return a time of the command line by its time zone; raises BadParameter where there is none."""
    try:
        zone = ZoneInfo(known_zone(time_zone))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--time-zone") from error
    if given and given.year not in YEARS:
        raise click.BadParameter(f"the year must be from {YEARS[0]} to {YEARS[-1]}")
    return given.replace(tzinfo=zone) if given else None
