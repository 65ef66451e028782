"""Records of every kind that may lie on a topic: what its model admits, what it nearly admits, and any bytes.

Values are made from the models themselves, so that a new field is tried the day it is added. Text of JSON is
written by hand: NaN, infinities and huge numbers have to reach the readers as a foreign producer may send
them.
"""

import datetime as dt
import json
import math
import types
from collections.abc import Callable, Sequence
from enum import Enum
from random import Random
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen
from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo

from surgewatch.harness.records import Record

NAMES = {
    "sector": ("swanton", "tucson", "rcmp-quebec"),
    "border": ("northern", "southwest"),
    "repeats": ("FREQ=DAILY", "FREQ=WEEKLY;BYDAY=SA,SU", "FREQ=MONTHLY;BYMONTHDAY=-1"),
    "time_zone": ("UTC", "Asia/Tokyo", "America/Los_Angeles"),
}
NOW = 1_700_000_000  # epoch seconds: the broker's time, about
WORDS = (
    "swanton",
    "tucson",
    "rcmp-quebec",
    "a",
    "ñ",
    "x" * 64,
    "\0",
    "<!channel>",
    "citizenship=HAITI",
    "north",
)
TIMES = (-2_208_988_800, -1, 0, NOW - 90_000, NOW - 3_600, NOW, NOW + 3_000, NOW + 10**6, 253_402_300_799)
EDGES = (  # of calendars: the first and the last moment, a leap second, an offset of a day
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2016-12-31T23:59:60Z",
    "2023-11-14T20:00:00+24:00",
)
HUGE = (1e6, 1e9, 2.0**62, 1e30)  # where a model has no upper limit
TINY = 1e-300
NUMBERS = (0, 1, 2.5, -1, 20, 10**6, 2**31, 2**53, 2**63, 10**400, 1e308, float("nan"), float("inf"))
STAMPS = (-(2**63), -1, 0, 1, NOW * 1000, 253_402_300_800_000, 2**63 - 1)
LONG = 900_000  # bytes of a text or a list: the broker takes a record of 1 MiB
HEADERS = (b"", b"1", b"-1", b"1.5", b"x", b"9" * 400, b"\xff", str(NOW * 1000).encode(), None)
JUNK = (b"", b"null", b"[]", b"{}", b"{" * 5_000, b"\xff\xfe", b'"', b"NaN", b"0" * 100, b"\0")


class Maker:
    """Makes records.

    `wild` is the share of fields with a value of any type, `odd` that of odd values of the right type.
    """

    def __init__(self, random: Random, *, wild: float, odd: float, words: Sequence[str] = WORDS) -> None:
        self._random, self._wild, self._odd, self._words = random, wild, odd, words
        self._name = ""  # of the field that is being made

    def record(self, offset: int, models: Sequence[type[BaseModel]]) -> Record:
        """A record of a topic on which values of these models lie."""
        random = self._random
        key = random.choice((None, b"", b"\xff", *(text.encode() for text in self._words)))
        value = self.value(models)
        timestamp = NOW * 1000 if random.random() < 0.8 else random.choice(STAMPS)
        headers = [("produced_at", random.choice(HEADERS)) for _ in range(random.randrange(3))]
        return Record(offset, value, timestamp, headers, key)

    def value(self, models: Sequence[type[BaseModel]]) -> bytes | None:
        """The bytes of a record."""
        random = self._random
        if random.random() < 0.1:
            return random.choice((None, *JUNK, random.randbytes(random.randrange(40))))
        text = json.dumps(self.model(random.choice(models)))
        return text.encode("utf-8", "surrogatepass")

    def model(self, model: type[BaseModel]) -> dict[str, Any]:
        """The fields of a model."""
        made = {
            name: self._field(name, field)
            for name, field in model.model_fields.items()
            if field.is_required() or self._random.random() < 0.5
        }
        if self._random.random() < self._wild:
            made["field_of_a_later_version"] = 1
        return made

    def _field(self, name: str, field: FieldInfo) -> Any:
        self._name = name
        if self._random.random() < self._wild:
            return self._random.choice((None, "", [], {}, True, "x" * 5_000, *NUMBERS, *self._words))
        return self._of(field.annotation, field.metadata)

    def _of(self, kind: Any, limits: Sequence[Any]) -> Any:
        origin, arguments = get_origin(kind), get_args(kind)
        if kind is AwareDatetime:
            return self._moment()
        if origin is Annotated:
            return self._of(arguments[0], [*limits, *arguments[1:]])
        if origin in (Union, types.UnionType):
            return self._of(self._random.choice(arguments), limits)
        if origin is Literal:
            return self._random.choice(arguments)
        if origin is tuple:
            made = [self._of(arguments[0], []) for _ in range(self._random.randrange(4))]
            return made[:1] * (LONG // len(json.dumps(made[0]))) if made and self._is_long() else made
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return self.model(kind)
        if isinstance(kind, type) and issubclass(kind, Enum):
            return self._random.choice(list(kind)).value
        return self._plain(kind, limits)

    def _plain(self, kind: Any, limits: Sequence[Any]) -> Any:
        plain: dict[Any, Callable[[], Any]] = {
            bool: lambda: self._random.random() < 0.5,
            int: lambda: int(self._number(limits)),
            float: lambda: self._number(limits),
            str: lambda: self._word(limits),
            dt.datetime: self._moment,
            dt.date: lambda: self._moment()[:10],
            dt.time: lambda: self._moment()[11:19],
            type(None): lambda: None,
        }
        return plain[kind]()

    def _is_odd(self) -> bool:
        """Return whether to draw an unusual value of the right type."""
        return self._random.random() < self._odd

    def _is_long(self) -> bool:
        """Return whether to draw a value of about the length that the broker takes."""
        return self._is_odd() and self._random.random() < 0.02

    def _number(self, limits: Sequence[Any]) -> float:
        """Draw a number within its limits, often at one of them or near 0."""
        is_odd = self._is_odd()
        low, high = (-5.0, self._random.choice(HUGE)) if is_odd else (0.0, 1e6)
        for limit in limits:
            if isinstance(limit, Ge):
                low = float(str(limit.ge))
            if isinstance(limit, Gt):
                low = math.nextafter(float(str(limit.gt)), math.inf)
            if isinstance(limit, Le | Lt):
                high = float(str(limit.le if isinstance(limit, Le) else limit.lt))
        near_zero = min(max(TINY if is_odd else 1, low), high)
        return self._random.choice((low, high, self._random.uniform(low, high), near_zero))

    def _word(self, limits: Sequence[Any]) -> str:
        if not self._is_odd():
            return self._random.choice(
                NAMES.get(self._name) or (f"{self._name}-{self._random.randrange(10**4)}",)
            )
        if self._is_long():
            return "x" * LONG
        longest = next((one.max_length for one in limits if isinstance(one, MaxLen)), 64)
        return self._random.choice(self._words)[:longest] if self._random.random() < 0.9 else ""

    def _moment(self) -> str:
        if self._is_odd() and self._random.random() < 0.3:
            return self._random.choice(EDGES)
        times = TIMES if self._is_odd() else (NOW - 7_200, NOW)
        at = dt.datetime.fromtimestamp(self._random.choice(times), dt.UTC)
        hours = self._random.choice((-14, -5, 0, 5.5, 14)) if 1900 < at.year < 9000 else 0
        return at.astimezone(dt.timezone(dt.timedelta(hours=hours))).isoformat()
