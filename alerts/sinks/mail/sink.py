"""Mails: one alert is one thread, many notices at once are one digest.

Mail clients put messages into one thread by `References`, and some of them also by subject. So all messages
about an alert refer to one id, and their subject names what does not change: question, place and onset. The
headline is the first line of the text, which clients show beside the subject.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from alerts.languages.language import ENGLISH, Language
from alerts.lifecycle.alert import Alert, Notice, Severity
from alerts.notices.digests import digest_line, digest_title, gravest_first
from alerts.notices.links import NOWHERE, Links
from alerts.notices.wording import group, place, question_title
from alerts.sinks import Delivered, Mail, MailServer, Outcome, Refused, Retry
from alerts.sinks.mail.html import digest_page, page

ASCII: Final = SMTP.clone(cte_type="7bit")  # as a server may have it that does not offer 8BITMIME
NAME: Final = "Surgewatch"  # the sender's
CREDENTIALS: Final = (530, 534, 535, 538)  # a password can be corrected, so nothing is given up
EXPLANATION: Final = 100  # characters of the server's


@dataclass(frozen=True)
class MailSink:
    """Sends to some addresses through one SMTP server."""

    name: str
    server: MailServer
    sender: str
    recipients: tuple[str, ...]
    links: Links = NOWHERE
    spacing: float = 1.0
    private: bool = False
    language: Language = ENGLISH
    most: int = 200

    def request(self, notice: Notice, now: float) -> Mail:
        """Return the mail on a notice."""
        title = notice.label + subject(notice.alert, self.language)
        message = self._message(title, notice.notice_id, now)
        thread = self._id(notice.alert.alert_id)
        message["In-Reply-To"] = message["References"] = thread
        if notice.alert.severity is Severity.CRITICAL:
            message["Importance"] = "high"
        links = "\n".join(f"{link.text}: {link.url}" for link in self.links.of(notice.alert, self.language))
        message.set_content("\n\n".join(filter(None, (notice.headline, notice.text, links))))
        message.add_alternative(page(notice, self.links, self.language), subtype="html")
        return self._mail(message)

    def digest(self, notices: Sequence[Notice], now: float, summary: str = "") -> Mail:
        """Return one mail on all of them, in a thread of its own."""
        gravest = gravest_first(notices)
        title = digest_title(gravest, self.language) if gravest else summary
        ids = "\0".join([*(one.notice_id for one in notices), summary])
        digest_id = hashlib.blake2b(ids.encode(), digest_size=12).hexdigest()
        message = self._message(title, digest_id, now)
        lines = [title, "", *(digest_line(one, self.language) for one in gravest)]
        lines += [summary] if summary else []
        lines += ["", self.links.console] if self.links.console else []
        message.set_content("\n".join(lines))
        html = digest_page(title, gravest, self.links, summary=summary, language=self.language)
        message.add_alternative(html, subtype="html")
        return self._mail(message)

    def outcome(self, status: int, headers: dict[str, str], body: bytes) -> Outcome:
        """Return what the reply code means: 4xx and refused credentials may pass, any other is for good."""
        if 200 <= status < 300:
            return Delivered()
        if 400 <= status < 500 or status in CREDENTIALS:
            return Retry(f"smtp_{status}")
        return Refused(f"smtp_{status} {_line(body.decode(errors='replace'))[:EXPLANATION]}".strip())

    def _message(self, title: str, message_id: str, now: float) -> EmailMessage:
        message = EmailMessage(policy=ASCII)
        message["From"] = Address(NAME, addr_spec=self.sender)
        message["To"] = [Address(addr_spec=one) for one in self.recipients]
        message["Subject"] = _line(f"{NAME}: {title}")
        message["Date"] = format_datetime(dt.datetime.fromtimestamp(int(now), dt.UTC))
        message["Message-ID"] = self._id(message_id)
        message["Auto-Submitted"] = "auto-generated"  # so that nobody's absence is replied
        return message

    def _id(self, name: str) -> str:
        return f"<{name}@{self.sender.rpartition('@')[2]}>"

    def _mail(self, message: EmailMessage) -> Mail:
        return Mail(self.server, self.sender, self.recipients, message.as_bytes())


def subject(alert: Alert, language: Language = ENGLISH) -> str:
    """Return what stays the same over all messages about an alert."""
    what = language.gettext(
        "{question} at {place}",
        question=question_title(alert.question, language),
        place=place(alert.sector),
    )
    which = f" ({group(alert.subject, language)})" if alert.subject else ""
    since = f"{language.minute(alert.onset)} {alert.onset:%Z}"
    return language.gettext("{name}, since {time}", name=what + which, time=since)


def _line(text: str) -> str:
    """Return text on one line without control characters: nothing in it can begin another header.

    Nor an encoded word (RFC 2047): the mail library would decode it, with the line breaks that it may hold.
    """
    shown = "".join(one if one.isprintable() else " " for one in text).replace("=?", "= ?")
    return " ".join(shown.split())
