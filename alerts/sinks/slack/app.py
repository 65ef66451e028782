"""A Slack channel by an app: one message for each alert, edited as it changes, its history in its thread.

All alerts on one source are one message, which names the sectors without data, and those with data again. The
message has buttons while its alert stands. Nobody is notified of an edit, so the replies about what is
worse, or was not acknowledged in time, are shown in the channel too.
"""

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from pydantic import SecretStr
from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, SectionBlock

from alerts.languages.language import ENGLISH, Language, gettext_noop
from alerts.lifecycle.alert import Notice, Reason
from alerts.notices.links import NOWHERE, Links
from alerts.notices.wording import taken
from alerts.sinks import Outcome, Posting, Refused, Retry, retry_after
from alerts.sinks.slack.block_kit import REASON_MARKS, SECTION, blocks, mark, payload, plain
from alerts.sinks.slack.clicks import Action
from streams.contract.questions import Question

API: Final = "https://slack.com/api/"
OPEN: Final = "open"
BUTTONS: Final = {
    Action.TAKE: gettext_noop("Take it"),
    Action.SILENCE: gettext_noop("Silence 8 h"),
    Action.NOT_A_SURGE: gettext_noop("Not a surge"),
    Action.BAD_DATA: gettext_noop("Bad data"),
}
ASSESSMENTS: Final = (Action.NOT_A_SURGE, Action.BAD_DATA)
ALSO_IN_CHANNEL: Final = (Reason.WORSE, Reason.UNANSWERED)
BUSY: Final = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})
# Errors of Slack's own: the call may have had its effect.
BROKEN: Final = frozenset({"", "internal_error", "fatal_error", "service_unavailable", "request_timeout"})
# Errors that an administrator of the workspace mends: they are tried again until then.
UNAUTHORISED: Final = frozenset(
    {
        "access_denied", "account_inactive", "ekm_access_denied", "invalid_auth", "missing_scope",
        "no_permission", "not_allowed_token_type", "not_authed", "org_login_required",
        "team_access_not_granted", "token_expired", "token_revoked",
    }
)  # fmt: skip
CLOSED: Final = frozenset({"channel_not_found", "is_archived", "not_in_channel", "restricted_action"})
# Errors of an edit after which only a new message can show the alert: the old one is gone, or is not ours.
UNEDITABLE: Final = frozenset({"cant_update_message", "edit_window_closed", "message_not_found"})


@dataclass(frozen=True)
class SlackApp:
    """An app of one workspace: its tokens, and where its API is."""

    bot_token: SecretStr
    app_token: SecretStr
    url: str = API


@dataclass(frozen=True)
class SlackAppSink:
    """Keeps the messages of one channel."""

    one_per_source: ClassVar[bool] = True
    keyed: ClassVar[bool] = True

    name: str
    app: SlackApp
    channel: str
    links: Links = NOWHERE
    spacing: float = 1.0
    private: bool = False
    language: Language = ENGLISH

    @property
    def url(self) -> str:
        """The address of the API."""
        return self.app.url

    def request(self, notice: Notice, now: float) -> Posting:
        """Return the message of an alert that has none."""
        return self.posting(notice, reference="", unrecorded=False)

    def posting(self, notice: Notice, *, reference: str, unrecorded: bool) -> Posting:
        """Return what the message shows after a notice."""
        is_change = reference and notice.reason is not Reason.UPDATED
        return Posting(
            alert_id=notice.alert.alert_id,
            notice_id=notice.notice_id,
            content=content(notice, self.links, self.language),
            reply=reply(notice) if is_change else {},
            reference=reference,
            unrecorded=unrecorded,
        )

    def outcome(self, status: int, headers: dict[str, str], body: bytes) -> Outcome:
        """Return what an answer means that is not `ok`; `body`: its `error`, empty where there is none."""
        error = body.decode()
        if status == 429 or error in BUSY:
            return Retry("ratelimited", retry_after(headers))
        if status >= 500 or error in BROKEN:
            return Retry(error or f"http_{status}", unanswered=True)
        if error in UNAUTHORISED:
            return Retry(error)
        return Refused(error[:60], gone=error in CLOSED)


def content(notice: Notice, links: Links = NOWHERE, language: Language = ENGLISH) -> dict[str, Any]:
    """Return the payload of the message: the notice, who has acknowledged or silenced it, and the buttons."""
    alert = notice.alert
    is_taken = alert.acknowledged_by and notice.reason is not Reason.RESOLVED
    shown = REASON_MARKS[Reason.ACKNOWLEDGED] if is_taken else mark(notice)
    found = blocks(notice, links, mark=shown, language=language)
    states = [taken(alert, language)] if is_taken and notice.reason is Reason.UPDATED else []
    if alert.silenced_by:
        states.append(language.gettext("Silenced by {person}.", person=alert.silenced_by))
    if states:
        found.append(SectionBlock(text=plain(" ".join(states), SECTION)))
    return payload(f"{notice.headline}\n{notice.text}", [*found, *_buttons(notice, links, language)])


def reply(notice: Notice) -> dict[str, Any]:
    """Return the payload of the reply about a change: its headline, and what changed."""
    change = notice.details.partition("\n")[0]
    text = f"{mark(notice)} {notice.headline}" + (f"\n{change}" if change else "")
    return {
        **payload(text, [SectionBlock(text=plain(text, SECTION, emoji=True))]),
        "reply_broadcast": notice.reason in ALSO_IN_CHANNEL,
    }


def _buttons(notice: Notice, links: Links, language: Language) -> list[Block]:
    """Return the buttons; an alert that is over can only be opened, and no finding is made without data."""
    alert_id, url = notice.alert.alert_id, links.alert(notice.alert)
    findings = ASSESSMENTS if notice.alert.question is Question.SILENCE else ()
    is_over = notice.reason is Reason.RESOLVED
    shown = {action: text for action, text in BUTTONS.items() if not is_over and action not in findings}
    elements = [
        ButtonElement(
            text=language.gettext(text),
            action_id=action,
            value=alert_id,
            style="primary" if action is Action.TAKE else None,
        )
        for action, text in shown.items()
    ]
    elements += [ButtonElement(text=language.gettext("Open"), action_id=OPEN, url=url)] if url else []
    return [ActionsBlock(elements=[*elements])] if elements else []
