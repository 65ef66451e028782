"""Webhooks and the API at once: what one person does in PagerDuty is one deed, however it is read."""

import asyncio
import datetime as dt

import pytest
from aiohttp import web

from alerts.lifecycle.alert import Reason
from alerts.lifecycle.policies import Policies, Policy
from alerts.notices.controls import Acknowledge
from streams.contract.controls import Control, Withdrawn
from tests.alerts.one_sink import OneSink, reasons
from tests.alerts.pagerduty_stand_in import ANNA, Api
from tests.alerts.worker.test_pagerduty_answers import Duty, polling, webhook
from tests.http_site import http_site

EXPIRING = Policies(default=Policy(unanswered_minutes=(15,), acknowledgement_hours=8))
BORIS = {**ANNA, "id": "PBORIS", "summary": "Boris Novak"}


class Late(Duty):
    """A worker that has published controls, and has not applied them yet."""

    async def publish(self, control: Control) -> None:
        self.published.append(control)


def expiring() -> OneSink:
    return OneSink(policies=EXPIRING)


@pytest.mark.parametrize("apart", [-0.7, 0.0, 0.7, 20.0])
async def test_a_click_that_is_read_both_ways_is_one_and_expires_once(apart: float) -> None:
    """The times that PagerDuty gives for it in a webhook and in its API are not the same to the second."""
    async with polling(expiring()) as (duty, api):
        await duty.take(webhook(duty.alert_id, duty.desk.at))
        api.acknowledge(duty.alert_id, duty.desk.at + dt.timedelta(seconds=apart))
        sent = []
        for _ in range(20):
            sent += reasons(duty.desk.wait(minutes=30))
            await duty.ask()
        sent += reasons(duty.desk.sent())
    assert sent == [Reason.UNANSWERED] * 2  # it expired, and nobody answered then
    assert len(duty.published) == 1


async def test_a_click_whose_second_reading_overtakes_the_first_is_one_notice() -> None:
    """Both are published before either is applied: `controls` is read back a moment later."""
    api = Api()
    async with http_site([web.get("/incidents", api.answer)]) as port:
        duty = Late(api_url=f"http://127.0.0.1:{port}")
        api.acknowledge(duty.alert_id, duty.desk.at + dt.timedelta(seconds=1))
        await asyncio.gather(duty.ask(), duty.take(webhook(duty.alert_id, duty.desk.at)))
    assert len(duty.published) == 2
    sent = [notice for control in duty.published for notice in duty.desk.apply(control)]
    assert reasons(sent) == [Reason.ACKNOWLEDGED]


async def test_a_click_after_one_was_taken_back_here_counts_however_soon_it_comes() -> None:
    duty = Duty()
    await duty.take(webhook(duty.alert_id, duty.desk.at))
    duty.desk.wait(seconds=5)
    key = f"ack/{duty.alert_id}"
    duty.desk.apply(Withdrawn(withdraws=key, at=duty.desk.at, by="anna", reason="mistake"))
    duty.desk.wait(seconds=5)
    assert await duty.take(webhook(duty.alert_id, duty.desk.at)) == (200, "acknowledged")


async def test_another_person_takes_over_however_soon() -> None:
    duty = Duty()
    await duty.take(webhook(duty.alert_id, duty.desk.at))
    duty.desk.wait(seconds=2)
    await duty.take(webhook(duty.alert_id, duty.desk.at, agent=BORIS))
    assert [one.by for one in duty.published if isinstance(one, Acknowledge)] == ["Anna Nowak", "Boris Novak"]
