"""PagerDuty both ways: what somebody does there is an acknowledgement here, once, and only if signed."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import ClientSession, web
from pydantic import SecretStr

from alerts.lifecycle.alert import Alert, Assessment, Reason
from alerts.lifecycle.policies import Policies, Policy
from alerts.notices.controls import Acknowledge
from alerts.sinks.pagerduty import PagerDutySink
from alerts.worker.http_client import HttpClient
from alerts.worker.pagerduty_answers import AnswerOutcome, PagerDutyAnswers
from streams.contract.controls import LONGEST_PERSON, Control, Withdrawn
from streams.contract.questions import Question
from tests.alerts.console.served import opened
from tests.alerts.made import outage, verdict
from tests.alerts.one_sink import OneSink, reasons
from tests.alerts.pagerduty_stand_in import (
    ANNA,
    INTEGRATION,
    OTHER_SECRET,
    SECRET,
    TOKEN,
    Api,
    signed,
    webhook,
)
from tests.http_site import http_site

PATH = "/hooks/pagerduty"
POLICIES = Policies(default=Policy(unanswered_minutes=(15, 60)))


@dataclass
class Duty:
    """A worker whose alerts are one sink's, and what PagerDuty's answers become."""

    secrets: tuple[str, ...] = (SECRET,)
    api_url: str = ""
    desk: OneSink = field(default_factory=lambda: OneSink(policies=POLICIES))
    published: list[Control] = field(default_factory=list)
    counted: Counter[AnswerOutcome] = field(default_factory=Counter)
    ready: asyncio.Event = field(default_factory=asyncio.Event)  # all alerts have been read

    def __post_init__(self) -> None:
        self.ready.set()
        self.desk.judge(verdict(0, breach=True, observed=500))
        self.sink = PagerDutySink(
            "duty",
            SecretStr("key"),
            private=True,
            webhook_secrets=tuple(map(SecretStr, self.secrets)),
            api_token=SecretStr(TOKEN),
            api_url=self.api_url,
        )
        self.answers = PagerDutyAnswers(
            [self.sink],
            self.desk.in_force,
            ready=self.ready.wait,
            alerts=lambda: self.desk.pipeline.all_alerts() if self.ready.is_set() else [],
            unanswered=self.unanswered,
            publish=self.publish,
            count=lambda taken: self.counted.update([taken]),
        )

    def unanswered(self, sink: str) -> list[Alert]:
        return [one for one in self.desk.queue.open_alerts(self.desk.now) if not one.acknowledged_by]

    async def publish(self, control: Control) -> None:
        self.published.append(control)
        self.desk.apply(control)

    @property
    def alert_id(self) -> str:
        return self.desk.alert().alert_id

    async def take(self, body: bytes, *secrets: str) -> tuple[int, str]:
        return await self.answers.receive(signed(body, *(secrets or (SECRET,))), body)

    async def ask(self) -> None:
        client = HttpClient()
        try:
            await self.answers.ask(self.sink, client)
        finally:
            await client.close()


@asynccontextmanager
async def polling(desk: OneSink | None = None) -> AsyncIterator[tuple[Duty, Api]]:
    api = Api()
    async with http_site([web.get("/incidents", api.answer)]) as port:
        yield Duty(api_url=f"http://127.0.0.1:{port}", desk=desk or OneSink(policies=POLICIES)), api


async def test_who_acknowledges_in_pagerduty_takes_care_of_it_here_and_escalation_stops() -> None:
    duty = Duty()
    assert reasons(duty.desk.wait(minutes=16)) == [Reason.UNANSWERED]
    assert await duty.take(webhook(duty.alert_id, duty.desk.at)) == (200, "acknowledged")
    (control,) = duty.published
    assert isinstance(control, Acknowledge)
    assert (control.by, control.reason) == ("Anna Nowak", "acknowledged in PagerDuty")
    assert duty.desk.wait(hours=9) == []
    assert duty.desk.in_force.annotate(duty.desk.alert(), duty.desk.now).acknowledged_by == "Anna Nowak"


async def test_a_webhook_that_comes_while_a_worker_starts_is_not_lost() -> None:
    """Its alert is not read yet. Where that takes long the console answers 503, and PagerDuty tries again."""
    duty = Duty()
    duty.ready.clear()
    taking = asyncio.create_task(duty.take(webhook(duty.alert_id, duty.desk.at)))
    await asyncio.sleep(0.01)
    duty.ready.set()
    assert await taking == (200, "acknowledged")
    assert len(duty.published) == 1


async def test_a_long_name_is_kept_up_to_what_a_control_takes() -> None:
    duty = Duty()
    long = {**ANNA, "summary": "Anna " * 100}
    await duty.take(webhook(duty.alert_id, duty.desk.at, agent=long))
    (control,) = duty.published
    assert control.by == ("Anna " * 100)[:LONGEST_PERSON].strip()


async def test_who_resolves_in_pagerduty_takes_care_of_what_stands() -> None:
    duty = Duty()
    body = webhook(duty.alert_id, duty.desk.at, event="incident.resolved")
    assert await duty.take(body) == (200, "acknowledged")
    assert [one.reason for one in duty.published] == ["resolved in PagerDuty"]


async def test_what_an_alert_was_found_to_be_is_kept() -> None:
    duty = Duty()
    found = {"alert_id": duty.alert_id, "by": "boris", "reason": "feed", "assessment": Assessment.BAD_DATA}
    duty.desk.apply(Acknowledge(**found, at=duty.desk.at))
    duty.desk.wait(minutes=5)
    await duty.take(webhook(duty.alert_id, duty.desk.at, event="incident.resolved"))
    assert [one.assessment for one in duty.published] == [Assessment.BAD_DATA]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-PagerDuty-Signature": ""},
        {"X-PagerDuty-Signature": "v1="},
        {"X-PagerDuty-Signature": "v1=\udcff,v0=abc"},
        {"X-PagerDuty-Signature": "v1=" + "0" * 64},
    ],
)
async def test_a_webhook_without_a_right_signature_changes_nothing(headers: dict[str, str]) -> None:
    duty = Duty()
    assert await duty.answers.receive(headers, webhook(duty.alert_id, duty.desk.at)) == (401, "unsigned")
    assert duty.published == []


async def test_a_signature_is_of_the_whole_body_and_by_a_secret_of_ours() -> None:
    duty = Duty()
    body = webhook(duty.alert_id, duty.desk.at)
    assert await duty.answers.receive(signed(body, SECRET), body + b" ") == (401, "unsigned")
    assert await duty.take(body, "foreign") == (401, "unsigned")
    assert duty.counted == {AnswerOutcome.UNSIGNED: 2}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [((SECRET,), (OTHER_SECRET, SECRET)), ((SECRET, OTHER_SECRET), (OTHER_SECRET,))],
    ids=["PagerDuty signs with both", "we know both"],
)
async def test_a_secret_can_be_rotated(ours: tuple[str, ...], theirs: tuple[str, ...]) -> None:
    duty = Duty(secrets=ours)
    assert await duty.take(webhook(duty.alert_id, duty.desk.at), *theirs) == (200, "acknowledged")


async def test_a_webhook_that_comes_again_changes_nothing_also_when_it_was_withdrawn_since() -> None:
    duty = Duty()
    body = webhook(duty.alert_id, duty.desk.at)
    assert await duty.take(body) == (200, "acknowledged")
    assert await duty.take(body) == (200, "known")
    duty.desk.wait(minutes=5)
    withdrawal = Withdrawn(withdraws=f"ack/{duty.alert_id}", at=duty.desk.at, by="anna", reason="drill")
    duty.desk.apply(withdrawal)
    assert await duty.take(body) == (200, "known")
    assert len(duty.published) == 1


@pytest.mark.parametrize(
    ("given", "became"),
    [
        ({"alert_id": "of-somebody-else"}, "unknown_alert"),
        ({"alert_id": None}, "ignored"),
        ({"agent": INTEGRATION}, "ignored"),
        ({"agent": None}, "ignored"),
        ({"event": "incident.escalated"}, "ignored"),
    ],
)
async def test_what_is_no_persons_answer_to_an_alert_of_ours_is_taken_and_changes_nothing(
    given: dict[str, Any], became: str
) -> None:
    duty = Duty()
    alert_id = given.pop("alert_id", duty.alert_id)
    assert await duty.take(webhook(alert_id, duty.desk.at, **given)) == (200, became)
    assert duty.published == []


async def test_an_alert_that_is_over_is_not_acknowledged() -> None:
    duty = Duty()
    duty.desk.judge(*(verdict(day, breach=False) for day in range(1, 4)))
    assert await duty.take(webhook(duty.alert_id, duty.desk.at)) == (200, "over")


@pytest.mark.parametrize("body", [b"", b"{}", b'{"event": 1}', b"\xff", b"[" * 9_000])
async def test_a_body_that_is_not_understood_is_refused(body: bytes) -> None:
    assert await Duty().take(body) == (422, "unreadable")


async def test_the_console_takes_webhooks_without_its_token_and_limits_them_like_its_own() -> None:
    duty = Duty()
    body = webhook(duty.alert_id, duty.desk.at)
    async with opened(hooks={PATH: duty.answers.receive}) as served, ClientSession(served.url) as client:
        for headers, data, status in (
            (signed(body, "foreign"), body, 401),
            (signed(body, SECRET), body, 200),
            (signed(b"x" * 20_000, SECRET), b"x" * 20_000, 413),
            ({**signed(body, SECRET), "Host": "evil.example"}, body, 421),
        ):
            async with client.post(PATH, data=data, headers=headers) as answer:
                assert answer.status == status
        async with client.post("/api/controls", data=body, headers=signed(body, SECRET)) as answer:
            assert answer.status == 401
    assert len(duty.published) == 1


async def test_without_a_secret_there_is_no_path_for_webhooks() -> None:
    async with (
        opened() as served,
        ClientSession(served.url) as client,
        client.post(PATH, data=b"{}", headers=signed(b"{}", SECRET)) as answer,
    ):
        assert answer.status == 401


@pytest.mark.parametrize("deed", ["acknowledge", "resolve"])
async def test_where_there_is_no_inbound_port_the_api_is_asked(deed: str) -> None:
    async with polling() as (duty, api):
        await duty.ask()
        assert duty.published == []
        getattr(api, deed)(duty.alert_id, duty.desk.at)
        await duty.ask()
        await duty.ask()
    assert [one.by for one in duty.published] == ["Anna Nowak"]
    assert api.asked == [duty.alert_id] * 2  # nobody asks for what somebody takes care of


async def test_what_our_own_integration_did_is_no_answer() -> None:
    async with polling() as (duty, api):
        for deed in (api.acknowledge, api.resolve):
            deed(duty.alert_id, duty.desk.at, by=INTEGRATION)
            await duty.ask()
    assert duty.published == []


async def test_an_api_that_does_not_answer_is_counted_and_asked_again() -> None:
    async with polling() as (duty, api):
        for api.status in (429, 500, 403):
            await duty.ask()
        api.status, api.body = 200, "<html>"
        await duty.ask()
        api.body = None
        api.acknowledge(duty.alert_id, duty.desk.at)
        await duty.ask()
    await duty.ask()
    assert duty.counted == {"unreachable": 3, "unreadable": 1, "acknowledged": 1}


async def test_in_a_storm_every_alert_is_asked_for_in_turn() -> None:
    async with polling() as (duty, api):
        duty.desk.judge(*(verdict(0, breach=True, observed=60, sector=f"sector-{at}") for at in range(70)))
        await duty.ask()
        assert len(api.asked) < 71
        await duty.ask()
    assert len(set(api.asked)) == 71


async def test_who_acknowledges_the_incident_of_a_source_takes_all_its_sectors() -> None:
    duty = Duty()
    duty.desk.judge(*map(outage, ("blaine", "houlton", "swanton")), outage("blaine", 1, breach=False))
    silences = [one for one in duty.desk.pipeline.all_alerts() if one.question is Question.SILENCE]
    (leader,) = [one for one in silences if one.sector == "blaine"]
    dead = [one for one in silences if one is not leader]
    assert await duty.take(webhook(leader.alert_id, duty.desk.at)) == (200, "acknowledged")
    assert [control.key for control in duty.published] == [f"ack/{one.alert_id}" for one in dead]
    assert await duty.take(webhook(leader.alert_id, duty.desk.at)) == (200, "known")
