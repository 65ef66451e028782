"""`surgewatch controls`: what operators have said that holds now."""

import datetime as dt
import json

import click
from kafka import KafkaConsumer, TopicPartition
from pydantic import ValidationError

from alerts.notices.controls import CONTROL, Silence
from streams.contract.controls import Control, Withdrawn
from streams.producers.kafka_client import Broker, BrokerError, spoken_to
from surgewatch.options.broker import connected


@click.command("controls")
@connected
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line, with all that was said.")
def command(broker: Broker, prefix: str, as_json: bool) -> None:
    """List the controls that hold: key, what they change, and who said so, when and why."""
    held = _held(broker, f"{prefix}controls", dt.datetime.now(dt.UTC))
    for key, control in sorted(held.items()):
        if as_json:
            click.echo(json.dumps({"key": key, **control.model_dump(mode="json")}))
        else:
            click.echo(
                f"{key}: {control.says} ({control.by}, {control.at:%Y-%m-%d %H:%M %Z}: {control.reason})"
            )
    if not held and not as_json:
        click.echo("no controls hold")


def _held(broker: Broker, topic: str, now: dt.datetime) -> dict[str, Control]:
    """The newest word under each key, of what was not withdrawn and is not over."""
    held: dict[str, Control] = {}
    for key, value in _newest(broker, topic).items():
        try:
            control = CONTROL.validate_json(value)
        except ValidationError:
            click.echo(f"{key}: not understood", err=True)
            continue
        if not isinstance(control, Withdrawn) and not (isinstance(control, Silence) and control.until <= now):
            held[key] = control
    return held


def _newest(broker: Broker, topic: str) -> dict[str, bytes]:
    with spoken_to(broker):
        consumer = KafkaConsumer(**broker.options, enable_auto_commit=False)
        try:
            parts = [TopicPartition(topic, at) for at in consumer.partitions_for_topic(topic) or ()]
            if not parts:
                raise BrokerError(f"there is no topic {topic}: run `surgewatch topics`")
            consumer.assign(parts)
            ends = consumer.end_offsets(parts)
            consumer.seek_to_beginning()
            newest: dict[str, bytes] = {}
            while any(consumer.position(part) < ends[part] for part in parts):
                for records in consumer.poll(timeout_ms=500).values():
                    newest |= {record.key.decode(): record.value or b"" for record in records}
            return {key: value for key, value in newest.items() if value}
        finally:
            consumer.close()
