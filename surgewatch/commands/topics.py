"""`surgewatch topics`: make the topics, or say why they cannot be what they should."""

import sys

import click

from streams.contract.topics import topics
from streams.producers.kafka_client import Broker, reconcile
from surgewatch.options.broker import connected


@click.command("topics")
@connected
@click.option("--partitions", type=click.IntRange(1), help="Of the topics that are split by sector or alert.")
@click.option(
    "--replication", type=click.IntRange(1), help="Copies of each new topic (default: the broker's)."
)
@click.option("--check", is_flag=True, help="Change nothing; exit 1 where something would have to be done.")
def command(
    broker: Broker, prefix: str, partitions: int | None, replication: int | None, check: bool
) -> None:
    """Create the topics and check the ones that are there (partitions, compaction, retention)."""
    steps = reconcile(broker.copied(replication), topics(prefix, partitions), dry=check)
    for conflict in steps.conflicts:
        click.echo(f"refused: {conflict}", err=True)
    if steps.conflicts:
        sys.exit(2)
    for topic in steps.create:
        kept = "compacted" if topic.retention_days is None else f"kept {topic.retention_days} days"
        click.echo(
            f"{'missing' if check else 'created'}: {topic.name} ({topic.partitions} partitions, {kept})"
        )
    for topic, change in steps.change:
        click.echo(f"{'differs' if check else 'changed'}: {topic.name} {change}")
    if not steps.create and not steps.change:
        click.echo("all topics are as they should be")
    elif check:
        sys.exit(1)
