"""A log in which every kind of record comes, for two borders that look at each other, with days off."""

import datetime as dt
import json
import random
from collections.abc import Iterator

from streams.baselines.calendar import Calendar, KnownDate
from streams.contract.sectors import Registry, Sector
from tests.laws.reading import DAY, HOUR, START, Sent

NAMES = ("a", "b", "c", "x")
ZONES = ("UTC", "America/New_York", "America/Chicago", "Europe/Paris")
PLACES = Registry(
    sector=tuple(
        Sector(
            id=name, name=name.upper(), country="US", border="north" if name == "x" else "south",
            time_zone=zone, neighbours=("a",) if name in "bc" else (), upstream=("x",) if name == "a" else (),
        )
        for name, zone in zip(NAMES, ZONES, strict=True)
    )
)  # fmt: skip
CALENDAR = Calendar(
    (
        KnownDate(dt.date(2023, 1, 20), "closure", "strike", "b", dt.date(2023, 1, 23)),
        KnownDate(dt.date(2023, 2, 1), "policy", "treaty", "c"),
    )
)


def mixture(seed: int, days: int = 66, *, live: bool = True) -> list[Sent]:
    """Each place in its own way: single events, hourly or daily totals; on time, late, silent for a while."""
    draw, sent = random.Random(seed), list[tuple[int, str, dict[str, object]]]()
    moved = range(begun := draw.randrange(40, 60), begun + 6)  # people leave `a` for `b`
    for name in NAMES:
        sent += _place(name, random.Random(draw.random()), days, moved)
    sent.sort(key=lambda one: one[0])
    now = START + days * DAY
    return [Sent(name, json.dumps(body).encode(), START + at if live else now) for at, name, body in sent]


def _place(
    name: str, draw: random.Random, days: int, moved: range
) -> Iterator[tuple[int, str, dict[str, object]]]:
    period, rate = draw.choice(("", "hour", "day", "day")), 60 if name in "ab" else draw.choice((2, 12, 60))
    late = draw.choice((0, 0, HOUR, 9 * HOUR, 2 * DAY))
    silent = range(start := draw.randrange(20, days), start + draw.choice((0, 0, 3, 12)))
    times = {"a": 0.3, "b": 1.8}.get(name, 1.0)
    source = draw.choice(("", "ferry", "bridge"))
    for day in range(days):
        whole = rate * (times if day in moved else 1.0)
        if day not in silent:
            for number, at in enumerate(_moments(period, day, draw)):
                count = (
                    50
                    if draw.random() < 0.01
                    else _about(whole / {"day": 1, "hour": 24, "": 6}[period], draw)
                )
                event_id = f"{name}{day}.{number}"
                event = {
                    "event_id": event_id, "sector": name, "occurred_at": _iso(at), "count": count,
                    "crossing_type": "at_port", "demographic": draw.choice(("family_unit", "unknown")),
                    "citizenship": draw.choice(("HAITI", "CUBA")), "reported_at": _iso(at + HOUR + late),
                    **({"period": period} if period else {}),
                }  # fmt: skip
                if not count and not period:
                    continue
                yield at + HOUR + late, name, event
                if draw.random() < 0.06:
                    again = at + HOUR + late + draw.randrange(4 * DAY)
                    wrong = {"event_id": f"{event_id}r", "replaces": event_id, "reported_at": _iso(again)}
                    yield again, name, {**event, **wrong, "count": draw.choice((0, count + 3, 90 * count))}
        if source and (day not in silent or draw.random() < 0.1):
            yield from (
                (day * DAY + 6 * HOUR * part, name, _beat(source, name, day, part)) for part in range(4)
            )
    if source:  # it moves elsewhere
        other = draw.choice(NAMES)
        yield days * DAY - HOUR, name, {**_beat(source, name, days - 1, 4), "last": True}
        yield days * DAY - HOUR, other, _beat(source, other, days - 1, 4)


def _moments(period: str, day: int, draw: random.Random) -> list[int]:
    match period:
        case "day":
            return [day * DAY + 22 * HOUR]
        case "hour":
            return [day * DAY + hour * HOUR + 60 for hour in range(24)]
    return sorted(day * DAY + draw.randrange(DAY) for _ in range(draw.randrange(12)))


def _about(mean: float, draw: random.Random) -> int:
    return max(round(draw.gauss(mean, mean**0.5)), 0)


def _beat(source: str, sector: str, day: int, part: int) -> dict[str, object]:
    at = _iso(day * DAY + 6 * HOUR * part)
    return {"source": source, "sector": sector, "alive_at": at, "interval_seconds": 6 * HOUR}


def _iso(at: int) -> str:
    return dt.datetime.fromtimestamp(START + at, dt.UTC).isoformat()
