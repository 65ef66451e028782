"""An alert for a person, in under 20 lines: what was seen, what is normal, since when, why, how sure."""

import math
from collections.abc import Iterator

from alerts.lifecycle.alert import Alert
from alerts.notices.wording import sparkline
from streams.contract.verdicts import Contribution, Evidence

LATE = 0.01  # share of late people from which it is worth a line
SHOWN = 4  # slices, neighbours
MOMENT = "%Y-%m-%d %H:%M %Z"


def explain(alert: Alert) -> str:
    """Return the whole explanation, one fact a line."""
    return "\n".join(_lines(alert))


def _lines(alert: Alert) -> Iterator[str]:
    verdict, seen = alert.latest, alert.latest.evidence
    place = f"{alert.sector}, {alert.subject}" if alert.subject else alert.sector
    yield f"{alert.severity.upper()} {alert.state}: {place}: {alert.question.entry.meaning}"
    plural = "s" if seen.window > 1 else ""
    still = "" if verdict.is_whole else ", still filling"
    yield f"  when      {seen.window} {verdict.cadence}{plural} to {verdict.period:{MOMENT}}{still}"
    yield f"  seen      {_counted(seen.observed)}"
    interval = f"{_people(seen.lower)} to {_people(seen.upper)}"
    yield f"  expected  {_people(seen.expected)} ({interval}){_excess(seen)}"
    yield f"  since     {alert.onset:{MOMENT}}"
    if alert.worst.verdict_id != verdict.verdict_id:
        worst = alert.worst
        yield f"  worst     {_counted(worst.evidence.observed)}, {worst.period:{MOMENT}}"
    yield f"  how sure  {_sure(seen)}"
    yield from _sources(seen)
    if seen.record:
        yield "  before    never so many in what is kept"
    elif seen.last_as_high:
        yield f"  before    last so many on {seen.last_as_high:%Y-%m-%d}"
    if seen.capacity:
        yield f"  room      {_counted(seen.capacity)} a day{_full(seen)}"
    if seen.recent:
        yield f"  recent    {sparkline(seen.recent)}  ({len(seen.recent)} periods, the last on the right)"
    if seen.remark:
        yield f"  note      {seen.remark}"
    if alert.acknowledged_by:
        yield f"  taken by  {alert.acknowledged_by}"


def _sources(seen: Evidence) -> Iterator[str]:
    if seen.slices:
        yield f"  who       {_parts(seen.slices)}"
    if seen.neighbours:
        yield f"  beside    {_parts(seen.neighbours)}"
    if seen.baseline:
        past = "1 past period" if seen.down_weighted == 1 else f"{seen.down_weighted} past periods"
        surges = f", {past} held to be surges" if seen.down_weighted else ""
        yield f"  normal    {seen.baseline}{surges}"
    if seen.share_reported < 1:
        yield f"  reported  {seen.share_reported:.0%} of the events, as far as is known"
    if seen.share_late >= LATE:
        yield f"  late      {seen.share_late:.0%} of those seen became known after their period"


def _parts(parts: tuple[Contribution, ...]) -> str:
    """Return those that are farthest from normal."""
    ranked = sorted(parts, key=lambda part: (-abs(part.observed - part.expected), part.name))
    more = f", and {len(ranked) - SHOWN} more" if len(ranked) > SHOWN else ""
    shown = (f"{part.name} {_people(part.observed)} for {_people(part.expected)}" for part in ranked[:SHOWN])
    return ", ".join(shown) + more


def _excess(seen: Evidence) -> str:
    difference = seen.observed - seen.expected
    side = "more" if difference >= 0 else "fewer"
    times = f", {seen.observed / seen.expected:.1f} times" if seen.expected >= 1 else ""
    return f": {_people(abs(difference))} {side}{times}"


def _sure(seen: Evidence) -> str:
    """Return the p-value as odds: chance alone does this in one period of so many."""
    if seen.p_value <= 0:
        return "chance alone would practically never do this"
    odds = 1 / seen.p_value
    if odds < 2:
        return "chance alone does this every other time"
    rounded = f"{round(odds, 1 - int(math.log10(odds))):,.0f}" if odds < 1e6 else "a million or more"
    return f"chance alone does this once in {rounded} such windows (alarm at 1 in {_odds(seen.alpha)})"


def _odds(alpha: float) -> str:
    return f"{1 / alpha:,.0f}" if alpha > 0 else "none"


def _full(seen: Evidence) -> str:
    return f", full at {seen.full_at:{MOMENT}} at the present rate" if seen.full_at else ""


def _counted(count: float) -> str:
    return "1 person" if count == 1 else f"{_people(count)} people"


def _people(count: float) -> str:
    return f"{count:,.0f}" if count >= 10 or count == int(count) else f"{count:.1f}"
