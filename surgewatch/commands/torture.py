"""`surgewatch torture`: kill workers, restart the broker, and count whether anybody is missing."""

import json
import sys

import click

from surgewatch.harness.apache_kafka import BrokerUnavailableError


@click.command()
@click.option("--events", "number", default=50_000, show_default=True, help="Events to produce.")
@click.option("--kills", default=3, show_default=True, help="SIGKILLs of a worker.")
@click.option("--broker-restarts", default=1, show_default=True, help="Stops and starts of the broker.")
@click.option("--rebalances", default=1, show_default=True, help="Workers added and removed again.")
@click.option("--json", "as_json", is_flag=True, help="Say nothing but one JSON object on the last line.")
def command(number: int, kills: int, broker_restarts: int, rebalances: int, as_json: bool) -> None:
    """Show on a real Kafka that nothing is lost or doubled. Exit status 0 only if that is so."""
    from surgewatch.harness.torture import as_json as plain
    from surgewatch.harness.torture import torture

    def say(line: str) -> None:
        if not as_json:
            click.echo(f"  {line}")

    try:
        result = torture(number, kills, broker_restarts, rebalances, say)
    except BrokerUnavailableError as error:
        raise click.ClickException(str(error)) from error
    click.echo(json.dumps(plain(result)))
    sys.exit(0 if result.exact else 1)
