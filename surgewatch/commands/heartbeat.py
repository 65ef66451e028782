"""`surgewatch heartbeat`: a source is alive, and has nothing more to send."""

import time

import click

from streams.contract.sectors import Registry
from streams.producers.kafka_client import Broker
from streams.producers.sender import send
from surgewatch.options.broker import connected, registry_option
from surgewatch.options.heartbeats import Duration, pulse_of, report_heartbeats


@click.command("heartbeat")
@click.argument("source")
@click.argument("sectors", nargs=-1, required=True)
@click.option("--every", "interval", type=Duration(), required=True, help="When the next is due: 5m, 1h, 1d.")
@click.option("--last", is_flag=True, help="The source ends: nothing more is awaited from it.")
@connected
@registry_option
def command(
    source: str, sectors: tuple[str, ...], interval: int, last: bool,
    broker: Broker, prefix: str, places: Registry,
) -> None:  # fmt: skip
    """Send a heartbeat of SOURCE for SECTORS: it works, and all it had until now has been sent."""
    pulse = pulse_of(source, interval, sectors, places)
    send(pulse.at(int(time.time()), last=last), broker, f"{prefix}encounters")
    report_heartbeats(pulse)
