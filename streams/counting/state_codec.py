"""The codec of a sector's state: what a commit writes to the changelog, and how it is restored.

The state of a sector is kept under several keys, so that a commit writes mostly what is new:

    swanton␀now       offset, times, the tail of each series     every commit
    swanton␀history   series and slices whole                    when tails do not cover all that changed
    swanton␀detection what detection remembers                   when that has changed
    swanton␀kinds     the kinds that event ids counted for       when there is a new one
    swanton␀ids␀12    a segment of event ids                     while it fills

The tail laid over the history gives the counts. Every record carries its version, and a worker refuses one
that it does not know (StateVersionError). Each record stays below 900 kB, whatever events come: series,
slices, kinds and segments are bounded.
"""

import zlib
from collections.abc import Mapping
from typing import Any, Final

import msgspec
import numpy as np

from streams.contract.cadence import Cadence
from streams.counting.dedup import HORIZON, LIMIT, DedupIndex
from streams.counting.detection_state import DetectionState
from streams.counting.reporting_triangle import TAIL as ARRIVED_TAIL
from streams.counting.reporting_triangle import ReportingTriangle
from streams.counting.sector_counts import KEEP, SEAM, Counts
from streams.counting.series import Integers, Series
from streams.counting.slices import SLICED, Slices
from streams.counting.sources import Source, Sources
from streams.counting.state_version import StateVersionError

VERSION: Final = 5
TAIL: Final = {
    Cadence.HOUR: 48,
    Cadence.DAY: 3,
    Cadence.WEEK: 2,
    Cadence.MONTH: 2,
}  # periods written every commit
SLICE_TAIL: Final = 3
Pair = tuple[bytes, bytes | None]

_pack = msgspec.msgpack.encode


def pairs(counts: Counts) -> list[Pair]:
    """Return all that changed since the last call, as keys and values (None: the key is gone)."""
    counts.settle()
    name, unwritten, dedup = counts.sector.encode(), counts.unwritten, counts.dedup
    out: list[Pair] = []
    if unwritten.history or counts.slices.replaced or _outgrown(counts):
        unwritten.history = counts.slices.replaced = False
        unwritten.sealed = {cadence: series.end for cadence, series in counts.series.items()}
        out.append((name + b"\0history", _history(counts)))
    out.append((name + b"\0now", _now(counts)))
    if counts.state.changed:
        counts.state.changed = False
        out.append((name + b"\0detection", counts.state.encode()))
    if dedup.kinds.changed:
        dedup.kinds.changed = False
        out.append((name + b"\0kinds", _pack({"version": VERSION, "kinds": dedup.kinds.encode()})))
    out += [(_segment_key(name, one.number), dedup.encode(one)) for one in dedup.take_changed()]
    out += [(_segment_key(name, number), None) for number in dedup.dropped]
    dedup.dropped.clear()
    return out


def restore(
    held: Mapping[bytes, bytes], zones: Mapping[str, str], dedup: tuple[int, int] = (LIMIT, HORIZON)
) -> dict[str, Counts]:
    """Restore counts by sector from a partition's pairs; raises StateVersionError.

    `zones` names each sector's time zone, `dedup` are the limit and the horizon of the deduplication index.
    """
    found: dict[str, Counts] = {}
    # In sorted order history comes before now, whose tail lies over it.
    for key in sorted(held):
        sector, _, kind = key.decode(errors="replace").partition("\0")
        counts = found.get(sector) or Counts(sector, zones.get(sector, "UTC"), DedupIndex(*dedup))
        found[sector] = counts
        try:
            _restore(counts, kind, held[key])
        except StateVersionError:
            raise
        except (ValueError, TypeError, LookupError, AttributeError, zlib.error) as error:
            raise StateVersionError(key.decode(errors="replace"), "unreadable", VERSION) from error
    return found


def _restore(counts: Counts, kind: str, value: bytes) -> None:
    match kind.split("\0"):
        case ["history"]:
            _restore_history(counts, _checked(zlib.decompress(value), counts.sector, kind))
        case ["now"]:
            _restore_now(counts, _checked(value, counts.sector, kind))
        case ["detection"]:
            counts.state = DetectionState.decode(value)
        case ["kinds"]:
            counts.dedup.kinds.restore(
                None if held is None else (held[0], held[1], held[2])
                for held in _checked(value, counts.sector, kind)["kinds"]
            )
        case ["ids", number]:
            counts.dedup.restore(int(number), value)
        case _:
            raise StateVersionError(f"{counts.sector} {kind}", "unknown", VERSION)


def _segment_key(name: bytes, number: int) -> bytes:
    return b"%s\0ids\0%d" % (name, number)


