"""`surgewatch ingest`: events from a file into Kafka."""

import time

import click

from streams.contract.sectors import Registry
from streams.counting.decoder import Decoder
from streams.producers.files import read
from streams.producers.kafka_client import Broker
from streams.producers.rows import Checked
from streams.producers.sender import Client
from surgewatch.options.broker import client_option, connected, registry_option
from surgewatch.options.sending import report, send_showing


@click.command("ingest")
@click.argument("file")
@connected
@client_option
@registry_option
def command(file: str, broker: Broker, prefix: str, client: Client, places: Registry) -> None:
    """Send the events of FILE ("-": standard input) as fast as the broker takes them.

    FILE may be NDJSON or CSV with the fields of an encounter, CBP's "nationwide encounters by area of
    responsibility", or a table of single apprehensions; gzip or not. Official tables are sent in the order of
    their time. Rows that are refused are told with their number and reason; the exit status is then 1.
    """
    checked = Checked(read(file, places), Decoder(places), time.time())
    topic = f"{prefix}encounters"
    report(send_showing(checked, broker, topic, client), topic, checked)
