"""Where notices go. A sink is pure: it writes a request and reads the answer; delivery carries both."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from alerts.lifecycle.alert import Alert, Notice


class Request(NamedTuple):
    """An HTTP request to be made; it may bear secrets, so it is neither logged nor shown."""

    url: str
    headers: dict[str, str]
    body: bytes
    method: str = "POST"

    def __repr__(self) -> str:
        return f"Request({self.method}, {len(self.body)} bytes)"


class Delivered(NamedTuple):
    """The receiver has it."""


class Retry(NamedTuple):
    """Not now; `after` seconds, where the receiver said so."""

    reason: str
    after: float | None = None


class Refused(NamedTuple):
    """Never: it goes to the dead letters. `gone`: the receiver wants nothing more at all."""

    reason: str
    gone: bool = False


Outcome = Delivered | Retry | Refused


class Sink(Protocol):
    """One channel to people."""

    @property
    def name(self) -> str:
        """Its name in the routes."""

    @property
    def spacing(self) -> float:
        """Seconds between two requests, at least."""

    @property
    def private(self) -> bool:
        """May it send to private addresses?"""

    def request(self, notice: Notice, now: float) -> Request | None:
        """The request for a notice (`now`: epoch seconds), or None where the sink tells no such thing."""

    def outcome(self, status: int, headers: dict[str, str], body: bytes) -> Outcome:
        """What the receiver's answer means."""


@runtime_checkable
class Digests(Sink, Protocol):
    """A sink that can tell many notices at once, so that a storm is one message and not a hundred."""

    @property
    def most(self) -> int:
        """Notices in one digest, at most."""

    def digest(self, notices: Sequence[Notice], now: float) -> Request:
        """The request that tells them all."""


@runtime_checkable
class Reminds(Sink, Protocol):
    """A sink whose receiver forgets what it does not hear of again."""

    @property
    def every(self) -> float:
        """Seconds after which what stands is to be said again."""

    def standing(self, alerts: Sequence[Alert], now: float) -> Request:
        """The request that says it."""


def http_outcome(status: int, headers: dict[str, str]) -> Outcome:
    """What an HTTP status means, where a receiver has no rules of its own."""
    if 200 <= status < 300:
        return Delivered()
    if status == 410:
        return Refused("gone", gone=True)
    if status in (408, 425, 429) or status >= 500:
        return Retry(f"http_{status}", _after(headers))
    return Refused("redirect" if 300 <= status < 400 else f"http_{status}")


def _after(headers: dict[str, str]) -> float | None:
    said = {name.lower(): value for name, value in headers.items()}.get("retry-after", "")
    return min(float(said), 86_400.0) if said.isdigit() else None
