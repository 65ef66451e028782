"""Slack's Web API, by the SDK, against a stand-in: one message for each alert, whatever goes wrong."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from pydantic import SecretStr

from alerts.lifecycle.alert import Notice
from alerts.sinks import Absent, Delivered, Outcome, Refused, Retry
from alerts.sinks.slack.app import UNEDITABLE, SlackApp, SlackAppSink
from alerts.worker.routes_document import RoutesError
from alerts.worker.slack_api import PAGE, SlackApi, refuse_bad_tokens
from tests.alerts.made import verdict
from tests.alerts.one_sink import OneSink
from tests.slack_server import APP, BOT, CHANNEL, USER, Fault, SlackServer, slack_server


class Chat:
    """A channel of the stand-in, and our side of it."""

    def __init__(self, server: SlackServer, bot: str = BOT, app: str = APP, channel: str = CHANNEL) -> None:
        self.server = server
        self.sink = SlackAppSink("shift", SlackApp(SecretStr(bot), SecretStr(app), server.url), channel)
        self.api = SlackApi(self.sink.app, timeout=aiohttp.ClientTimeout(total=2))

    async def show(self, notice: Notice, reference: str = "", *, unrecorded: bool = False) -> Outcome:
        posting = self.sink.posting(notice, reference=reference, unrecorded=unrecorded)
        return await self.api.send(self.sink, posting)


@pytest.fixture
async def chat() -> AsyncIterator[Chat]:
    async with slack_server() as server:
        made = Chat(server)
        yield made
        await made.api.close()


def notices() -> list[Notice]:
    """An alert, its getting worse, and its end."""
    desk = OneSink()
    days = [verdict(0, breach=True, observed=45), verdict(1, breach=True, observed=500)]
    days += [verdict(day, breach=False) for day in (2, 3, 4)]
    return [notice for day in days for notice in desk.judge(day)]


FIRST, WORSE, RESOLVED = notices()


async def test_an_alert_is_one_message_that_is_edited_with_its_history_in_its_thread(chat: Chat) -> None:
    first = await chat.show(FIRST)
    assert isinstance(first, Delivered)
    assert await chat.show(WORSE, first.reference) == first
    assert await chat.show(RESOLVED, first.reference) == first
    (message,) = chat.server.parents()
    assert message["text"].startswith("Resolved: Surge at Swanton: 500")
    replies = chat.server.replies(message["ts"])
    shown = [reply["blocks"][0]["text"]["text"].splitlines() for reply in replies]
    assert [lines[0] for lines in shown] == [
        ":red_circle: Worse: Surge at Swanton: 500 in 1 day, expected 30 (×16.7)",
        ":white_check_mark: Resolved: Surge at Swanton: 500 in 1 day, expected 30 (×16.7)",
    ]
    assert [lines[1] for lines in shown] == [
        "Now critical. Last notice: 45 in 1 day, expected 30 (×1.5).",
        "Back to normal: 30, expected 15 to 50.",
    ]
    assert [reply["reply_broadcast"] for reply in replies] == [True, False]


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        (Fault.LIMITED, Retry("ratelimited", 7.0)),
        (Fault.BROKEN, Retry("http_500", unanswered=True)),
        (Fault.LOST, Retry("ServerDisconnectedError", unanswered=True)),
        ("internal_error", Retry("internal_error", unanswered=True)),
        ("not_authed", Retry("not_authed")),
        ("token_revoked", Retry("token_revoked")),
        ("channel_not_found", Refused("channel_not_found", gone=True)),
        ("is_archived", Refused("is_archived", gone=True)),
        ("invalid_blocks", Refused("invalid_blocks")),
    ],
)
async def test_each_answer_of_slack_has_one_meaning(chat: Chat, fault: str, outcome: Outcome) -> None:
    chat.server.faults.append(fault)
    assert await chat.show(FIRST) == outcome
    assert chat.server.messages == {}


async def test_a_hang_is_a_message_that_may_have_been_received(chat: Chat) -> None:
    chat.server.faults.append(Fault.HANG)
    assert await chat.show(FIRST) == Retry("timeout", unanswered=True)


async def test_where_nothing_answers_it_is_tried_again(chat: Chat) -> None:
    nowhere = SlackApp(SecretStr(BOT), SecretStr(APP), "http://127.0.0.1:1/api/")
    api = SlackApi(nowhere)
    posting = chat.sink.posting(FIRST, reference="", unrecorded=False)
    assert await api.send(chat.sink, posting) == Retry("no_connection")
    await api.close()


@pytest.mark.parametrize("fault", [Fault.LOST_AFTER, Fault.BROKEN_AFTER])
async def test_a_message_whose_answer_was_lost_is_found_and_not_posted_again(
    chat: Chat, fault: Fault
) -> None:
    chat.server.faults.append(fault)
    assert isinstance(await chat.show(FIRST), Retry)
    outcome = await chat.show(FIRST, unrecorded=True)
    (message,) = chat.server.parents()
    assert outcome == Delivered(f"{CHANNEL}/{message['ts']}")


async def test_a_message_that_may_be_there_and_is_not_is_looked_for_and_not_posted(chat: Chat) -> None:
    chat.server.faults.append(Fault.BROKEN)
    assert isinstance(await chat.show(FIRST), Retry)
    assert await chat.show(FIRST, unrecorded=True) == Absent()
    assert chat.server.messages == {}


async def test_a_message_is_found_behind_pages_of_others(chat: Chat) -> None:
    first = await chat.show(FIRST)
    for number in range(PAGE + 50):
        ts = f"1800000000.{number:06d}"
        chat.server.messages[ts] = {"ts": ts, "text": "somebody else's"}
    assert await chat.show(FIRST, unrecorded=True) == first


async def test_a_reply_whose_answer_was_lost_is_not_posted_again(chat: Chat) -> None:
    first = await chat.show(FIRST)
    assert isinstance(first, Delivered)
    chat.server.faults.extend(["", Fault.LOST_AFTER])
    assert isinstance(await chat.show(WORSE, first.reference), Retry)
    assert await chat.show(WORSE, first.reference, unrecorded=True) == first
    (message,) = chat.server.parents()
    assert len(chat.server.replies(message["ts"])) == 1


async def test_a_reply_that_may_be_there_and_is_not_is_looked_for_and_not_posted(chat: Chat) -> None:
    first = await chat.show(FIRST)
    assert isinstance(first, Delivered)
    chat.server.faults.extend(["", Fault.LOST])
    assert isinstance(await chat.show(WORSE, first.reference), Retry)
    assert await chat.show(WORSE, first.reference, unrecorded=True) == Absent()
    assert await chat.show(WORSE, first.reference) == first
    (message,) = chat.server.parents()
    assert len(chat.server.replies(message["ts"])) == 1


async def test_a_message_that_a_person_deleted_is_posted_anew(chat: Chat) -> None:
    first = await chat.show(FIRST)
    assert isinstance(first, Delivered)
    chat.server.messages.clear()
    again = await chat.show(WORSE, first.reference)
    assert isinstance(again, Delivered)
    assert again != first
    assert len(chat.server.parents()) == 1


@pytest.mark.parametrize("error", sorted(UNEDITABLE))
async def test_a_message_that_cannot_be_edited_is_posted_anew(chat: Chat, error: str) -> None:
    first = await chat.show(FIRST)
    assert isinstance(first, Delivered)
    chat.server.faults.extend([error, "", error])  # its edit; the look-up; the edit of what was found
    again = await chat.show(WORSE, first.reference)
    assert isinstance(again, Delivered)
    assert again != first
    assert len(chat.server.parents()) == 2


async def test_a_channel_that_is_closed_and_no_longer_the_sinks_holds_up_nothing(chat: Chat) -> None:
    chat.server.faults.append("is_archived")
    posted = await chat.show(WORSE, "C0OLD/1700000000.000001")
    assert isinstance(posted, Delivered)
    assert posted.reference.startswith(f"{CHANNEL}/")


async def test_two_sinks_on_one_channel_have_a_message_each(chat: Chat) -> None:
    other = SlackAppSink("other", chat.sink.app, CHANNEL)
    await chat.show(FIRST)
    looked = await chat.api.send(other, other.posting(FIRST, reference="", unrecorded=True))
    assert looked == Absent()
    await chat.api.send(other, other.posting(FIRST, reference="", unrecorded=False))
    assert len(chat.server.parents()) == 2


async def test_an_author_is_as_the_directory_has_them(chat: Chat) -> None:
    assert await chat.api.author(USER) == "Anna Roy (anna@example.org)"
    chat.server.users.clear()
    assert await chat.api.author(USER) == "Anna Roy (anna@example.org)"  # it is not asked again
    assert await chat.api.author("U999") == "U999"
    chat.server.users["U998"] = []  # no profile as Slack has them
    assert await chat.api.author("U998") == "U998"


async def test_a_long_name_and_address_are_both_kept_where_a_control_takes_them(chat: Chat) -> None:
    name, address = "Anna-Maria " * 9 + "Roy", "anna@example.org"
    chat.server.users[USER] = {"real_name": name, "email": address}
    assert await chat.api.author(USER) == f"{name} ({address})"


@pytest.mark.parametrize(
    ("bot", "app", "scopes", "faults"),
    [
        (BOT, APP, "chat:write,groups:history,users:read,users:read.email", []),
        ("xoxb-old", APP, "chat:write", ["sink shift: Slack refuses the bot token (invalid_auth)"]),
        (BOT, "xapp-old", "", ["sink shift: Slack refuses the app token (invalid_auth)"]),
        (BOT, APP, "chat:write,users:read", ["channels:history or groups:history, users:read.email"]),
    ],
)
async def test_a_bad_token_or_a_missing_scope_is_named_at_start(
    bot: str, app: str, scopes: str, faults: list[str]
) -> None:
    async with slack_server(SlackServer(scopes=scopes)) as server:
        made = Chat(server, bot, app)
        found = ""
        try:
            await refuse_bad_tokens([made.sink], {})
        except RoutesError as error:
            found = str(error)
        await made.api.close()
    assert bool(found) == bool(faults)
    assert all(fault in found for fault in faults)
    assert not any(token in found for token in (BOT, APP, "xoxb-old", "xapp-old"))


async def test_a_slack_that_does_not_answer_at_start_keeps_no_other_sink_from_starting(chat: Chat) -> None:
    chat.server.faults.extend([Fault.BROKEN, Fault.LOST])
    await refuse_bad_tokens([chat.sink], {})
    assert "secret" not in repr(chat.sink)
