"""`surgewatch demo`: a whole system on this machine, and a winter replayed through it."""

import datetime as dt
import json
import sys
import time

import click
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from alerts.lifecycle.alert import Notice, Reason, Severity
from alerts.notices.wording import place
from streams.producers.scenario import names
from surgewatch.harness.demo import Demo, DemoError, Summary
from surgewatch.harness.worker_process import total

_STYLE = {Severity.CRITICAL: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_DATE = click.DateTime(["%Y-%m-%d"])


@click.command("demo")
@click.argument("scenario", default="roxham-2022")
@click.option("--from", "start", type=_DATE, help="first day replayed")
@click.option("--to", "end", type=_DATE, help="day before which the replay ends")
@click.option("--json", "as_json", is_flag=True, help="print the summary as one JSON object on the last line")
@click.option("--keep", is_flag=True, help="leave it running, with metrics and console up, until Ctrl-C")
def command(
    scenario: str, start: dt.datetime | None, end: dt.datetime | None, as_json: bool, keep: bool
) -> None:
    """Replay SCENARIO through an embedded broker, both workers and a webhook receiver.

    It ends by itself. The exit status is 0 only if every event sent was counted or rejected, and every notice
    was delivered once.
    """
    console = Console(stderr=as_json)
    if scenario not in names():
        raise click.BadParameter(f"no scenario {scenario!r}; there are {', '.join(names())}")
    try:
        demo = Demo(scenario, start and start.replace(tzinfo=dt.UTC), end and end.replace(tzinfo=dt.UTC))
        console.print(f"[bold]{scenario}[/]: {len(demo.events):,} events. Starting broker and workers …")
        summary = _show(demo, console, keep)
    except DemoError as error:
        raise click.ClickException(str(error)) from error
    _report(summary, console)
    if as_json:
        click.echo(json.dumps(summary.as_dict()))
    sys.exit(1 if summary.problems else 0)


def _show(demo: Demo, console: Console, keep: bool) -> Summary:
    shown = 0
    with Live(console=console, refresh_per_second=4, transient=not console.is_terminal) as live:

        def look(now: Demo) -> None:
            nonlocal shown
            for received in now.receiver.received[shown:]:
                live.console.print(_line(received.notice))
                shown += 1
            live.update(Group(_progress(now), _sectors(now)))

        def stay(now: Demo) -> None:
            streams, alerts = now.workers
            live.console.print(
                f"metrics http://127.0.0.1:{streams.port}/metrics, console http://127.0.0.1:{alerts.port}/"
            )
            live.console.print("Ctrl-C ends it")
            try:
                while True:
                    now.refresh()
                    look(now)
                    time.sleep(1)
            except KeyboardInterrupt:
                return

        return demo.run(look, keep=stay if keep else None)


def _line(notice: Notice) -> Text:
    style = "green" if notice.reason is Reason.RESOLVED else _STYLE[notice.alert.severity]
    line = Text(f"{notice.alert.updated:%Y-%m-%d}  ", style="dim")
    line.append(notice.headline, style=style)
    if notice.reason is not Reason.RESOLVED:
        line.append(f"  {notice.text.splitlines()[0]}", style="dim")
    return line


def _progress(demo: Demo) -> Text:
    at = total(demo.streams, "surgewatch_event_time_seconds") and max(
        value for (name, _), value in demo.streams.items() if name == "surgewatch_event_time_seconds"
    )
    day = f"{dt.datetime.fromtimestamp(at, dt.UTC):%Y-%m-%d}" if at else "–"
    return Text(
        f"{day}   events in {demo.sent:,} of {len(demo.events):,}   processed {demo.processed:,}   "
        f"notices delivered {len(demo.receiver.received):,}",
        style="bold",
    )


def _sectors(demo: Demo) -> Table:
    table = Table("sector", "day's people", "expected", "state", box=None, pad_edge=False)
    values = {
        (name, dict(labels)["sector"]): value
        for (name, labels), value in demo.streams.items()
        if name in ("surgewatch_observed", "surgewatch_expected") and dict(labels).get("window") == "day"
    }
    firing = {
        dict(labels)["sector"]: dict(labels)["severity"]
        for (name, labels), value in demo.alerts.items()
        if name == "surgewatch_alerts" and value and dict(labels)["state"] == "firing"
    }
    for sector in sorted({sector for _, sector in values}):
        state = firing.get(sector, "calm")
        style = _STYLE[Severity(state)] if sector in firing else "dim"
        table.add_row(
            place(sector),
            f"{values.get(('surgewatch_observed', sector), 0):,.0f}",
            f"{values.get(('surgewatch_expected', sector), 0):,.1f}",
            Text(state, style=style),
        )
    return table


def _report(summary: Summary, console: Console) -> None:
    lines = (
        f"\n[bold]{summary.sent:,}[/] events sent: {summary.counted:,} counted, "
        f"{summary.duplicate:,} duplicate, {summary.corrected:,} corrected, {summary.rejected:,} rejected",
        f"[bold]{summary.fired:,}[/] alerts fired, {summary.resolved:,} resolved",
        f"[bold]{summary.delivered:,}[/] notices delivered, {summary.failed:,} failed, "
        f"{summary.repeated:,} repeated",
        f"event to notice: median {summary.seconds_to_notice_median:.3f} s, "
        f"p99 {summary.seconds_to_notice_p99:.3f} s; {summary.seconds:.0f} s in all",
        *(f"[bold red]{problem}[/]" for problem in summary.problems),
    )
    console.print("\n".join(lines))