def _outgrown(counts: Counts) -> bool:
    """Return whether the series reach further beyond the written history (if any) than a tail covers."""
    sealed = counts.unwritten.sealed
    return any(
        series.end > sealed.get(cadence, series.first + SEAM) + TAIL[cadence] - SEAM
        for cadence, series in counts.series.items()
    )


def without_offset(key: bytes, value: bytes) -> bytes:
    """The value of a key, for a sector that has counted no record of its partition yet."""
    if not key.endswith(b"\0now"):
        return value
    return _pack({**msgspec.msgpack.decode(value), "offset": -1})


def _history(counts: Counts) -> bytes:
    names, table = counts.slices.closed
    body = {
        "version": VERSION,
        "series": {
            cadence: (series.first, series.values.tobytes()) for cadence, series in counts.series.items()
        },
        "slices": (counts.slices.last, names, table.tobytes()),
        "arrived": {
            cadence: (arrived.last, arrived.table.tobytes()) for cadence, arrived in counts.triangles.items()
        },
    }
    return zlib.compress(_pack(body), 1)


def _now(counts: Counts) -> bytes:
    names, table = counts.slices.closed
    return _pack(
        {
            "version": VERSION,
            "offset": counts.offset,
            "times": (counts.event_time, counts.data_until, counts.reported_at),
            "people": counts.people,
            "closed": counts.closed,
            "watermark": (counts.watermark, counts.is_live, counts.looked_at),
            "open_limits": counts.state.open_limits,
            "sliced": counts.sliced,
            "sealed": counts.unwritten.sealed,
            "revised": sorted(counts.revised),
            "nil": sorted(counts.nil),
            "sources": counts.sources,
            "arrived": {
                cadence: (arrived.last, arrived.table[-ARRIVED_TAIL:].tobytes())
                for cadence, arrived in counts.triangles.items()
            },
            "tails": {cadence: _tail(series) for cadence, series in counts.series.items()},
            "slices": (counts.slices.last, names, table[:, -SLICE_TAIL:].tobytes(), counts.slices.open),
        }
    )


def _tail(series: Series) -> tuple[int, bytes]:
    tail = series.values[-TAIL[series.cadence] :]
    return series.end - len(tail), tail.tobytes()


def _restore_history(counts: Counts, body: dict[str, Any]) -> None:
    for name, (first, values) in body["series"].items():
        cadence = Cadence(name)
        counts.series[cadence] = Series(cadence, KEEP[cadence], first, _integers(values))
    last, names, table = body["slices"]
    counts.slices = Slices(last, names, _integers(table).reshape(len(names), SLICED))
    for name, (last, rows) in body["arrived"].items():
        counts.triangles[Cadence(name)] = ReportingTriangle.over(Cadence(name), last, rows)


def _restore_now(counts: Counts, body: dict[str, Any]) -> None:
    counts.offset, counts.people = body["offset"], body["people"]
    counts.event_time, counts.data_until, counts.reported_at = body["times"]
    counts.closed = {Cadence(name): index for name, index in body["closed"].items()}
    counts.watermark, counts.is_live, counts.looked_at = body["watermark"]
    counts.state.open_limits = {Cadence(name): limit for name, limit in body["open_limits"].items()}
    counts.unwritten.sealed = {Cadence(name): index for name, index in body["sealed"].items()}
    counts.sliced = body["sliced"] and Cadence(body["sliced"])
    counts.unwritten.history = False
    for name, (first, values) in body["tails"].items():
        cadence = Cadence(name)
        series = counts.series.setdefault(cadence, Series(cadence, KEEP[cadence]))
        for index, count in enumerate(_integers(values).tolist(), first):
            series.add(index, count - series.get(index))
    last, names, table, opened = body["slices"]
    counts.slices = counts.slices.overlaid(
        last, names, _integers(table).reshape(len(names), SLICE_TAIL), opened
    )
    counts.revised = {(Cadence(name), index) for name, index in body["revised"]}
    counts.nil = {(Cadence(name), index) for name, index in body["nil"]}
    # A worker that knew no heartbeats wrote none.
    counts.sources = Sources({name: Source(*held) for name, held in body.get("sources", {}).items()})
    for name, (last, tail) in body["arrived"].items():
        before = counts.triangles.get(Cadence(name))
        counts.triangles[Cadence(name)] = ReportingTriangle.over(Cadence(name), last, tail, before)


def _integers(values: bytes) -> Integers:
    return np.frombuffer(values, np.int64).copy()


def _checked(value: bytes, sector: str, kind: str) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.msgpack.decode(value)
    if body.get("version") != VERSION:
        raise StateVersionError(f"{sector} {kind}", body.get("version"), VERSION)
    return body
