"""The console in real headless Chromium: what an operator asks for, also by keyboard alone."""

from typing import Any

import pytest

from alerts.notices.controls import Acknowledge, Silence
from streams.contract.controls import PolicyDate
from tests.alerts.console.served import TOKEN
from tests.alerts.made import outage
from tests.alerts.one_sink import OneSink
from tests.integration.chromium import Console, fill, found, press, script, walk, within

pytestmark = pytest.mark.browser


def test_the_keyboard_alone_acknowledges_an_alert(browser: Any, console: Console) -> None:
    walk(browser, "Acknowledge Surge at RCMP Quebec")
    press(browser, "\ue007")
    press(browser, TOKEN, "\ue007")
    within(5, lambda: "Acknowledge" in found(browser, "#dialog-title")[0].text)
    press(browser, "\ue004", "j.okafor", "\ue004", "on it", "\ue004", "\ue004", "\ue007")
    within(5, lambda: console.controls)
    (control,) = console.controls
    assert isinstance(control, Acknowledge)
    assert (control.by, control.reason) == ("j.okafor", "on it")
    within(5, lambda: "Taken by j.okafor" in found(browser, ".alert.critical")[0].text)


def test_all_sectors_of_a_source_that_stopped_are_taken_at_once(browser: Any, console: Console) -> None:
    script(browser, "sessionStorage.setItem('token', arguments[0])", TOKEN)
    for notice in OneSink().judge(outage("buffalo"), outage("havre"), outage("spokane")):
        console.board.alert(notice.alert)
    label = "Acknowledge No data from customs for 3 sectors"
    within(10, lambda: found(browser, f'[aria-label="{label}"]'))
    found(browser, f'[aria-label="{label}"]')[0].click()
    fill(browser, by="j.okafor", reason="called customs")
    within(10, lambda: len(console.controls) == 3)
    within(10, lambda: not found(browser, f'[aria-label="{label}"]'))


def test_a_silence_and_a_policy_date_are_asked_for_with_their_reason(browser: Any, console: Console) -> None:
    script(browser, "sessionStorage.setItem('token', arguments[0])", TOKEN)
    found(browser, '[aria-label="Silence Surge at Miami"]')[0].click()
    fill(browser, hours="12", by="j.okafor", reason="exercise")
    found(browser, '[aria-label="Policy date"]')[0].click()
    script(browser, "document.querySelector('[name=date]').value = '2023-03-25'")
    fill(browser, name="STCA protocol", sectors="rcmp-quebec, swanton", by="j.okafor", reason="in force")
    within(5, lambda: len(console.controls) == 2)
    silence, policy = console.controls
    assert isinstance(silence, Silence)
    assert (silence.sector, silence.question) == ("miami", "surge")
    assert (silence.until - silence.at).total_seconds() == 12 * 3600
    assert isinstance(policy, PolicyDate)
    assert (str(policy.date), policy.sectors) == ("2023-03-25", ("rcmp-quebec", "swanton"))


def test_the_form_shows_what_is_refused_and_keeps_what_was_typed(browser: Any, console: Console) -> None:
    script(browser, "sessionStorage.setItem('token', arguments[0])", TOKEN)
    found(browser, '[aria-label="Capacity"]')[0].click()
    for name, text in {"sector": "swantn", "people_per_day": "8", "by": "anna", "reason": "drill"}.items():
        found(browser, f"[name={name}]")[0].send_keys(text)
    found(browser, "#form [type=submit]")[0].click()
    within(5, lambda: "nearest known: swanton" in found(browser, "#dialog-fault")[0].text)
    assert script(browser, "return document.querySelector('[name=sector]').value") == "swantn"
    found(browser, "#cancel")[0].click()


def test_a_silence_is_withdrawn_from_the_page(browser: Any, console: Console) -> None:
    script(browser, "sessionStorage.setItem('token', arguments[0])", TOKEN)
    found(browser, '[aria-label="Withdraw silence/yuma-all"]')[0].click()
    fill(browser, by="anna", reason="done")
    within(5, lambda: [control.key for control in console.controls] == ["silence/yuma-all"])


def test_a_wrong_token_is_reported_and_forgotten(browser: Any, console: Console) -> None:
    script(browser, "sessionStorage.setItem('token', 'wrong')")
    found(browser, "#dead-list button")[0].click()
    within(5, lambda: "wrong token" in found(browser, "#dead-list button")[0].text)
    assert script(browser, "return sessionStorage.getItem('token')") is None
    assert console.letters == []


def test_send_again_buries_the_dead_letter_and_the_token_stays_in_this_tab(
    browser: Any, console: Console
) -> None:
    script(browser, "sessionStorage.setItem('token', arguments[0])", TOKEN)
    found(browser, "#dead-list button")[0].click()
    within(5, lambda: not found(browser, "#dead-list li"))
    assert console.letters == ["webhook-rcmp/0b7e4fd21c9a"]
    assert TOKEN not in browser.page_source
    assert script(browser, "return [localStorage.length, document.cookie]") == [0, ""]
