"""What all verbs that change something at run time share: who, why, and the way to the topic `controls`."""

import datetime as dt
import getpass
from collections.abc import Callable
from functools import wraps
from typing import Any

import click
from pydantic import ValidationError

from streams.contract.controls import Control, Withdrawn
from streams.producers.kafka_client import Broker
from streams.producers.outgoing import Outgoing
from streams.producers.sender import send
from surgewatch.options.broker import connected


def say(control: Control, broker: Broker, prefix: str) -> None:
    """Put a control on its topic, and tell that it is there."""
    send([Outgoing(control.key.encode(), control.model_dump_json().encode(), 0)], broker, f"{prefix}controls")
    click.echo(f"{'withdrawn' if isinstance(control, Withdrawn) else 'said'}: {control.key}")


def controls(verb: Callable[..., Control]) -> Callable[..., None]:
    """Make a verb of a function from options (with `by`, `at` and `reason`) to a control."""

    @connected
    @click.option("--reason", required=True, help="Why: it is kept beside the control.")
    @click.option("--by", default=getpass.getuser, show_default="you", help="Who says so.")
    @click.option("--withdraw", is_flag=True, help="Take it back.")
    @wraps(verb)
    def command(broker: Broker, prefix: str, withdraw: bool, **options: Any) -> None:
        try:
            control = verb(at=dt.datetime.now(dt.UTC), **options)
        except ValidationError as error:
            faults = "; ".join(f"{'.'.join(map(str, f['loc']))}: {f['msg']}" for f in error.errors())
            raise click.UsageError(faults) from error
        if withdraw:
            control = Withdrawn(by=control.by, at=control.at, reason=control.reason, withdraws=control.key)
        say(control, broker, prefix)

    return command
