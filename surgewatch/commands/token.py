"""`surgewatch token NAME`: make a token for a program that uses the console's API."""

import hashlib
import json
import secrets

import click
from pydantic import ValidationError

from alerts.console.access_document import Access
from alerts.console.roles import Role
from streams.runtime.refusals import faults


@click.command("token")
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), default="read", show_default=True)
@click.option(
    "--border", "borders", multiple=True, help="Limit writing to this border (several may be given)."
)
def command(name: str, role: str, borders: tuple[str, ...]) -> None:
    """Make a token for NAME. It is shown once; its entry in SURGEWATCH_CONSOLE_ACCESS is a hash."""
    token = secrets.token_urlsafe(32)
    entry: dict[str, object] = {
        "token_sha256": hashlib.sha256(token.encode()).hexdigest(),
        "role": role,
    }
    if borders:
        entry |= {"borders": borders}
    try:
        Access.model_validate({"client": {name: entry}})
    except ValidationError as error:
        raise click.UsageError(faults(error)) from error
    click.echo(f"token: {token}", err=True)
    click.echo(f"[client.{json.dumps(name)}]")
    for key, value in entry.items():
        click.echo(f"{key} = {json.dumps(value)}")
