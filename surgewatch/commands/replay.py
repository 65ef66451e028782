"""`surgewatch replay`: a file of events, told again in event time."""

import time

import click

from streams.contract.sectors import Registry
from streams.counting.decoder import Decoder
from streams.producers.files import read
from streams.producers.kafka_client import Broker
from streams.producers.pacing import paced
from streams.producers.rows import Checked
from streams.producers.sender import Client
from surgewatch.options.broker import client_option, connected, registry_option
from surgewatch.options.sending import Speed, report, send_showing


@click.command("replay")
@click.argument("file")
@click.option("--speed", "factor", type=Speed(), default="1000x", show_default=True, help="1000x, or max.")
@connected
@client_option
@registry_option
def command(file: str, factor: float, broker: Broker, prefix: str, client: Client, places: Registry) -> None:
    """Send the events of FILE as far apart as they once became known, times a speed.

    FILE is what `surgewatch ingest` takes.
    """
    checked = Checked(read(file, places), Decoder(places), time.time())
    topic = f"{prefix}encounters"
    report(send_showing(paced(checked, factor), broker, topic, client), topic, checked)
