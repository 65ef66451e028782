"""What a reader returns for each row of a file: a record, or the reason why there is none."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

import msgspec
from pydantic import ValidationError

from streams.contract.dead_letters import Reason, Rejected
from streams.contract.events import LONGEST_INTERVAL, Encounter, Heartbeat
from streams.counting.decoder import Decoder
from streams.producers.layout import ALLOWED
from streams.producers.outgoing import Outgoing


class Row(NamedTuple):
    """A record: the row that it comes from (1 is the first line of the file) and its JSON.

    `figure` names what an official table counts, whatever the count: the same in each release.
    """

    number: int
    value: bytes
    figure: str | None = None


class Skipped(NamedTuple):
    """A valid row or cell that counts nobody."""

    number: int
    reason: str


class Unlabelled(NamedTuple):
    """An unknown label; its people are counted as `unknown`."""

    number: int
    column: str
    label: str
    people: int


Read = Row | Skipped | Unlabelled | Rejected  # of a Rejected, the position is the number of the row

_AT = re.compile(r" - at `\$\.(\w+)`")
_TIME = "is no time with an offset, such as 2022-11-03T14:05:00-04:00"
_EXPECTED = {
    "count": "is no whole number from 0 to 1,000,000",
    "occurred_at": _TIME,
    "reported_at": _TIME,
    "alive_at": _TIME,
    "interval_seconds": f"is no whole number from 1 to {LONGEST_INTERVAL:,}",
    "last": "is neither true nor false",
    "period": "is none of hour, day, week, month",
    **{field: f"is none of {', '.join(allowed)}" for field, allowed in ALLOWED.items()},
}


def row(number: int, fields: Mapping[str, object], figure: str | None = None) -> Row | Rejected:
    """The record of these fields; those that are None are left out."""
    try:
        content = msgspec.json.encode({name: value for name, value in fields.items() if value is not None})
    except UnicodeEncodeError:
        return Rejected(number, Reason.MALFORMED_JSON, "the row is not UTF-8")
    return Row(number, content, figure)


def row_id(source: str, *content: str) -> str:
    """An event id that is the same whenever the same content is read."""
    return f"{source}-{hashlib.blake2b('|'.join(content).encode(), digest_size=12).hexdigest()}"


class Checked:
    """Run rows through the decoder of the worker, and count what is refused, skipped and unlabelled.

    Iterating gives what is good, as it is to be sent. What is refused is kept in `rejected` (the first 1,000)
    and counted by reason; `skipped` counts rows by reason, `unlabelled` people by column and label.
    """

    _KEEP, _CHUNK = 1_000, 512

    def __init__(self, rows: Iterable[Read], decoder: Decoder, now: float) -> None:
        self._rows, self._decoder, self._now = iter(rows), decoder, now
        self.rejected: list[Rejected] = []
        self.reasons: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self.unlabelled: Counter[tuple[str, str]] = Counter()

    def __iter__(self) -> Iterator[Outgoing]:
        while chunk := list(islice(self._rows, self._CHUNK)):
            good = [item for item in chunk if isinstance(item, Row)]
            decoded = self._decoder.decode([item.value for item in good], self._now)
            refused = [_explained(bad, good[bad.position]) for bad in decoded.rejected]
            refused += [item for item in chunk if isinstance(item, Rejected)]
            self._count(sorted(refused), chunk)
            for event in decoded.events:
                origin = good[event.position]
                yield Outgoing(event.sector.encode(), origin.value, event.reported_at, origin.figure)

    def _count(self, refused: list[Rejected], chunk: list[Read]) -> None:
        self.reasons.update(bad.reason for bad in refused)
        self.rejected += refused[: self._KEEP - len(self.rejected)]
        for item in chunk:
            if isinstance(item, Skipped):
                self.skipped[item.reason] += 1
            elif isinstance(item, Unlabelled):
                self.unlabelled[item.column, item.label] += item.people


def _explained(bad: Rejected, origin: Row) -> Rejected:
    """The rejection with the row's number and, for each wrong field, its value and what is allowed."""
    if bad.reason is Reason.FUTURE:
        name, _, rest = bad.detail.partition(" ")
        value = msgspec.json.decode(origin.value)[name]
        return Rejected(origin.number, bad.reason, f'{name} "{value}" {rest}')
    if bad.reason is not Reason.INVALID or not _AT.search(bad.detail):
        return Rejected(origin.number, bad.reason, bad.detail)
    content: Any = msgspec.json.decode(origin.value)
    model = Heartbeat if "source" in content else Encounter
    wrong = _AT.findall(bad.detail)
    try:
        model.model_validate_json(origin.value, strict=True)
    except ValidationError as error:
        wrong += [str(fault["loc"][0]) for fault in error.errors() if fault["loc"]]
    details = [
        f'{name} "{str(content.get(name))[:64]}" {_EXPECTED.get(name, "is no text of 1 to 64 characters")}'
        for name in dict.fromkeys(wrong)
    ]
    return Rejected(origin.number, bad.reason, "; ".join(details))
