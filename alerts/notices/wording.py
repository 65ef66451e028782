"""Words and figures for people: titles of questions, places, times, how sure, sparklines."""

import datetime as dt
from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

from alerts.lifecycle.alert import Alert, Assessment, Notice, Reason
from streams.contract.cadence import Cadence
from streams.contract.sectors import Registry

BARS: Final = "▁▂▃▄▅▆▇█"
MINUTE: Final = "%Y-%m-%d %H:%M"
LEADS: Final = {
    Reason.FIRST: "",
    Reason.WORSE: "Worse: ",
    Reason.STILL: "Still: ",
    Reason.UNANSWERED: "Not acknowledged: ",
    Reason.ACKNOWLEDGED: "Acknowledged: ",
    Reason.UPDATED: "",
    Reason.RESOLVED: "Resolved: ",
}
HANDED_OVER: Final = "Now sent elsewhere: "
ASSESSMENTS: Final = {Assessment.NOT_A_SURGE: "not a surge", Assessment.BAD_DATA: "bad data"}
UNITS: Final = {Cadence.HOUR: "hours", Cadence.DAY: "days", Cadence.WEEK: "weeks", Cadence.MONTH: "months"}


def place(sector: str) -> str:
    """Return a sector's id as people write it: `rcmp-quebec` is `RCMP Quebec`."""
    known = {"rcmp": "RCMP", "cbsa": "CBSA"}
    return " ".join(known.get(part, part.capitalize()) for part in sector.split("-"))


def clock(moment: dt.datetime, sector: str, registry: Registry) -> str:
    """Return a time by the sector's clock, beside UTC: `2023-03-24 20:00 EDT (2023-03-25 00:00 UTC)`.

    A border, or a sector that is not in the registry, has UTC alone.
    """
    utc = f"{moment.astimezone(dt.UTC):{MINUTE}} UTC"
    found = registry.by_id.get(sector)
    if found is None or found.time_zone == "UTC":
        return utc
    return f"{moment.astimezone(ZoneInfo(found.time_zone)):{MINUTE} %Z} ({utc})"


def sureness(p_value: float) -> str:
    """Return how often chance alone does this, in words."""
    if p_value < 1e-9:
        return "chance alone cannot explain it"
    return f"by chance once in {_rounded(1 / max(p_value, 1e-12))}"


def facts(notice: Notice, **further: str) -> dict[str, str]:
    """Return what a reader needs in five seconds, by its label; `further` stands before how sure it is."""
    evidence = notice.alert.latest.evidence
    return {
        "Seen": f"{evidence.observed:,.0f}",
        "Expected": f"{evidence.expected:,.0f} ({evidence.lower:,.0f} to {evidence.upper:,.0f})",
        "Where": place(notice.alert.sector),
        "Since": notice.since,
        **further,
        "How sure": sureness(evidence.p_value),
    }


def foot(alert: Alert) -> str:
    """Return the last line of a message: what an alert is filed under."""
    return f"{alert.severity} · {alert.border or 'no border'} · alert {alert.alert_id[:8]}"


def taken(alert: Alert) -> str:
    """Return who acknowledged an alert, and what they found it to be."""
    if alert.assessment is None:
        return f"{alert.acknowledged_by} takes care of it."
    return f"{alert.acknowledged_by} marked it as {ASSESSMENTS[alert.assessment]}."


def sparkline(values: Sequence[float], points: int = 28) -> str:
    """Draw the last values as a line of bars.

    >>> sparkline([0, 1, 2, 3, 4, 5, 6, 7])
    '▁▂▃▄▅▆▇█'
    """
    shown = list(values)[-points:]
    top = max(shown, default=0) or 1
    return "".join(
        BARS[min(int(max(value, 0) / top * (len(BARS) - 1) + 0.5), len(BARS) - 1)] for value in shown
    )


def _rounded(number: float) -> str:
    return f"{float(f'{number:.1g}'):,.0f}"
