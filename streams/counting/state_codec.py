"""Counts on the wire: what goes to the changelog at a commit, and back from it.

A sector's state stands under several kinds of keys, so that a commit writes about what is new:

    swanton␀now       offset, times, the tail of each series     every commit
    swanton␀history   series and slices whole                    when tails do not tell all that changed
    swanton␀detection what detection remembers                   when that has changed
    swanton␀kinds     the combinations that ids counted for      when there is a new one
    swanton␀seen␀12   a segment of event ids                     while it fills

The tail laid over the history gives the counts. Version 3; a worker refuses a version it does not know.
"""

import zlib
from collections.abc import Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from streams.contract.cadence import Cadence
from streams.counting.dedup import HORIZON, LIMIT, DedupIndex
from streams.counting.detection_state import DetectionState
from streams.counting.reporting_triangle import TAIL as ARRIVED_TAIL
from streams.counting.reporting_triangle import ReportingTriangle
from streams.counting.sector_counts import KEEP, SEAM, Counts
from streams.counting.series import Series
from streams.counting.slices import SLICED, Slices

VERSION = 3
TAIL = {Cadence.HOUR: 48, Cadence.DAY: 3, Cadence.WEEK: 2, Cadence.MONTH: 2}  # periods written every commit
SLICE_TAIL = 3
Pair = tuple[bytes, bytes | None]

_pack = msgspec.msgpack.encode
_unpack = msgspec.msgpack.decode


class EncodingError(ValueError):
    """State of a version that this worker does not know."""


def pairs(counts: Counts) -> list[Pair]:
    """All that changed since it was last asked, as keys and values (None: the key is gone)."""
    name = counts.sector.encode()
    out: list[Pair] = []
    if (counts.grown or _outgrown(counts)) and not _young(counts):
        counts.grown = False
        counts.sealed = {cadence: series.end for cadence, series in counts.series.items()}
        out.append((name + b"\0history", _history(counts)))
    out.append((name + b"\0now", _now(counts)))
    if counts.state.changed:
        counts.state.changed = False
        out.append((name + b"\0detection", counts.state.encode()))
    seen = counts.seen
    if seen.kinds.changed:
        seen.kinds.changed = False
        out.append((name + b"\0kinds", _pack(list(seen.kinds.codes))))
    for segment in seen.segments:
        if segment.changed:
            segment.changed, segment.written = False, True
            out.append((_segment_key(name, segment.number), seen.encode(segment)))
    out += [(_segment_key(name, number), None) for number in seen.gone]
    seen.gone.clear()
    return out


def restore(
    held: Mapping[bytes, bytes], zones: Mapping[str, str], dedup: tuple[int, int] = (LIMIT, HORIZON)
) -> dict[str, Counts]:
    """Counts by sector from a partition's pairs; `zones` names each sector's zone, `dedup` bounds ids."""
    found: dict[str, Counts] = {}
    # In sorted order history comes before now, whose tail lies over it.
    for key in sorted(held):
        sector, _, kind = key.decode().partition("\0")
        counts = found.setdefault(sector, Counts(sector, zones.get(sector, "UTC"), DedupIndex(*dedup)))
        if kind == "history":
            _take_history(counts, held[key])
        elif kind == "now":
            _take_now(counts, held[key])
        elif kind == "detection":
            counts.state = DetectionState.decode(held[key])
        elif kind == "kinds":
            for known in _unpack(held[key]):
                counts.seen.kinds.code(tuple(known))
            counts.seen.kinds.changed = False
        else:
            counts.seen.restore(int(kind.partition("\0")[2]), held[key])
    return found


def _segment_key(name: bytes, number: int) -> bytes:
    return b"%s\0seen\0%d" % (name, number)


def _young(counts: Counts) -> bool:
    """Do tails tell all there is, so that no history needs to be written?"""
    series = counts.series.values()
    return bool(series) and not counts.sealed and all(len(one.values) <= TAIL[one.cadence] for one in series)


