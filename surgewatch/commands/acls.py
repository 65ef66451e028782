"""`surgewatch acls ROLE PRINCIPAL`: allow a principal the least that a role needs."""

import shlex
from collections.abc import Iterator, Sequence

import click
from confluent_kafka import KafkaError, KafkaException

from streams.contract.access import ROLES, Access, AnyRole, needs
from streams.producers.kafka_client import Broker, administering
from surgewatch.options.access import allow
from surgewatch.options.broker import connected


@click.command("acls")
@click.argument("role", type=click.Choice(ROLES))
@click.argument("principal")
@connected
@click.option("--commands", is_flag=True, help="Print kafka-acls commands, and change nothing.")
@click.option("--strimzi", metavar="CLUSTER", help="Print a KafkaUser of Strimzi, and change nothing.")
def command(
    role: AnyRole, principal: str, broker: Broker, prefix: str, commands: bool, strimzi: str | None
) -> None:
    """Allow PRINCIPAL, such as User:surgewatch-streams, what ROLE needs, and no more.

    The credentials in use must be allowed to alter ACLs. What is allowed already stays.
    """
    accesses = [access._replace(name=prefix + access.name) for access in needs(role)]
    if strimzi:
        click.echo("\n".join(_kafka_user(role, strimzi, accesses)))
        return
    if commands:
        for access in accesses:
            click.echo(_kafka_acls(access, principal, broker.servers))
        return
    with administering(broker):  # a broker that does not answer is named first
        try:
            allow(broker, principal, accesses)
        except KafkaException as error:
            raise click.ClickException(f"ACLs cannot be changed: {_reason(error.args[0])}") from error
    click.echo(f"{principal} is allowed all that the role {role} needs")


def _reason(error: KafkaError) -> str:
    if error.code() == KafkaError.CLUSTER_AUTHORIZATION_FAILED:  # the broker's own text is pages long
        return "an ACL is missing: ALTER on the cluster"
    return str(error.str()).partition("\n")[0][:200]


def _kafka_acls(access: Access, principal: str, servers: str) -> str:
    operations = [
        word for name in access.operations for word in ("--operation", name.title().replace("_", ""))
    ]
    where = [f"--{access.resource}", access.name]
    words = ["kafka-acls", "--bootstrap-server", servers, "--command-config", "admin.properties"]
    return shlex.join([*words, "--add", "--allow-principal", principal, *operations, *where])


def _kafka_user(role: str, cluster: str, accesses: Sequence[Access]) -> Iterator[str]:
    yield "apiVersion: kafka.strimzi.io/v1beta2"
    yield "kind: KafkaUser"
    yield "metadata:"
    yield f"  name: surgewatch-{role}"
    yield f"  labels: {{strimzi.io/cluster: {cluster}}}"
    yield "spec:"
    yield "  authentication: {type: tls}"
    yield "  authorization:"
    yield "    type: simple"
    yield "    acls:"
    for access in accesses:
        operations = ", ".join(name.title().replace("_", "") for name in access.operations)
        yield f"      - resource: {{type: {access.resource}, name: {access.name}, patternType: literal}}"
        yield f"        operations: [{operations}]"
