"""`surgewatch route`: change at run time who is notified."""

import datetime as dt

import click

from alerts.lifecycle.alert import Severity
from alerts.notices.controls import Reroute
from alerts.notices.routing import Route
from surgewatch.options.control import control_command


@click.command("route")
@click.argument("name")
@click.option("--sinks", default="", help="Names of sinks, separated by commas.")
@click.option("--off", is_flag=True, help="Switch the route off.")
@click.option(
    "--least", type=click.Choice([one.value for one in Severity]), default="info", show_default=True
)
@click.option("--border", default="", help="Globs, separated by commas; default: as in the document, or all.")
@click.option("--sector", default="", help="Globs, separated by commas; default: as in the document, or all.")
@control_command
def command(
    name: str,
    sinks: str,
    off: bool,
    least: str,
    border: str,
    sector: str,
    by: str,
    at: dt.datetime,
    reason: str,
) -> Reroute:
    """Replace the route NAME of the routes document, add it, or switch it off.

    Its questions, reasons and quiet hours stay as in the document, and so do borders and sectors that are
    not given.
    """
    if off == bool(sinks):
        raise click.UsageError("give either --sinks or --off")
    route = (
        Route(
            name=name,
            sinks=_parts(sinks),
            least=Severity(least),
            border=_parts(border),
            sector=_parts(sector),
        )
        if sinks
        else None
    )
    return Reroute(by=by, at=at, reason=reason, name=name, route=route)


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
