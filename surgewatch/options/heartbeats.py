"""The options by which commands send heartbeats of a source."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

import click

from streams.contract.sectors import Registry, UnknownSectorError
from streams.producers.heartbeats import Pulse
from streams.runtime.refusals import faults

UNITS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


class Duration(click.ParamType):
    """A duration on the command line, in seconds: 90s, 5m, 1h, 7d."""

    name = "duration"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        matched = re.fullmatch(r"([1-9]\d{0,6})([smhd])", value)
        if matched is None:
            self.fail(f"{value!r} is no duration such as 90s, 5m, 1h or 7d", param, ctx)
        return int(matched[1]) * UNITS[matched[2]]


def pulse_options(verb: Callable[..., None]) -> Callable[..., None]:
    """Give a command `pulse`: the heartbeats that it sends, or None. Needs `registry_option`."""

    @click.option("--source", help="Send heartbeats of this source, so that its silence is noticed.")
    @click.option("--every", "interval", type=Duration(), help="How often heartbeats come: 90s, 5m, 1h, 7d.")
    @click.option("--for", "names", multiple=True, help="A SECTOR it covers. Default: those of its events.")
    @wraps(verb)
    def command(
        source: str | None, interval: int | None, names: tuple[str, ...], places: Registry, **rest: Any
    ) -> None:
        if (source is None) != (interval is None) or (names and source is None):
            raise click.UsageError("heartbeats need both --source and --every")
        pulse = None if source is None or interval is None else pulse_of(source, interval, names, places)
        verb(pulse=pulse, places=places, **rest)

    return command


def pulse_of(source: str, interval: int, names: tuple[str, ...], places: Registry) -> Pulse:
    """Return the heartbeats of a source; raises UsageError naming what is wrong."""
    try:
        return Pulse(source, interval, [places.find(name).id for name in names])
    except UnknownSectorError as error:
        raise click.UsageError(str(error)) from error
    except ValueError as error:
        raise click.UsageError(f"heartbeat: {faults(error)}") from error


def report_heartbeats(pulse: Pulse | None) -> None:
    """Print how many heartbeats were sent, where any were."""
    if pulse is not None:
        click.echo(f"sent {pulse.sent:,} heartbeats of {pulse.source}, for {len(pulse.sectors):,} sectors")
