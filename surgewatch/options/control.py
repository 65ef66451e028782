"""What the commands that set a control share: who, why, the checks, and the topic `controls`."""

import datetime as dt
import getpass
import os
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from alerts.lifecycle.alert import Alert
from alerts.notices.alert_pipeline import AlertChange
from alerts.notices.controls import CONTROL, Acknowledge, Reroute, Silence, checked, over, sinks_of
from alerts.notices.effects import effect
from alerts.notices.ledger import sink_of
from alerts.worker.routes_document import SINKS_OF_SETTINGS, routes
from streams.contract.controls import Control, Names, Withdrawn
from streams.contract.sectors import Registry
from streams.contract.verdicts import Question
from streams.producers.kafka_client import Broker
from streams.producers.outgoing import Outgoing
from streams.producers.sender import send
from streams.runtime.broker_clock import EARLIEST
from streams.runtime.refusals import faults
from surgewatch.options.broker import connected, registry_option
from surgewatch.options.compacted_topic import newest

SEND_TIMEOUT = 20.0  # seconds that somebody waits for the broker to take a control
SKEW = 120.0  # seconds between two clocks: more changes what a control does


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:  # of a container, whose user has no name
        raise click.UsageError("this machine has no name for you: name who sets it, with --by") from error


def control_command(build: Callable[..., Control]) -> Callable[..., None]:
    """Make a command of a function from options (with `by`, `at` and `reason`) to a control.

    The control is checked before it is sent: a date, sector, question or key that does not exist ends
    the command with status 2 and a sentence for each fault.
    """

    @connected
    @registry_option
    @click.option("--reason", required=True, help="Why. It is kept beside the control.")
    @click.option("--by", default=_user, show_default="you", help="Who sets it.")
    @click.option("--withdraw", is_flag=True, help="Withdraw it instead.")
    @wraps(build)
    def command(broker: Broker, prefix: str, places: Registry, withdraw: bool, **options: Any) -> None:
        try:
            control = build(at=dt.datetime.now(dt.UTC), **options)
            if withdraw:
                control = Withdrawn(
                    by=control.by, at=control.at, reason=control.reason, withdraws=control.key
                )
        except ValidationError as error:
            raise click.UsageError(faults(error)) from error
        try:
            _publish(checked(control, _names(control, places, broker, prefix)), broker, prefix)
        except ValueError as error:
            raise click.UsageError(str(error)) from error

    return command


def _names(control: Control, places: Registry, broker: Broker, prefix: str) -> Names:
    """Return the names that a control may use; only those that it needs are read from the broker."""
    alerts = _alerts(broker, prefix) if isinstance(control, Acknowledge) else None
    return Names(
        sectors=frozenset(places.border_of),
        questions=frozenset(str(one) for one in Question),
        sinks=_sinks(broker, prefix) if sinks_of(control) else None,
        routes=_routes(broker, prefix) if isinstance(control, Reroute) and control.route is None else None,
        alerts=frozenset(alert.alert_id for alert in alerts) if alerts is not None else None,
        over=over(alerts or ()),
        keys=frozenset(in_force(broker, prefix)) if isinstance(control, Withdrawn) else None,
        border_of=places.border_of,
    )


def _alerts(broker: Broker, prefix: str) -> list[Alert]:
    """Return the newest alert of every question; unusable records are skipped, as the alerts worker does."""
    records = newest(broker, f"{prefix}alerts.current").items()
    changes = (AlertChange.read(key.encode(), value) for key, value in records)
    return [one.alert for one in changes if isinstance(one, AlertChange) and one.alert is not None]


def _sinks(broker: Broker, prefix: str) -> frozenset[str] | None:
    """Return the sinks that workers have delivered to, by their ledger; None: no worker has run yet."""
    return frozenset(sink_of(key) for key in newest(broker, f"{prefix}deliveries")) or None


def _routes(broker: Broker, prefix: str) -> frozenset[str] | None:
    """Return the routes that can be switched off; None where no document of routes is named here.

    Raises DocumentError, a ValueError, where that document cannot be used.
    """
    path = os.environ.get("SURGEWATCH_ROUTES")
    if not path:
        click.echo("The name of the route is not checked: SURGEWATCH_ROUTES is not set here.", err=True)
        return None
    own = {name for name, setting in SINKS_OF_SETTINGS.items() if os.environ.get(setting)}
    added = {one.name for one in in_force(broker, prefix).values() if isinstance(one, Reroute)}
    return frozenset({route.name for route in routes(Path(path)).route} | own | added)


def in_force(broker: Broker, prefix: str) -> dict[str, Control]:
    """Return the controls in force, by key: neither withdrawn nor expired."""
    now, held = dt.datetime.now(dt.UTC), dict[str, Control]()
    for key, value in newest(broker, f"{prefix}controls").items():
        try:
            control = CONTROL.validate_json(value)
        except ValidationError:
            click.echo(f"{key}: not valid, so no worker applies it", err=True)
            continue
        expired = isinstance(control, Silence) and control.until <= now
        if not isinstance(control, Withdrawn) and not expired:
            held[key] = control
    return held


def _publish(control: Control, broker: Broker, prefix: str) -> None:
    record = Outgoing(control.key.encode(), control.model_dump_json().encode(), 0, partition=0)  # of one
    sent = send([record], replace(broker, delivery_timeout=SEND_TIMEOUT), f"{prefix}controls")
    click.echo(f"{control.key}: {effect(control)}. Takes effect within seconds.")
    if not isinstance(control, Withdrawn):
        click.echo(f"Undo: surgewatch withdraw {control.key} --reason ...")
    if warning := clock_warning(control, sent.appended_at):
        click.echo(warning, err=True)


def clock_warning(control: Control, appended_at: float) -> str | None:
    """Say that this machine's clock, by which a control was dated, is off the broker's, by which it counts.

    `appended_at` is when the broker appended the control (epoch seconds). Brokers that stamp nothing give 0
    or a time of 1970.
    """
    behind = appended_at - control.at.timestamp() if appended_at > EARLIEST else 0.0
    if abs(behind) <= SKEW:
        return None
    is_over = isinstance(control, Silence) and control.until.timestamp() <= appended_at
    where = "behind" if behind > 0 else "ahead of"
    return (
        f"The clock of this machine is {abs(behind) / 60:,.0f} min {where} the broker's, by which controls "
        "count. Set it right, and give this command again."
        f"{' This silence is over already.' if is_over else ''}"
    )
