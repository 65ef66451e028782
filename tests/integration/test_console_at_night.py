"""The console in real headless Chromium: a page that is left open for a whole shift."""

import datetime as dt
from typing import Any

import pytest

from alerts.console.board import Board
from alerts.lifecycle.alert import Severity, State
from tests import console_story as story
from tests.alerts.console.served import TOKEN
from tests.alerts.made import outage
from tests.alerts.one_sink import OneSink
from tests.integration.chromium import Console, found, script, within

pytestmark = pytest.mark.browser


def test_a_sink_that_fails_is_at_the_top_of_the_page_and_first_in_its_list(
    browser: Any, console: Console
) -> None:
    (link,) = found(browser, "#failing a")
    assert link.text == "1 sink is failing"
    assert "webhook-rcmp" in found(browser, ".sink")[0].text
    later = story.LAST + dt.timedelta(hours=20)
    console.board.sink("webhook-rcmp", "delivered", at=later)
    within(5, lambda: not link.is_displayed())


def test_an_alert_that_gets_worse_or_begins_to_fire_is_announced(browser: Any, console: Console) -> None:
    pending = next(alert for alert in story.alerts() if alert.state is State.PENDING)
    rising = next(alert for alert in story.alerts() if alert.sector == "miami")
    console.board.alert(rising.model_copy(update={"severity": Severity.CRITICAL}))
    console.board.alert(pending.model_copy(update={"state": State.FIRING}))
    within(10, lambda: "Surge at Miami, critical" in script(browser, _NEWS))
    within(10, lambda: "Surge at Blaine, info" in script(browser, _NEWS))


def test_what_came_while_the_connection_was_lost_is_announced_when_it_is_back(
    browser: Any, console: Console
) -> None:
    console.close()
    within(10, lambda: "connection lost" in found(browser, "#link")[0].text)
    place = next(place for place in story.PLACES if place.sector == "houlton")
    console.board.alert(story.raised(story.days_of(place)[-1], Severity.CRITICAL, 1))
    console.open()
    within(20, lambda: "Surge at Houlton, critical" in script(browser, _NEWS))
    assert "RCMP Quebec" not in script(browser, _NEWS)


_NEWS = "return document.getElementById('news').textContent"


def test_a_sector_that_is_back_holds_up_no_other_of_its_source_and_two_clicks_are_one(
    browser: Any, console: Console
) -> None:
    script(browser, "sessionStorage.setItem('token', arguments[0])", TOKEN)
    first, *others = (one.alert for one in OneSink().judge(*map(outage, ("buffalo", "havre", "spokane"))))
    for alert in (first, *others):
        console.board.alert(alert)
    label = "Acknowledge No data from customs for 3 sectors"
    within(10, lambda: found(browser, f'[aria-label="{label}"]'))
    found(browser, f'[aria-label="{label}"]')[0].click()
    console.board.alert(first.model_copy(update={"state": State.RESOLVED}))
    for name, text in (("by", "j.okafor"), ("reason", "called customs")):
        found(browser, f"[name={name}]")[0].send_keys(text)
    send = found(browser, "#send")[0]
    script(browser, "arguments[0].click(); arguments[0].click()", send)
    within(10, lambda: "is over" in found(browser, "#dialog-fault")[0].text)
    assert sorted(control.alert_id for control in console.controls) == sorted(
        alert.alert_id for alert in others
    )


def test_a_stream_that_went_quiet_is_opened_again(browser: Any, console: Console) -> None:
    """A network that goes away closes no connection: without a limit the page would stay *live* for ever."""
    given = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": _HASTE})
    browser.get(console.url)
    within(20, lambda: script(browser, _STREAMS) > 1)
    browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", given)


_HASTE = """
const real = setTimeout;
window.setTimeout = (work, ms, ...more) => real(work, ms > 40_000 ? 500 : ms, ...more);
"""
_STREAMS = (
    "return performance.getEntriesByType('resource').filter((one) => one.name.endsWith('events')).length"
)


def test_every_control_is_named_as_it_reads_and_is_large_enough_to_hit(
    browser: Any, console: Console
) -> None:
    script(browser, "document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert script(browser, _MISNAMED) == []
    assert script(browser, _SMALL) == []


_MISNAMED = """
const plain = (text) => text.replace('…', '').trim();
return [...document.querySelectorAll('button[aria-label], summary[aria-label]')]
  .filter((one) => !one.getAttribute('aria-label').includes(plain(one.textContent)))
  .map((one) => `${one.textContent}: ${one.getAttribute('aria-label')}`);
"""
_SMALL = """
return [...document.querySelectorAll('button, summary, select, input, .id a')]
  .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 24)
  .map((one) => `${one.textContent} ${one.getBoundingClientRect().height}`);
"""


def test_a_worker_that_starts_gives_no_all_clear_before_it_has_read_its_alerts(browser: Any) -> None:
    console = Console(board=Board(complete=False))
    console.board.observe(story.days_of(story.PLACES[0])[-1])
    console.open()
    browser.get(console.url)
    within(20, lambda: "still being read" in found(browser, "#alerts-none")[0].text)
    assert found(browser, "#tiles")[0].text.split() == ["…", "critical", "…", "warning", "…", "info"]
    console.board.complete()
    within(5, lambda: "No alerts. Everything counted" in found(browser, "#alerts-none")[0].text)
    browser.get("about:blank")
    console.close()
