"""`surgewatch replay`: the events of a file, in event time."""

import time

import click

from streams.contract.sectors import Registry
from streams.counting.decoder import Decoder
from streams.producers.files import read
from streams.producers.heartbeats import Pulse
from streams.producers.kafka_client import Broker
from streams.producers.layout import Layout
from streams.producers.pacing import paced
from streams.producers.rows import Checked
from streams.producers.sender import Client
from surgewatch.options.sending import (
    Speed,
    report_rows,
    report_sent,
    send_showing,
    sending_options,
    table_options,
)


@click.command("replay")
@click.argument("file")
@click.option("--speed", "factor", type=Speed(), default="1000x", show_default=True, help="1000x, or max.")
@table_options
@sending_options
def command(
    file: str, factor: float, layout: Layout | None, sheet: str | None,
    broker: Broker, prefix: str, client: Client, places: Registry, pulse: Pulse | None,
) -> None:  # fmt: skip
    """Send the events of FILE with the intervals at which they once became known, times a speed.

    FILE is what `surgewatch ingest` takes. All of it is sent, whatever was sent before. With --source,
    heartbeats are sent between the events, and the last one after them.
    """
    checked = Checked(read(file, places, layout, sheet=sheet), Decoder(places), time.time())
    topic = f"{prefix}encounters"
    records = pulse.among(checked) if pulse else checked
    sent = send_showing(paced(records, factor), broker, topic, client=client)
    report_sent(sent, topic, pulse)
    report_rows(checked, good=sent.records)