def _outgrown(counts: Counts) -> bool:
    """Do the series reach further beyond what was sealed (if anything was) than a tail covers?"""
    return any(
        series.end > counts.sealed.get(cadence, series.first + SEAM) + TAIL[cadence] - SEAM
        for cadence, series in counts.series.items()
    )


def _history(counts: Counts) -> bytes:
    body = {
        "version": VERSION,
        "series": {
            cadence: (series.first, _ints(series.values)) for cadence, series in counts.series.items()
        },
        "slices": (counts.slices.last, counts.slices.names, _ints(counts.slices.table)),
        "arrived": {
            cadence: (arrived.last, _ints(arrived.table)) for cadence, arrived in counts.arrived.items()
        },
    }
    return zlib.compress(_pack(body), 1)


def _now(counts: Counts) -> bytes:
    slices = counts.slices
    return _pack(
        {
            "version": VERSION,
            "offset": counts.offset,
            "times": (counts.event_time, counts.arrival),
            "people": counts.people,
            "closed": counts.closed,
            "sliced": counts.sliced,
            "sealed": counts.sealed,
            "revised": sorted(counts.revised),
            "arrived": {
                cadence: (arrived.last, _ints(arrived.table[-ARRIVED_TAIL:]))
                for cadence, arrived in counts.arrived.items()
            },
            "tails": {cadence: _tail(series) for cadence, series in counts.series.items()},
            "slices": (slices.last, slices.names, _ints(slices.table[:, -SLICE_TAIL:])),
        }
    )


def _tail(series: Series) -> tuple[int, bytes]:
    length = min(TAIL[series.cadence], len(series.values))
    return series.end - length, _ints(series.values[len(series.values) - length :])


def _ints(values: NDArray[np.int32]) -> bytes:
    return values.tobytes()


def _take_history(counts: Counts, value: bytes) -> None:
    body = _checked(_unpack(zlib.decompress(value)), counts.sector)
    for name, (first, values) in body["series"].items():
        cadence = Cadence(name)
        counts.series[cadence] = Series(cadence, KEEP[cadence], first, np.frombuffer(values, np.int32).copy())
    last, names, table = body["slices"]
    rows = np.frombuffer(table, np.int32).reshape(len(names), SLICED).copy()
    counts.slices = Slices(last, names, rows)
    for name, (last, rows) in body["arrived"].items():
        counts.arrived[Cadence(name)] = ReportingTriangle.over(Cadence(name), last, rows)


def _take_now(counts: Counts, value: bytes) -> None:
    body = _checked(_unpack(value), counts.sector)
    counts.offset, counts.people = body["offset"], body["people"]
    counts.event_time, counts.arrival = body["times"]
    counts.closed = {Cadence(name): index for name, index in body["closed"].items()}
    counts.sealed = {Cadence(name): index for name, index in body["sealed"].items()}
    counts.sliced = body["sliced"] and Cadence(body["sliced"])
    counts.grown = False
    for name, (first, values) in body["tails"].items():
        cadence = Cadence(name)
        series = counts.series.setdefault(cadence, Series(cadence, KEEP[cadence]))
        for index, count in enumerate(np.frombuffer(values, np.int32).tolist(), first):
            series.add(index, count - series.get(index))
    last, names, table = body["slices"]
    tail = np.frombuffer(table, np.int32).reshape(len(names), SLICE_TAIL)
    counts.slices = counts.slices.overlaid(last, names, tail)
    counts.revised = {(Cadence(name), index) for name, index in body["revised"]}
    for name, (last, tail) in body["arrived"].items():
        before = counts.arrived.get(Cadence(name))
        counts.arrived[Cadence(name)] = ReportingTriangle.over(Cadence(name), last, tail, before)


def _checked(body: dict[str, Any], sector: str) -> dict[str, Any]:
    if body.get("version") != VERSION:
        found = body.get("version")
        raise EncodingError(f"state of {sector} has version {found}; this worker knows {VERSION}")
    return body
