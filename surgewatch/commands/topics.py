"""`surgewatch topics`: create and check the topics, and move state to more partitions."""

import asyncio
import sys
from collections.abc import Coroutine

import click

from streams.contract.access import LEAST, Role
from streams.contract.topics import Plan, topics
from streams.producers.kafka_client import Broker, administering, find, kafka_errors, reconcile
from streams.runtime.refusals import SetupError
from surgewatch.options.access import missing_access
from surgewatch.options.broker import connected
from surgewatch.repartition.lost_records import accept_lost_records
from surgewatch.repartition.moving import RepartitionError, repartition


@click.command("topics")
@connected
@click.option("--partitions", type=click.IntRange(1), help="Of the topics that are split by sector or alert.")
@click.option(
    "--replication", type=click.IntRange(1), help="Copies of each new topic (default: the broker's)."
)
@click.option("--accept-loss", is_flag=True, help="Go on where topics were made anew or have lost records.")
@click.option("--check", is_flag=True, help="Change nothing; exit 1 where something would have to be done.")
@click.option(
    "--as", "role", type=click.Choice(sorted(LEAST)), help="Check only what this role is allowed to do."
)
def command(
    broker: Broker,
    prefix: str,
    partitions: int | None,
    replication: int | None,
    accept_loss: bool,
    check: bool,
    role: Role | None,
) -> None:
    """Create the topics and check the ones that are there (partitions, compaction, retention).

    With --partitions N, topics that are there get N partitions, and state moves along. Before that, stop
    producers, let the workers come to a lag of 0, and stop them. If it is interrupted, run it again.

    With --accept-loss, state that is ahead of its topic is kept and goes on with what the topic has. Before
    that, stop the workers. Then send again what was lost before it was counted.

    With --as ROLE, check the ACLs of the credentials in use and change nothing.
    """
    if role is not None:
        _check_access(broker, role, prefix)
        return
    if accept_loss:
        _run(broker, accept_lost_records(broker.kafka, prefix, click.echo))
        return
    if partitions and not check:
        _repartition(broker, prefix, partitions)
    _report(reconcile(broker.copied(replication), topics(prefix, partitions), dry=check), is_check=check)


def _report(steps: Plan, *, is_check: bool) -> None:
    """Print what was done, or is to be done; exit with 2 at a conflict, with 1 where a check finds work."""
    for note in steps.notes:
        click.echo(f"note: {note}")
    for conflict in steps.conflicts:
        click.echo(f"refused: {conflict}", err=True)
    if steps.conflicts:
        sys.exit(2)
    for topic in steps.create:
        kept = "compacted" if topic.retention_days is None else f"kept {topic.retention_days} days"
        click.echo(
            f"{'missing' if is_check else 'created'}: {topic.name} ({topic.partitions} partitions, {kept})"
        )
    for topic, change in steps.change:
        click.echo(f"{'differs' if is_check else 'changed'}: {topic.name} {change}")
    if not steps.create and not steps.change:
        click.echo("all topics are as they should be")
    elif is_check:
        sys.exit(1)


def _repartition(broker: Broker, prefix: str, partitions: int) -> None:
    """Give topics that are there more partitions, where they have fewer."""
    wide = [topic.name for topic in topics(prefix, partitions) if topic.partitions == partitions]
    with administering(broker) as admin:
        found = find(admin, wide)
    if all(topic.partitions >= partitions for topic in found.values()):
        return
    _run(broker, repartition(broker.kafka, prefix, partitions, click.echo))


def _run(broker: Broker, work: Coroutine[None, None, None]) -> None:
    try:
        with kafka_errors(broker):
            asyncio.run(work)
    except (RepartitionError, SetupError) as error:
        raise click.ClickException(str(error)) from error


def _check_access(broker: Broker, role: Role, prefix: str) -> None:
    with administering(broker):  # a broker that does not answer is named before any ACL
        missing = missing_access(broker, role, prefix)
    if missing:
        for sentence in missing:
            click.echo(sentence, err=True)
        sys.exit(1)
    click.echo(f"all that the role {role} needs is allowed")
