"""`surgewatch torture`: kill workers, break the broker, and count whether anybody is missing."""

import json
import os
import sys
from collections.abc import Sequence
from typing import Final

import click

from surgewatch.harness.apache_kafka import BrokerUnavailableError
from surgewatch.harness.small_disk import SmallDiskError

MOST: Final = 100_000_000
TIMES: Final = click.IntRange(0, 1_000)
MOUNTING = frozenset({"full_disk", "full_disk_of_broker"})  # faults that take root


@click.command()
@click.option(
    "--events",
    "number",
    type=click.IntRange(1, MOST),
    default=50_000,
    show_default=True,
    help="Events to produce in each run.",
)
@click.option(
    "--sectors",
    type=click.IntRange(1, MOST),
    default=20,
    show_default=True,
    help="Sectors with events. Of more than 20, each has ten events before the first fault.",
)
@click.option("--kills", type=TIMES, default=3, show_default=True, help="SIGKILLs of a worker.")
@click.option(
    "--broker-restarts", type=TIMES, default=1, show_default=True, help="Stops and starts of the broker."
)
@click.option(
    "--rebalances", type=TIMES, default=1, show_default=True, help="Workers added and removed again."
)
@click.option(
    "--faults",
    "names",
    help='In place of these three: faults by name, with commas between them, or "all"; a run for each.',
)
@click.option(
    "--times", type=TIMES, default=2, show_default=True, help="How often each of --faults happens in its run."
)
@click.option(
    "--security",
    type=click.Choice(["plain", "mtls", "scram", "oauth"]),
    default="plain",
    show_default=True,
    help="How workers reach the broker: oauth is with tokens of a minute. All but plain need trustme, and "
    "faults of the network do not touch them.",
)
@click.option("--json", "as_json", is_flag=True, help="Print nothing but JSON, one object for each run.")
def command(
    number: int,
    sectors: int,
    kills: int,
    broker_restarts: int,
    rebalances: int,
    names: str | None,
    times: int,
    security: str,
    as_json: bool,
) -> None:
    """Show on a real Kafka that nothing is lost or doubled. Exit status 0 only if that is so."""
    from surgewatch.harness import torture

    def report(line: str) -> None:
        if not as_json:
            click.echo(f"  {line}")

    load = torture.Load(number, sectors)
    if number <= load.history:
        raise click.UsageError(f"{sectors} sectors need more than {load.history} events (--events)")
    mixed = ["kill"] * kills + ["restart_broker"] * broker_restarts + ["rebalance"] * rebalances
    exact = True
    try:
        if names:
            chosen = _chosen(names, tuple(torture.FAULTS))
            results = torture.torture_each(load, chosen, times, report, security=security)
        else:
            results = iter([torture.torture(load, mixed, report, security=security)])
        for result in results:
            click.echo(json.dumps(result.plain()))
            exact &= result.exact
    except (BrokerUnavailableError, SmallDiskError) as error:
        raise click.ClickException(str(error)) from error
    sys.exit(0 if exact else 1)


def _chosen(names: str, known: Sequence[str]) -> Sequence[str]:
    chosen = known if names == "all" else [name.strip() for name in names.split(",")]
    if unknown := sorted(set(chosen) - set(known)):
        raise click.UsageError(f"unknown faults: {', '.join(unknown)}; known: {', '.join(known)}")
    if (mounting := sorted(MOUNTING.intersection(chosen))) and os.geteuid() != 0:
        raise click.UsageError(
            f"{', '.join(mounting)}: a small filesystem is mounted, which takes root. "
            "Run it as root, or within `unshare --user --map-root-user --mount`."
        )
    return chosen
