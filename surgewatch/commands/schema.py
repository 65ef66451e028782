"""`surgewatch schema`: the contract of an encounter event, or of a heartbeat."""

import json

import click

from streams.contract.events import Encounter, Heartbeat


@click.command("schema")
@click.option("--heartbeat", is_flag=True, help="The schema of a heartbeat instead.")
def command(heartbeat: bool) -> None:
    """Print the JSON schema of an encounter event."""
    model = Heartbeat if heartbeat else Encounter
    click.echo(json.dumps(model.model_json_schema(), indent=2))
