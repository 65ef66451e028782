"""`surgewatch shadow`: try another version or other settings on live events, and compare the verdicts."""

import asyncio
import json
import re
import sys
from collections import Counter
from collections.abc import Coroutine
from typing import Any, Final, TypeVar

import click

from streams.contract.topics import topics
from streams.producers.kafka_client import Broker, administering, find, kafka_errors, no_topic, reconcile
from streams.runtime.refusals import Refusal
from surgewatch.options.broker import connected
from surgewatch.shadow.beginning import ShadowError, begin
from surgewatch.shadow.comparing import Difference, Kind
from surgewatch.shadow.reading import compare_with_live

T = TypeVar("T")
NAME: Final = re.compile(r"[A-Za-z0-9._-]{1,150}")


@click.group("shadow")
def command() -> None:
    """Run a second set of streams workers on the same events, and compare its verdicts with the live ones.

    The shadow's topics are under a prefix of their own. Nothing is sent: it has no alerts worker.
    """


@command.command("begin")
@click.argument("shadow")
@connected
def begin_command(broker: Broker, prefix: str, shadow: str) -> None:
    """Create the topics under the prefix SHADOW and copy the live state there. Live workers go on."""
    _check(prefix, shadow)
    with administering(broker) as admin:
        live = find(admin, [f"{prefix}encounters"])
    if not live:
        raise no_topic(broker, f"{prefix}encounters")
    (events,) = live.values()
    plan = reconcile(broker, topics(shadow, events.partitions))
    if plan.conflicts:
        raise click.ClickException("; ".join(plan.conflicts))
    _run(broker, begin(broker.kafka, prefix, shadow, click.echo))
    click.echo(
        f"now start streams workers with SURGEWATCH_TOPIC_PREFIX={shadow} and "
        f"SURGEWATCH_EVENTS_PREFIX={prefix or chr(39) * 2}"
    )


@command.command("compare")
@click.argument("shadow")
@click.option("--show", default=20, show_default=True, help="Differences to print.")
@click.option("--wait", default=60.0, show_default=True, help="Seconds to wait for workers that are behind.")
@click.option("--json", "as_json", is_flag=True, help="Print each difference as a JSON object.")
@connected
def compare_command(broker: Broker, prefix: str, shadow: str, show: int, wait: float, as_json: bool) -> None:
    """Compare the verdicts on closed periods, from the first of the shadow under the prefix SHADOW on.

    Exit status 0: all are the same. 1: some differ. 2: there is nothing to compare, or workers are behind.
    """
    _check(prefix, shadow)
    found = _run(
        broker,
        compare_with_live(
            broker.kafka, prefix, shadow, timeout=wait, report=lambda line: click.echo(line, err=True)
        ),
    )
    if not found.compared:
        click.echo("there is no verdict to compare yet", err=True)
        sys.exit(2)
    for difference in found.differences[:show]:
        click.echo(json.dumps(_plain(difference), default=str) if as_json else _line(difference))
    kinds = Counter(one.kind for one in found.differences)
    numbers = ", ".join(f"{kinds[kind]} {kind}" for kind in Kind)
    click.echo(f"{found.compared} verdicts compared: {numbers}", err=as_json)
    sys.exit(1 if found.differences else 0)


def _check(prefix: str, shadow: str) -> None:
    """Refuse a shadow that would be the live workers themselves."""
    if not NAME.fullmatch(shadow):
        raise click.UsageError(
            f"{shadow!r} can be no prefix of topics: letters, digits, dots, dashes, underscores"
        )
    if shadow == prefix:
        raise click.UsageError(f"{shadow} is the prefix of the live topics: name another for the shadow")


def _run(broker: Broker, work: Coroutine[Any, Any, T]) -> T:
    try:
        with kafka_errors(broker):
            return asyncio.run(work)
    except (ShadowError, Refusal) as error:
        click.echo(f"surgewatch: {error}", err=True)
        sys.exit(2)


def _line(difference: Difference) -> str:
    verdict = difference.verdict
    where = f"{verdict.question_key} {verdict.period:%Y-%m-%d %H:%M}"
    fields = ", ".join(f"{name} {live} > {shadow}" for name, (live, shadow) in difference.fields.items())
    return f"{difference.kind}: {where}{fields and f': {fields}'}"


def _plain(difference: Difference) -> dict[str, Any]:
    verdict = difference.verdict
    return {
        "kind": difference.kind,
        "verdict_id": verdict.verdict_id,
        "question": verdict.question_key,
        "period": verdict.period,
        "live": {name: live for name, (live, _) in difference.fields.items()},
        "shadow": {name: shadow for name, (_, shadow) in difference.fields.items()},
    }
