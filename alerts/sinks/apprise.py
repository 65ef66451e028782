"""Everything else: services that the Apprise library knows, by one URL each, such as SMS, ntfy or Telegram.

Only services that carry messages to people are allowed. Apprise also has schemas that run programs, write
files or post to any address.
"""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from alerts.lifecycle.alert import Notice, Reason, Severity
from alerts.notices.digests import digest_line, digest_title, gravest_first, more_line
from alerts.sinks import Delivered, DigestedSink, Outcome, Push, Retry

PHONES: Final = (
    *("bulksms", "clicksend", "d7sms", "infobip", "msgbird", "nexmo", "plivo", "signal", "signals", "sinch"),
    *("smseagle", "smseagles", "sns", "threema", "twilio", "vonage", "whatsapp"),
)
PUSHES: Final = ("gotify", "gotifys", "ntfy", "ntfys", "pbul", "pover", "prowl", "simplepush")
CHATS: Final = (
    *("discord", "gchat", "line", "matrix", "matrixs", "mmost", "mmosts", "nctalk", "nctalks", "rocket"),
    *("rockets", "tgram", "twist", "webex", "wxteams", "zulip"),
)
DUTIES: Final = ("ilert", "opsgenie", "pagertree", "signl4", "spike", "splunk", "squadcast", "victorops")
ALLOWED: Final = frozenset((*PHONES, *PUSHES, *CHATS, *DUTIES))
SELF_HOSTED: Final = frozenset(  # their URL names a host
    one
    for name in ("gotify", "matrix", "mmost", "nctalk", "ntfy", "rocket", "signal", "smseagle")
    for one in (name, f"{name}s")
)
TOPICS: Final = ("ntfy", "ntfys")  # without a path, what stands there is a topic of the public server
LINES: Final = 20  # of a digest
TAKEN: Final = 200  # what the client gives as the status where the service has it
KINDS: Final = {Severity.CRITICAL: "failure", Severity.WARNING: "warning", Severity.INFO: "info"}


class AppriseSink(DigestedSink):
    """Sends to one service by its Apprise URL."""

    def request(self, notice: Notice, now: float) -> Push:
        """Return the title and text of a notice."""
        link = self.links.alert(notice.alert)
        return Push(self.url, notice.headline, "\n".join(filter(None, (notice.text, link))), _kind(notice))

    def digest(self, notices: Sequence[Notice], now: float, summary: str = "") -> Push:
        """Return one text for them all: the gravest first, what is over last, then the summary."""
        gravest = gravest_first(notices)
        more = len(gravest) - LINES
        lines = [digest_line(one, self.language) for one in gravest[:LINES]]
        lines += [more_line(more, self.language)] if more > 0 else []
        lines += [line for line in (summary, self.links.console) if line]
        title = digest_title(gravest, self.language) if gravest else self.language.gettext("Backlog")
        return Push(self.url, title, "\n".join(lines), _kind(gravest[0]) if gravest else "info")

    def outcome(self, status: int, headers: dict[str, str], body: bytes) -> Outcome:
        """Return what the client's status means. Apprise does not give why a service refused."""
        return Delivered() if status == TAKEN else Retry("not_taken")


def schema(url: SecretStr) -> str:
    """Return the schema of an Apprise URL, which names the service."""
    return url.get_secret_value().partition("://")[0].lower()


def host(url: SecretStr) -> str:
    """Return the host that the URL of a service of one's own names; nothing for all others."""
    if schema(url) not in SELF_HOSTED:
        return ""
    try:
        parts = urlsplit(url.get_secret_value())
        is_topic = schema(url) in TOPICS and not parts.path.strip("/")
        return "" if is_topic else parts.hostname or ""
    except ValueError:
        return ""


def _kind(notice: Notice) -> str:
    return "success" if notice.reason is Reason.RESOLVED else KINDS[notice.alert.severity]
