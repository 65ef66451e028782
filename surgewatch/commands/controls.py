"""`surgewatch controls`: the controls in force."""

import json

import click

from alerts.notices.effects import effect
from streams.producers.kafka_client import Broker
from surgewatch.options.broker import connected
from surgewatch.options.control import in_force


@click.command("controls")
@connected
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, with every field.")
def command(broker: Broker, prefix: str, as_json: bool) -> None:
    """List the controls in force: key, effect, and who set them, when and why."""
    held = in_force(broker, prefix)
    for key, control in sorted(held.items()):
        if as_json:
            click.echo(json.dumps({"key": key, **control.model_dump(mode="json")}))
        else:
            set_by = f"{control.by}, {control.at:%Y-%m-%d %H:%M %Z}: {control.reason}"
            click.echo(f"{key}: {effect(control)} ({set_by})")
    if not held and not as_json:
        click.echo("no controls are in force")
