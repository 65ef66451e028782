"""What the verbs that send events share: the progress bar, the report, the exit status."""

import sys
from collections.abc import Iterable

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from streams.producers.kafka_client import Broker
from streams.producers.outgoing import Outgoing
from streams.producers.pacing import speed
from streams.producers.rows import Checked
from streams.producers.sender import Client, Sent, send

SHOWN = 20  # refused rows that are told one by one
REFUSED = 1  # exit status: some rows were refused, the others were sent


class Speed(click.ParamType):
    """A speed on the command line: 1000x, or max."""

    name = "speed"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return speed(value) if isinstance(value, str) else value
        except ValueError as error:
            self.fail(str(error), param, ctx)


def send_showing(
    records: Iterable[Outgoing], broker: Broker, topic: str, client: Client, total: int | None = None
) -> Sent:
    """Send with a progress bar (on a terminal)."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("events"),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(f"to {topic}", total=total)
        return send(
            records, broker, topic, client=client, progress=lambda count: bar.update(task, completed=count)
        )


def report(sent: Sent, topic: str, checked: Checked | None = None) -> None:
    """Say what was sent, skipped and refused; ends with exit status 1 where rows were refused."""
    click.echo(f"sent {sent.records:,} events to {topic} in {sent.seconds:.1f} s ({sent.rate:,.0f} a second)")
    if checked is None:
        return
    for why, count in sorted(checked.skipped.items()):
        click.echo(f"skipped {count:,} rows: {why}")
    for row in checked.rejected[:SHOWN]:
        click.echo(f"refused row {row.position}: {row.reason.value}: {row.detail}", err=True)
    refused = sum(checked.reasons.values())
    if refused:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(checked.reasons.items()))
        click.echo(f"refused {refused:,} rows ({reasons}); all others were sent", err=True)
        sys.exit(REFUSED)
