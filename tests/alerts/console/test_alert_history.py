"""An alert's page: what was sent to whom and when, and who did what, also long after it is over."""

import datetime as dt

import aiohttp

from alerts.console.alert_history import DeliveredNotice
from alerts.lifecycle.alert import Alert, Reason, State
from alerts.notices.controls import Acknowledge, Silence
from tests import console_story as story
from tests.alerts.console.served import ServedConsole, opened

HOUR = dt.timedelta(hours=1)


def taken(alert: Alert, reason: Reason, at: dt.datetime, sink: str = "slack") -> DeliveredNotice:
    notice = story.notice_of(alert).model_copy(update={"reason": reason, "notice_id": f"{reason}-{sink}"})
    return DeliveredNotice(sink=sink, at=at, notice=notice)


def past() -> Alert:
    """An alert that the board has not."""
    alert = next(story.alerts())
    return alert.model_copy(update={"alert_id": "f" * 24, "state": State.RESOLVED})


async def history(served: ServedConsole, alert_id: str) -> tuple[int, dict[str, object]]:
    url = f"{served.url}/api/alerts/{alert_id}/history"
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        return answer.status, await answer.json()


async def test_an_alert_that_is_forgotten_has_its_page_from_what_was_sent() -> None:
    async with opened() as served:
        alert, began = past(), story.NOW - dt.timedelta(days=365)
        served.taken = [
            taken(alert, Reason.RESOLVED, began + 9 * HOUR),
            taken(alert, Reason.FIRST, began),
            taken(alert, Reason.FIRST, began + HOUR, "pagerduty"),
        ]
        status, found = await history(served, alert.alert_id)
        assert status == 200
        assert found["alert"]["alert_id"] == alert.alert_id
        sent = [(one["sink"], one["reason"], one["state"]) for one in found["sent"]]
        assert sent == [
            ("slack", "first", "resolved"),
            ("pagerduty", "first", "resolved"),
            ("slack", "resolved", "resolved"),
        ]


async def test_who_acknowledged_and_who_silenced_it_are_in_its_history() -> None:
    async with opened() as served:
        alert = next(one for one in served.board.alerts() if one.state is State.FIRING)
        who = {"by": "m.tremblay", "reason": "drill", "at": story.NOW}
        served.board.control(Acknowledge(alert_id=alert.alert_id, **who))
        served.board.control(
            Silence(name="now", sector=alert.sector, until=story.NOW + 8 * HOUR, **who | {"by": "j.okafor"})
        )
        served.board.control(Silence(name="other", sector="nowhere", until=story.NOW + HOUR, **who))
        _, found = await history(served, alert.alert_id)
        deeds = {(one["key"], one["by"]) for one in found["deeds"]}
        assert (f"ack/{alert.alert_id}", "m.tremblay") in deeds
        assert ("silence/now", "j.okafor") in deeds
        assert "silence/other" not in {key for key, _ in deeds}


async def test_a_silence_after_its_end_is_not_part_of_its_history() -> None:
    async with opened() as served:
        alert = past()
        served.taken = [taken(alert, Reason.RESOLVED, story.NOW - dt.timedelta(days=300))]
        later = Silence(
            name="now", sector="*", until=story.NOW + HOUR, at=story.NOW, by="anna", reason="drill"
        )
        served.board.control(later)
        _, found = await history(served, alert.alert_id)
        assert "silence/now" not in {one["key"] for one in found["deeds"]}


async def test_the_beginning_of_an_id_is_enough_for_a_history() -> None:
    async with opened() as served:
        alert = next(iter(served.board.alerts()))
        status, found = await history(served, alert.alert_id[:8])
        assert (status, found["alert"]["alert_id"]) == (200, alert.alert_id)


async def test_an_alert_that_was_never_sent_and_is_forgotten_is_404() -> None:
    async with opened() as served:
        assert (await history(served, "0" * 24))[0] == 404


async def test_a_history_that_takes_too_long_is_503() -> None:
    async with opened() as served:
        served.is_too_slow = True
        assert (await history(served, "0" * 24))[0] == 503
