"""`surgewatch replay`: a file of events, told again in event time."""

import time

import click

from streams.decode import Decoder
from streams.producers.broker import Broker
from streams.producers.files import read
from streams.producers.pacing import paced
from streams.producers.rows import Checked
from streams.producers.sending import Client
from streams.sectors import registry
from surgewatch.connection import client_option, connected
from surgewatch.producing import Speed, report, send_showing


@click.command("replay")
@click.argument("file")
@click.option("--speed", "factor", type=Speed(), default="1000x", show_default=True, help="1000x, or max.")
@connected
@client_option
def command(file: str, factor: float, broker: Broker, prefix: str, client: Client) -> None:
    """Send the events of FILE as far apart as they once became known, times a speed.

    FILE is what `surgewatch ingest` takes.
    """
    places = registry()
    checked = Checked(read(file, places), Decoder(places), time.time())
    topic = f"{prefix}encounters"
    report(send_showing(paced(checked, factor), broker, topic, client), topic, checked)
