"""`surgewatch schema`: the contract of an encounter event."""

import json

import click

from streams.contract.events import Encounter


@click.command("schema")
def command() -> None:
    """Print the JSON schema of an encounter event."""
    click.echo(json.dumps(Encounter.model_json_schema(), indent=2))
