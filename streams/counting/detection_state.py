"""What detection remembers of one sector beyond its counts: typed, bounded, by cadence.

    state.hourly.max_gap_hours      state.daily.model      state.of(cadence).breaches

What can be worked out again from the counts is not kept here. The judge alone writes to it.
"""

from typing import Final, Self

import msgspec

from streams.contract.cadence import Cadence
from streams.counting.state_version import StateVersionError

VERSION: Final = 5


class Breach(msgspec.Struct):
    """A question that stands: the last period in breach, and the first of this run of breaches.

    `since` is None while only open periods were in breach: they can still turn out to be calm. `members` are
    the sectors that it is about together, where it is about more than one.
    """

    last: int
    since: int | None = None
    members: list[str] = []


class KeptModel(msgspec.Struct, frozen=True):
    """The fit of one series; arrays are float32 bytes."""

    base: int  # the period that time is counted from
    steps: tuple[int, ...]  # periods at which the level stepped
    periods: int  # that were learnt from
    peers: int  # sectors that the prior was learnt from; 0 where the series has enough history of its own
    coefficients: bytes
    covariance: bytes
    block_variance: float  # relative variance of the level between blocks of periods
    level_variance: float  # relative variance of the level from period to period
    tail: float  # how much heavier the upper tail is than the negative binomial's
    dispersion: float
    down_weighted: int  # past periods held to be surges
    freedom: float = 1e6  # degrees of freedom of the dispersion; an earlier worker took it for known
    week_variance: float = (
        0.0  # relative variance of the level between weeks; 0 where an earlier worker fitted
    )
    unseen: float = 0.0  # shape of the upper tail beyond what was seen
    tail_below: float = 1.0  # how much heavier the lower tail is; an earlier worker took it for no heavier
    lone_low: float = 1.0  # share of the expected people on the lowest lone low period; 1: none was low


class KeptDelays(msgspec.Struct, frozen=True):
    """The reporting delays of one series: sums by age (float64 bytes), and what follows from them."""

    sums: bytes
    learnt: bytes  # int64: by age, the newest period that was learnt from
    late: bool = False  # whether any reports come after their period
    waits: int = 0  # periods after its end in which a period cannot be called low
    settles: int = 0  # periods after its end in which a period cannot be learnt from


class CadenceState(msgspec.Struct, omit_defaults=True, gc=False):
    """What is remembered of the periods of one cadence."""

    model: KeptModel | None = None
    delays: KeptDelays | None = None
    breaches: dict[str, Breach] = {}  # by question: those that stand, or stood until lately
    detectors: dict[str, tuple[float, ...]] = {}  # by question: the state of a recursive detector
    new_levels: list[int] = []  # periods at which unannounced new levels began, the newest two
    gaps: list[int] = []  # periods without data, unless people are counted into them later
    partial: list[int] = []  # periods of which a part was without data
    held_day: int | None = None  # a single day without events, not judged yet
    settled: int | None = None  # the newest period of which enough was reported; None: the newest closed
    revisions: int = 0  # of closed periods so far: they distinguish the verdicts of one period


class HourlyState(CadenceState, omit_defaults=True, gc=False):
    """What is remembered of hours."""

    max_gap_hours: int | None = None  # without events before silence is asked; None: hours are not judged
    rates: bytes = b""  # float16 [7, 24], by local weekday and hour: people for each one of the day
    surge_limits: bytes | None = None  # int32 [24], by local hour: counts that are worth a look


class _Kept(msgspec.Struct, omit_defaults=True):
    """On the wire."""

    version: int = 0
    no_data_since: int | None = None
    stopped: dict[str, int] = {}
    outage: tuple[int, int] | None = None
    hourly: HourlyState | None = None
    daily: CadenceState | None = None
    weekly: CadenceState | None = None
    monthly: CadenceState | None = None


_decoder = msgspec.msgpack.Decoder(_Kept)
_encoder = msgspec.msgpack.Encoder()


class DetectionState:
    """What detection remembers of one sector."""

    __slots__ = (
        "_monthly", "_weekly", "changed", "daily", "hourly", "no_data_since", "open_limits", "outage",
        "stopped",
    )  # fmt: skip

    def __init__(self) -> None:
        self.hourly, self.daily = HourlyState(), CadenceState()
        # Made where they are asked for: few sectors have such tallies, and objects cost the collector time.
        self._weekly: CadenceState | None = None
        self._monthly: CadenceState | None = None
        self.no_data_since: int | None = None  # epoch seconds of the last event, while there is no data
        # The last lack of data that an event has ended: from when until when, epoch seconds.
        self.outage: tuple[int, int] | None = None
        self.stopped: dict[str, int] = {}  # sources that have stopped: epoch seconds of the last heartbeat
        self.changed = True  # since it was last written
        self.open_limits: dict[
            Cadence, float
        ] = {}  # counts below cannot breach in the open period; kept with the counts

    @property
    def weekly(self) -> CadenceState:
        """What is remembered of weeks."""
        if self._weekly is None:
            self._weekly = CadenceState()
        return self._weekly

    @property
    def monthly(self) -> CadenceState:
        """What is remembered of months."""
        if self._monthly is None:
            self._monthly = CadenceState()
        return self._monthly

    def of(self, cadence: Cadence) -> CadenceState:
        """What is remembered of the periods of a cadence."""
        match cadence:
            case Cadence.HOUR:
                return self.hourly
            case Cadence.DAY:
                return self.daily
            case Cadence.WEEK:
                return self.weekly
            case Cadence.MONTH:
                return self.monthly

    def encode(self) -> bytes:
        """Encode all that outlives the worker."""
        return _encoder.encode(
            _Kept(
                version=VERSION,
                no_data_since=self.no_data_since,
                stopped=self.stopped,
                outage=self.outage,
                hourly=self.hourly,
                daily=self.daily,
                weekly=self._weekly,
                monthly=self._monthly,
            )
        )

    @classmethod
    def decode(cls, value: bytes) -> Self:
        """Decode what `encode` wrote; raises StateVersionError for any other version."""
        try:
            kept = _decoder.decode(value)
        except msgspec.DecodeError as error:
            raise StateVersionError("detection", "unreadable", VERSION) from error
        if kept.version != VERSION:
            raise StateVersionError("detection", kept.version, VERSION)
        state = cls()
        state.hourly, state.daily = kept.hourly or HourlyState(), kept.daily or CadenceState()
        state._weekly, state._monthly = kept.weekly, kept.monthly
        state.no_data_since, state.stopped, state.outage = kept.no_data_since, kept.stopped, kept.outage
        state.changed = False
        return state
