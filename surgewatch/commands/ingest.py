"""`surgewatch ingest`: events from a file into Kafka."""

import time

import click
import msgspec

from streams.contract.sectors import Registry
from streams.counting.decoder import Decoder
from streams.producers.files import read
from streams.producers.heartbeats import Pulse
from streams.producers.kafka_client import Broker
from streams.producers.layout import Layout
from streams.producers.releases import TOPIC, Release, noted
from streams.producers.rows import Checked
from streams.producers.sender import Client, send
from surgewatch.options.compacted_topic import newest
from surgewatch.options.heartbeats import report_heartbeats
from surgewatch.options.sending import (
    report_release,
    report_rows,
    report_sent,
    send_showing,
    sending_options,
    table_options,
)


@click.command("ingest")
@click.argument("file")
@click.option("--check", is_flag=True, help="Read and report; send nothing, and need no broker.")
@click.option("--complete", is_flag=True, help="Take back figures that FILE no longer has for its periods.")
@click.option("--part", is_flag=True, help="FILE is a part of its table: what it does not have stays.")
@click.option("--resend", is_flag=True, help="Send unchanged figures of a table again; each id counts once.")
@table_options
@sending_options
def command(
    file: str, check: bool, complete: bool, part: bool, resend: bool,
    layout: Layout | None, sheet: str | None,
    broker: Broker, prefix: str, client: Client, places: Registry, pulse: Pulse | None,
) -> None:  # fmt: skip
    """Send the events of FILE ("-": standard input) as fast as the broker takes them.

    FILE may be NDJSON or CSV with the fields of an encounter, or an official table whose layout is known or
    given, as CSV or in a workbook (.xlsx, .xls, .ods); packed (gzip, zip) or not. Of an official table only
    what is new or revised is sent, in the order of its time. Rows that are refused are shown with row, column
    and value. Exit status: 1 where rows were refused and the others were sent, 2 where nothing could be sent.
    With --source, a heartbeat follows the events, unless no row is good; --every is when FILE is sent the
    next time.
    """
    checked = Checked(read(file, places, layout, sheet=sheet), Decoder(places), time.time())
    if check:
        _only_check(checked)
        return
    topic, tables = f"{prefix}encounters", f"{prefix}{TOPIC}"
    release = Release(
        pulse.follow(checked) if pulse else checked,
        lambda: newest(broker, tables),
        withdraws=complete,
        is_part=part,
        resends=resend,
        refused=lambda: bool(checked.reasons),
    )
    if release.unfinished:
        again = send(release.unfinished, broker, topic, client=client)
        click.echo(f"sent {again.records:,} events again, of a run that broke off")
        send(map(noted, release.unfinished), broker, tables, client=client)
    if release.sent:
        send(release.unsent, broker, tables, client=client)
    sent = send_showing(release, broker, topic, client=client)
    if release.sent:
        send(release.sent.values(), broker, tables, client=client)
    report_sent(sent, topic)
    report_release(release)
    good = sent.records + release.unchanged
    if pulse and (good or not checked.reasons):
        send(pulse.at(int(time.time())), broker, topic, client=client)
        report_heartbeats(pulse)
    report_rows(checked, good=good)


def _only_check(checked: Checked) -> None:
    rows = [msgspec.json.decode(record.value) for record in checked]
    counts = [row["count"] for row in rows if "count" in row]  # heartbeats count nobody
    click.echo(f"read {len(counts):,} events, {sum(counts):,} people; nothing was sent")
    report_rows(checked, good=len(rows))
