"""`surgewatch topics`: make the topics, or say why they cannot be what they should."""

import sys

import click

from streams.contract.access import LEAST, Role
from streams.contract.topics import topics
from streams.producers.kafka_client import Broker, administering, reconcile
from surgewatch.options.access import missing_access
from surgewatch.options.broker import connected


@click.command("topics")
@connected
@click.option("--partitions", type=click.IntRange(1), help="Of the topics that are split by sector or alert.")
@click.option(
    "--replication", type=click.IntRange(1), help="Copies of each new topic (default: the broker's)."
)
@click.option("--check", is_flag=True, help="Change nothing; exit 1 where something would have to be done.")
@click.option(
    "--as", "role", type=click.Choice(sorted(LEAST)), help="Check only what this role is allowed to do."
)
def command(
    broker: Broker,
    prefix: str,
    partitions: int | None,
    replication: int | None,
    check: bool,
    role: Role | None,
) -> None:
    """Create the topics and check the ones that are there (partitions, compaction, retention).

    With --as ROLE, check the ACLs of the credentials in use and change nothing.
    """
    if role is not None:
        _check_access(broker, role, prefix)
        return
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


def _check_access(broker: Broker, role: Role, prefix: str) -> None:
    with administering(broker):  # a broker that does not answer is named before any ACL
        missing = missing_access(broker, role, prefix)
    if missing:
        for sentence in missing:
            click.echo(sentence, err=True)
        sys.exit(1)
    click.echo(f"all that the role {role} needs is allowed")
