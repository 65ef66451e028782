"""`surgewatch page --test SINK`: does a sink reach anybody?"""

import asyncio
import datetime as dt
import sys
import time

import click

from alerts.lifecycle.alert import Alert, Notice, Reason, Severity, State, alert_id
from alerts.sinks import Delivered, Outcome, Sink
from alerts.worker.http_client import Post
from alerts.worker.routes_document import RoutesError, sinks
from alerts.worker.settings import Settings
from streams.contract.cadence import Cadence
from streams.contract.verdicts import Evidence, Question, Verdict


@click.command("page")
@click.option("--test", "name", required=True, metavar="SINK", help="The sink's name in the routes.")
def command(name: str) -> None:
    """Send a test notice through one sink, as the alerts worker is set up, and say what came of it."""
    try:
        found = {sink.name: sink for sink in sinks(Settings())[0]}
    except RoutesError as error:
        raise click.UsageError(str(error)) from error
    if name not in found:
        raise click.UsageError(f"no sink {name!r}; there are: {', '.join(sorted(found)) or 'none'}")
    outcome = asyncio.run(_post(found[name]))
    click.echo(f"{name}: {'nothing sent' if outcome is None else outcome}")
    sys.exit(0 if isinstance(outcome, Delivered) else 1)


async def _post(sink: Sink) -> Outcome | None:
    post = Post()
    try:
        request = sink.request(_notice(), time.time())
        return None if request is None else await post(sink, request)
    finally:
        await post.close()


def _notice() -> Notice:
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    text = "This is a test of Surgewatch. Nothing has happened, and nothing is to be done"
    verdict = Verdict.of(
        question=Question.SURGE,
        sector="test",
        cadence=Cadence.DAY,
        period=now,
        as_of=now,
        closed=True,
        breach=True,
        evidence=Evidence(
            observed=2, expected=1, lower=0, upper=3, p_value=1, alpha=1, baseline="none: a test", remark=text
        ),
    )
    key = alert_id(verdict.question_key, now)
    alert = Alert(
        alert_id=key,
        question_key=verdict.question_key,
        question=verdict.question,
        sector="test",
        state=State.FIRING,
        severity=Severity.CRITICAL,
        onset=now,
        updated=now,
        worst=verdict,
        latest=verdict,
    )
    return Notice(
        notice_id=key, alert=alert, reason=Reason.FIRST, headline="Test page from Surgewatch", text=text
    )
