"""The options by which every command finds its Kafka broker."""

import logging
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from streams.contract.sectors import SHIPPED, registry
from streams.producers.kafka_client import Broker, BrokerError
from streams.runtime.refusals import SetupError, faults

client_option = click.option(
    "--client",
    type=click.Choice(["kafka", "fast"]),
    default="kafka",
    show_default=True,
    help="kafka: kafka-python. fast: librdkafka, ten times as many events a second.",
)
registry_option = click.option(
    "--registry",
    "places",
    envvar="SURGEWATCH_REGISTRY",
    default=str(SHIPPED),
    callback=lambda _, __, path: registry(Path(path)),
    help="TOML registry of sectors (SURGEWATCH_REGISTRY); default: the shipped one.",
)


def connected(verb: Callable[..., None]) -> Callable[..., None]:
    """Give a command `broker` and the topics' `prefix`, from options or SURGEWATCH_* in the environment."""

    @click.option(
        "--brokers",
        envvar="SURGEWATCH_BROKERS",
        default="localhost:9092",
        show_default=True,
        help="Bootstrap servers, with commas between them (SURGEWATCH_BROKERS).",
    )
    @click.option(
        "--api-version",
        envvar="SURGEWATCH_API_VERSION",
        callback=_version,
        help="Speak this version of Kafka's protocol, such as 2.0.0 (SURGEWATCH_API_VERSION).",
    )
    @click.option(
        "--topic-prefix",
        "prefix",
        envvar="SURGEWATCH_TOPIC_PREFIX",
        default="",
        help="Put before the name of every topic (SURGEWATCH_TOPIC_PREFIX).",
    )
    @wraps(verb)
    def command(brokers: str, api_version: tuple[int, ...] | None, prefix: str, **rest: Any) -> None:
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # its errors come as BrokerError
        try:
            broker = Broker(brokers, api_version)
        except ValidationError as error:  # of the environment
            raise BrokerError(f"SURGEWATCH_KAFKA_*: {faults(error)}") from error
        except SetupError as error:
            raise BrokerError(str(error)) from error
        except ValueError as error:
            raise _NoServerError(f"--brokers: {error}") from error
        verb(broker=broker, prefix=prefix, **rest)

    return command


class _NoServerError(click.ClickException):
    """In one line: the usage does not help where SURGEWATCH_BROKERS is wrong."""

    exit_code = 2


def _version(_: click.Context, __: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    try:
        return tuple(int(part) for part in value.split(".")) if value else None
    except ValueError:
        raise click.BadParameter(f"{value!r} is no version such as 2.0.0") from None
