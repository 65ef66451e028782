"""`surgewatch simulate`: a scenario as events, to Kafka or to a file."""

import datetime as dt
from collections.abc import Iterable

import click

from streams.contract.sectors import Registry
from streams.producers.heartbeats import Pulse
from streams.producers.kafka_client import Broker
from streams.producers.outgoing import Outgoing
from streams.producers.pacing import paced
from streams.producers.scenario import names, scenario
from streams.producers.sender import Client
from surgewatch.options.sending import Speed, report_sent, send_showing, sending_options

DATE = click.DateTime(["%Y-%m-%d"])


@click.command("simulate", epilog=f"Shipped scenarios: {', '.join(names())}.")
@click.argument("name", metavar="SCENARIO")
@click.option("--seed", type=click.IntRange(0), help="Another seed draws other events from the same levels.")
@click.option("--from", "start", type=DATE, help="Only what arrives from this day (UTC) on.")
@click.option("--to", "end", type=DATE, help="Only what arrives before this day (UTC).")
@click.option("--speed", "factor", type=Speed(), default="max", show_default=True, help="1000x, or max.")
@click.option("--out", type=click.File("wb"), help='Write NDJSON there ("-": standard output), send nothing.')
@sending_options
def command(
    name: str,
    seed: int | None,
    start: dt.datetime | None,
    end: dt.datetime | None,
    factor: float,
    out: click.utils.LazyFile | None,
    broker: Broker,
    prefix: str,
    client: Client,
    places: Registry,
    pulse: Pulse | None,
) -> None:
    """Send the events of a SCENARIO (a shipped one, or a .toml file of your own). A seed fixes them.

    With --source, heartbeats are sent between the events, and the last one after them.
    """
    records = list(scenario(name).events(places, seed, _utc(start), _utc(end)))
    if pulse:
        records = list(pulse.among(records))
    if out is not None:
        _write(paced(records, factor), out)
        return
    topic = f"{prefix}encounters"
    report_sent(
        send_showing(paced(records, factor), broker, topic, client=client, total=len(records)), topic, pulse
    )


def _write(records: Iterable[Outgoing], out: click.utils.LazyFile) -> None:
    for record in records:
        out.write(record.value + b"\n")


def _utc(day: dt.datetime | None) -> dt.datetime | None:
    return day and day.replace(tzinfo=dt.UTC)
