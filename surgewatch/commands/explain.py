"""`surgewatch explain ALERT`: why an alert stands, for a person."""

import json
from http import HTTPStatus
from http.client import HTTPException
from typing import Final
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

import click
from pydantic import ValidationError

from alerts.lifecycle.alert import Alert
from alerts.notices.explanation import explain
from streams.runtime.public_addresses import is_http

TIMEOUT: Final = 10  # seconds


@click.command()
@click.argument("alert_id", metavar="ALERT")
@click.option(
    "--url",
    default="http://127.0.0.1:9102",
    envvar="SURGEWATCH_ALERTS_URL",
    show_default=True,
    show_envvar=True,
    help="Where the alerts worker listens.",
)
@click.option(
    "--token", envvar="SURGEWATCH_TOKEN", show_envvar=True, help="An API token, where reading needs one."
)
@click.option("--json", "as_json", is_flag=True, help="Print the alert as it is, for a program.")
def command(alert_id: str, url: str, token: str | None, as_json: bool) -> None:
    """Explain ALERT, an id as notices and the console show it: what was seen, what is normal, how sure."""
    alert = _read(alert_id, url, token)
    click.echo(alert.model_dump_json(indent=2) if as_json else explain(alert))


def _read(alert_id: str, url: str, token: str | None) -> Alert:
    """Ask the alerts worker; a failure is one line of error."""
    if not is_http(url):
        raise click.BadParameter(f"{url!r} is no http(s) address", param_hint="--url")
    address = f"{url.rstrip('/')}/api/alerts/{quote(alert_id, safe='', errors='replace')}"
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = Request(address, headers=headers)  # noqa: S310  likewise
    try:
        with urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310  the scheme was looked at above
            return Alert.model_validate(json.load(answer))
    except HTTPError as error:
        if error.code == HTTPStatus.NOT_FOUND:
            raise click.ClickException(f"no alert {alert_id!r} at {url}") from error
        raise click.ClickException(f"{address} answered {error.code} {error.reason}") from error
    except (URLError, OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise click.ClickException(f"no answer from {url}: {reason} (is the alerts worker up?)") from error
    except (ValidationError, ValueError) as error:
        raise click.ClickException(f"{address} did not answer with an alert") from error
