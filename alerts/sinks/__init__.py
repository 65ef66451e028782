"""Where notices go. A sink is pure: it writes requests and reads answers; delivery carries both.

Most sinks speak HTTP: a request for each notice. A sink that `Edits` has one message for each alert.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, NamedTuple, Protocol, runtime_checkable

from pydantic import SecretStr

from alerts.languages.language import ENGLISH, Language
from alerts.lifecycle.alert import Notice
from alerts.notices.batches import Limits
from alerts.notices.links import NOWHERE, Links
from alerts.notices.outcomes import Absent, Delivered, Outcome, Refused, Retry

LONGEST_RETRY_AFTER: Final = 86_400.0  # seconds; delivery caps it further
# A gateway had no answer in time: the receiver may have the request. 502 is not among these. It comes from
# every gateway whose receiver is down, and then all that began and ended meanwhile would be sent. A request
# that was taken and answered 502 is tried again: it matters only if 502 lasts for longer than the alert.
NO_ANSWER: Final = frozenset({504, 524})

__all__ = [
    "Absent",
    "Acknowledges",
    "AnyRequest",
    "Delivered",
    "DigestedSink",
    "Digests",
    "Edits",
    "Keyed",
    "Mail",
    "MailServer",
    "OnePerSource",
    "Outcome",
    "Posting",
    "Push",
    "Refused",
    "Reposts",
    "Request",
    "Retry",
    "Sink",
    "http_outcome",
    "limits_of",
    "retry_after",
]


class Request(NamedTuple):
    """An HTTP request to be made. It may contain secrets, so it is neither logged nor shown."""

    url: str
    headers: dict[str, str]
    body: bytes
    method: str = "POST"

    def __repr__(self) -> str:
        return f"Request({self.method}, {len(self.body)} bytes)"


class MailServer(NamedTuple):
    """An SMTP server and how to log in to it, over TLS from the start or by STARTTLS."""

    host: str
    port: int
    security: Literal["tls", "starttls"] = "starttls"
    username: SecretStr | None = None
    password: SecretStr | None = None
    ca_file: Path | None = None  # of a private CA; None: those of the system


class Mail(NamedTuple):
    """A mail to be handed to a server."""

    server: MailServer
    sender: str
    recipients: tuple[str, ...]
    message: bytes

    def __repr__(self) -> str:
        return f"Mail({len(self.recipients)} recipients, {len(self.message)} bytes)"


class Push(NamedTuple):
    """A message to be sent by Apprise."""

    url: SecretStr
    title: str
    body: str
    kind: str  # info, success, warning or failure


class Posting(NamedTuple):
    """What the one message about an alert shows from now on."""

    alert_id: str
    notice_id: str
    content: dict[str, Any]
    reply: dict[str, Any]  # about the change, in the message's thread; empty: none
    reference: str  # of the message; empty where the ledger knows of none
    unrecorded: bool  # an earlier try may have been received: it is looked for, and sent the next time


AnyRequest = Request | Mail | Push | Posting  # each kind is sent by a client of its own


class Sink(Protocol):
    """One channel to people."""

    @property
    def name(self) -> str:
        """Its name in the routes."""

    @property
    def spacing(self) -> float:
        """The least number of seconds between two requests."""

    @property
    def private(self) -> bool:
        """Whether it may send to private addresses."""

    @property
    def language(self) -> Language:
        """The language of what it sends."""

    def request(self, notice: Notice, now: float) -> AnyRequest:
        """Return the request for a notice (`now`: epoch seconds)."""

    def outcome(self, status: int, headers: dict[str, str], body: bytes) -> Outcome:
        """Return what the receiver's answer means."""


@runtime_checkable
class Edits(Sink, Protocol):
    """A sink that has one message for each alert, and edits it as the alert changes."""

    def posting(self, notice: Notice, *, reference: str, unrecorded: bool) -> Posting:
        """Return what the message shows after a notice; the arguments are those of `Posting`."""


@runtime_checkable
class OnePerSource(Sink, Protocol):
    """A sink that is shown all alerts on one source as one, with a part for each sector."""

    one_per_source: ClassVar[bool]


@runtime_checkable
class Keyed(Sink, Protocol):
    """A sink whose receiver keeps alerts by their ids: an end of what it does not have harms nobody."""

    keyed: ClassVar[bool]


@runtime_checkable
class Acknowledges(Sink, Protocol):
    """A sink whose receiver knows acknowledged alerts, by a request of its own."""

    acknowledges: ClassVar[bool]


@runtime_checkable
class Digests(Sink, Protocol):
    """A sink that takes many notices in one message, so that a storm is one message and not a hundred."""

    @property
    def most(self) -> int:
        """The largest number of notices in one digest."""

    def digest(self, notices: Sequence[Notice], now: float, summary: str = "") -> AnyRequest:
        """Return the request for all of them; `summary`: one line about alerts that have no notice."""


@dataclass(frozen=True)
class DigestedSink:
    """What sinks have that post to one URL, a notice or a digest at a time."""

    name: str
    url: SecretStr
    links: Links = NOWHERE
    spacing: float = 1.0
    private: bool = False
    language: Language = ENGLISH
    most: int = 200


@runtime_checkable
class Reposts(Sink, Protocol):
    """A sink whose receiver forgets an alert that is not posted again."""

    @property
    def every(self) -> float:
        """The seconds after which what stands has to be posted again."""

    def standing(self, notices: Sequence[Notice], now: float) -> AnyRequest:
        """Return the request that posts it."""


def limits_of(sink: Sink, give_up: float) -> Limits:
    """Return how a sink takes messages; each is given up after so many seconds."""
    return Limits(
        spacing=sink.spacing,
        most=sink.most if isinstance(sink, Digests) else 1,
        give_up=give_up,
        edits=isinstance(sink, Edits),
        by_source=isinstance(sink, OnePerSource),
        keyed=isinstance(sink, Keyed),
        acknowledges=isinstance(sink, Acknowledges),
    )


def http_outcome(status: int, headers: dict[str, str]) -> Outcome:
    """Return what an HTTP status means, where a receiver has no rules of its own."""
    if 200 <= status < 300:
        return Delivered()
    if status == 410:
        return Refused("gone", gone=True)
    if status in (408, 425, 429) or status >= 500:
        return Retry(f"http_{status}", retry_after(headers), unanswered=status in NO_ANSWER)
    return Refused("redirect" if 300 <= status < 400 else f"http_{status}")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a `Retry-After` header; None where it is not usable, or asks for no wait."""
    by_name = {name.lower(): value for name, value in headers.items()}
    seconds = _seconds(by_name.get("retry-after", ""), by_name.get("date", ""))
    return min(seconds, LONGEST_RETRY_AFTER) if seconds > 0 else None


def _seconds(value: str, date: str) -> float:
    """Return the seconds of a number, or until a date by the receiver's own clock; 0 where it is neither."""
    if value.isascii() and value.isdigit():
        return float(value)
    try:
        return (parsedate_to_datetime(value) - parsedate_to_datetime(date)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return 0.0
