"""What the commands that send events share: options, the progress bar, the report, the exit status."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

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

from streams.contract.toml_documents import load
from streams.producers.heartbeats import Pulse
from streams.producers.kafka_client import Broker
from streams.producers.layout import Layout, shipped
from streams.producers.outgoing import Outgoing
from streams.producers.pacing import speed
from streams.producers.releases import Release
from streams.producers.rows import Checked
from streams.producers.sender import Client, Sent, send
from surgewatch.options.broker import client_option, connected, registry_option
from surgewatch.options.heartbeats import pulse_options, report_heartbeats

SHOWN = 20  # refused rows and unknown labels that are shown one by one
REFUSED = 1  # exit status: some rows were refused, the others were sent
NOTHING = 2  # exit status: rows were refused and no row was good


def sending_options(verb: Callable[..., None]) -> Callable[..., None]:
    """Give a command what all that send events need: `broker`, `prefix`, `client`, `places` and `pulse`."""
    return connected(client_option(registry_option(pulse_options(verb))))


def table_options(verb: Callable[..., None]) -> Callable[..., None]:
    """Give a command what all that read tables need: `layout` and `sheet`."""
    layout = click.option(
        "--layout",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        callback=lambda _, __, path: path and load(path, Layout),
        help="The layout of FILE, as TOML, if it is none of the known ones "
        f"({', '.join(layout.id for layout in shipped())}).",
    )
    sheet = click.option(
        "--sheet", metavar="NAME", help="The sheet of a workbook, where several could be read."
    )
    return layout(sheet(verb))


class Speed(click.ParamType):
    """A speed on the command line: 1000x, or max."""

    name = "speed"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            return speed(value) if isinstance(value, str) else value
        except ValueError as error:
            self.fail(str(error), param, ctx)


def send_showing(
    records: Iterable[Outgoing], broker: Broker, topic: str, *, client: Client, total: int | None = None
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


def report_sent(sent: Sent, topic: str, pulse: Pulse | None = None) -> None:
    """Print what was sent, where and how fast; `pulse` are the heartbeats among it."""
    events = sent.records - (pulse.sent if pulse else 0)
    click.echo(f"sent {events:,} events to {topic} in {sent.seconds:.1f} s ({sent.rate:,.0f} a second)")
    report_heartbeats(pulse)


def report_release(release: Release) -> None:
    """Print how an official table differs from what was sent of it before."""
    if not release.is_table:
        return
    click.echo(f"added {release.added:,}, revised {release.revised:,}, unchanged {release.unchanged:,}")
    stays = release.missing - release.taken_back
    if release.taken_back:
        click.echo(f"no longer in the table: {release.taken_back:,} figures (taken back)")
    if stays:
        click.echo(f"no longer in the table: {stays:,} figures (still counted; --complete takes them back)")


def report_rows(checked: Checked, *, good: int) -> None:
    """Print what was skipped, unlabelled and refused; exits with 1 where rows were refused, 2 where all were.

    `good` are the rows that were accepted.
    """
    for reason, count in sorted(checked.skipped.items()):
        click.echo(f"skipped {count:,} rows: {reason}")
    for (column, label), count in checked.unlabelled.most_common(SHOWN):
        click.echo(f'unknown label in {column}: "{label}", {count:,} people counted as unknown', err=True)
    if len(checked.unlabelled) > SHOWN:
        click.echo(f"and {len(checked.unlabelled) - SHOWN:,} more unknown labels", err=True)
    for row in checked.rejected[:SHOWN]:
        click.echo(f"refused row {row.position}: {row.reason.value}: {row.detail}", err=True)
    refused = sum(checked.reasons.values())
    if not refused:
        return
    if refused > SHOWN:
        click.echo(f"and {refused - SHOWN:,} more", err=True)
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(checked.reasons.items()))
    rest = "all others are good" if good else "no row is good"
    click.echo(f"refused {refused:,} rows ({reasons}); {rest}", err=True)
    sys.exit(REFUSED if good else NOTHING)
