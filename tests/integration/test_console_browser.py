"""The console in real headless Chromium: what an operator sees, and what the keyboard can do.

python -m tests.integration.test_console_browser docs/console.png     draws the picture of the README
"""

import asyncio
import os
import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from alerts.console import Ask, routes
from alerts.console.board import Board
from alerts.console.requests import AskAcknowledge, AskPolicy, AskSilence
from alerts.lifecycle.alert import Severity
from tests import console_story as story

pytestmark = pytest.mark.browser
HOULTON = next(place for place in story.PLACES if place.sector == "houlton")
TOKEN = "correct-horse-battery"
SIZE = (1440, 1000)
DRIVER = shutil.which("chromedriver")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


class Desk:
    """A console served by a thread of its own; `do` runs a deed in its loop, where the board lives."""

    def __init__(self, board: Board) -> None:
        self.board, self.asked, self.resent = board, list[Ask](), list[str]()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._runner, self.url = self._run(self._start()).result(10)

    async def _start(self) -> tuple[web.AppRunner, str]:
        app = web.Application()
        app.add_routes(routes(self.board, self._control, self._resend, SecretStr(TOKEN)))
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return runner, f"http://127.0.0.1:{runner.addresses[0][1]}/"

    async def _control(self, ask: Ask) -> None:
        self.asked.append(ask)
        if isinstance(ask, AskAcknowledge):
            alert = next(a for a in story.alerts() if a.alert_id == ask.alert_id)
            self.board.alert(alert.model_copy(update={"acknowledged_by": ask.by}))

    async def _resend(self, letter_id: str) -> bool:
        self.resent.append(letter_id)
        self.board.buried(letter_id)
        return True

    def _run(self, work: Any) -> "Future[Any]":
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def do(self, deed: Callable[..., None], *given: object) -> None:
        self._loop.call_soon_threadsafe(deed, *given)

    def close(self) -> None:
        self._run(self._runner.cleanup()).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


def open_browser(*, dark: bool = False, size: tuple[int, int] = SIZE) -> Any:
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(flag)
    options.add_argument(f"--window-size={size[0]},{size[1]}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]},
    )
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False},
    )
    return browser


def within(seconds: float, claim: Callable[[], object]) -> float:
    """Wait until `claim` holds; answers how long it took, fails where it does not."""
    began = time.monotonic()
    while not claim():
        assert time.monotonic() - began < seconds, f"not within {seconds} s"
        time.sleep(0.02)
    return time.monotonic() - began


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if not (DRIVER and CHROMIUM):
        if os.environ.get("SURGEWATCH_REQUIRE_BROWSER") == "1":
            pytest.fail("SURGEWATCH_REQUIRE_BROWSER=1, but there is no Chromium with its driver")
        pytest.skip("no Chromium with its driver on this machine")
    pytest.importorskip("selenium")
    browser = open_browser()
    yield browser
    browser.quit()


@pytest.fixture
def desk(browser: Any) -> Iterator[Desk]:
    desk = Desk(story.board())
    browser.get(desk.url)
    within(40, lambda: found(browser, ".sector"))
    yield desk
    complaints = [e for e in browser.get_log("browser") if "Content Security" in e["message"]]
    browser.get("about:blank")
    desk.close()
    assert complaints == []


def found(browser: Any, css: str) -> list[Any]:
    return browser.find_elements("css selector", css)


def script(browser: Any, text: str, *given: object) -> Any:
    return browser.execute_script(text, *given)


def press(browser: Any, *keys: str) -> None:
    from selenium.webdriver import ActionChains

    ActionChains(browser).send_keys(*keys).perform()


def walk(browser: Any, label: str, limit: int = 60) -> None:
    """Press Tab until the control of that label has the focus."""
    for _ in range(limit):
        if script(browser, "return document.activeElement.getAttribute('aria-label')") == label:
            return
        press(browser, "\ue004")
    pytest.fail(f"Tab never came to {label!r}")


def test_a_new_alert_is_on_the_page_within_a_second(browser: Any, desk: Desk) -> None:
    alert = story.raised(story.days_of(HOULTON)[-1], Severity.CRITICAL, 1)
    desk.do(desk.board.alert, alert)
    took = within(1, lambda: found(browser, f'[data-id="{alert.alert_id}"]'))
    print(f"alert on the page after {took:.2f} s")
    assert "Houlton" in script(browser, "return document.getElementById('news').textContent")
    assert "critical" in found(browser, f'[data-id="{alert.alert_id}"]')[0].text


def test_an_alert_tells_what_was_seen_expected_since_when_and_how_sure(browser: Any, desk: Desk) -> None:
    text = found(browser, ".alert.critical")[0].text
    for word in ("Surge at RCMP Quebec", "seen", "expected", "Since", "2023-02-06", "by chance", "Haiti"):
        assert word in text


def test_the_keyboard_alone_acknowledges_an_alert(browser: Any, desk: Desk) -> None:
    walk(browser, "Acknowledge Surge at RCMP Quebec")
    press(browser, "\ue007")
    press(browser, TOKEN, "\ue007")
    within(2, lambda: "Acknowledge" in found(browser, "#dialog-title")[0].text)
    press(browser, "j.okafor", "\ue004", "on it", "\ue004", "\ue004", "\ue007")
    within(2, lambda: desk.asked)
    ask = desk.asked[0]
    assert isinstance(ask, AskAcknowledge)
    assert (ask.by, ask.reason) == ("j.okafor", "on it")
    within(2, lambda: "taken by j.okafor" in found(browser, ".alert.critical")[0].text)


def test_a_silence_and_a_policy_date_are_asked_for_with_their_reason(browser: Any, desk: Desk) -> None:
    script(browser, "sessionStorage.setItem('token', arguments[0])", TOKEN)
    found(browser, '[aria-label="Silence Surge at Miami"]')[0].click()
    _fill(browser, hours="12", by="j.okafor", reason="exercise")
    found(browser, "#policy")[0].click()
    script(browser, "document.querySelector('[name=date]').value = '2023-03-25'")
    _fill(browser, name="STCA protocol", sectors="rcmp-quebec, swanton", by="j.okafor", reason="in force")
    within(2, lambda: len(desk.asked) == 2)
    silence, policy = desk.asked
    assert isinstance(silence, AskSilence)
    assert (silence.sector, silence.question, silence.hours) == ("miami", "surge", 12)
    assert isinstance(policy, AskPolicy)
    assert (policy.date, policy.sectors) == ("2023-03-25", ("rcmp-quebec", "swanton"))


def _fill(browser: Any, **fields: str) -> None:
    for name, text in fields.items():
        (field,) = found(browser, f"[name={name}]")
        field.clear()
        field.send_keys(text)
    found(browser, "#form [type=submit]")[0].click()
    within(2, lambda: not script(browser, "return document.getElementById('dialog').open"))


def test_a_wrong_token_is_told_and_forgotten(browser: Any, desk: Desk) -> None:
    script(browser, "sessionStorage.setItem('token', 'wrong')")
    found(browser, "#dead-list button")[0].click()
    within(2, lambda: "not the console's token" in found(browser, "#dead-list button")[0].text)
    assert script(browser, "return sessionStorage.getItem('token')") is None
    assert desk.resent == []


def test_send_again_buries_the_dead_letter_and_the_token_stays_in_this_tab(browser: Any, desk: Desk) -> None:
    script(browser, "sessionStorage.setItem('token', arguments[0])", TOKEN)
    found(browser, "#dead-list button")[0].click()
    within(2, lambda: not found(browser, "#dead-list li"))
    assert desk.resent == ["webhook-rcmp/0b7e4fd21c9a"]
    assert TOKEN not in browser.page_source
    assert script(browser, "return [localStorage.length, document.cookie]") == [0, ""]


def test_filters_leave_only_the_border_and_state_that_were_chosen(browser: Any, desk: Desk) -> None:
    script(
        browser,
        "const f = document.getElementById('by-border'); f.value = 'coastal';"
        "f.dispatchEvent(new Event('input', {bubbles: true}))",
    )
    shown = [e.text for e in found(browser, ".sector h3") if e.is_displayed()]
    assert sorted(shown) == ["Miami", "New Orleans", "Ramey"]
    assert [e.text for e in found(browser, ".alert h3") if e.is_displayed()] == ["Surge at Miami"]


def test_what_comes_in_is_shown_as_text_and_never_run(browser: Any, desk: Desk) -> None:
    alert = next(story.alerts())
    evil = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
    desk.do(desk.board.alert, alert.model_copy(update={"acknowledged_by": evil}))
    within(2, lambda: evil in found(browser, ".alert.critical")[0].text)
    assert found(browser, ".alert img") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_contrast_and_every_control_a_name(browser: Any, desk: Desk, scheme: str) -> None:
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    assert script(browser, _FAINT) == []
    assert script(browser, _NAMELESS) == []
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


_FAINT = """
const rgba = (text) => text.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
  .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, at) => sum + v * [0.2126, 0.7152, 0.0722][at], 0);
const paper = (e) => { for (; e; e = e.parentElement) {
  const c = rgba(getComputedStyle(e).backgroundColor); if (c.length < 4 || c[3] === 1) return c; }
  return [255, 255, 255]; };
return [...document.querySelectorAll('body *')].filter((e) => e.checkVisibility()
  && !e.closest('.unseen, .skip')
  && [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())).flatMap((e) => {
  const [a, b] = [light(rgba(getComputedStyle(e).color)), light(paper(e))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  const faint = ratio < 4.5 && !e.disabled;
  return faint ? [`${e.tagName} ${e.className} ${e.textContent.slice(0, 30)} ${ratio.toFixed(2)}`] : [];
});
"""
_NAMELESS = """
return [...document.querySelectorAll('button, input, select, textarea, [role=img], a')]
  .filter((e) => !(e.getAttribute('aria-label') || e.labels?.length
    || e.textContent.trim() && e.tagName !== 'SELECT'))
  .map((e) => e.outerHTML.slice(0, 80));
"""


def test_no_state_is_told_by_colour_alone(browser: Any, desk: Desk) -> None:
    for badge in found(browser, ".state"):
        word = script(browser, "return arguments[0].textContent", badge)
        icon = script(browser, "return arguments[0].querySelector('use').getAttribute('href')", badge)
        assert word.startswith(icon.removeprefix("#i-"))


def test_two_hundred_sectors_are_drawn_and_updated_without_a_stall(browser: Any, desk: Desk) -> None:
    places = [story.Place(f"sector-{n}", "northern", 5 + n) for n in range(200)]
    days = [story.days_of(place) for place in places]
    for line in days:
        for verdict in line[:-1]:
            desk.do(desk.board.hear, verdict)
    within(30, lambda: len(found(browser, ".sector")) == 200 + len(story.PLACES))
    time.sleep(1)
    script(browser, _WATCH_STALLS)
    for line in days:
        desk.do(desk.board.hear, line[-1])
    time.sleep(2)
    stall = script(browser, "return window.longest")
    print(f"longest stall with {200 + len(story.PLACES)} sectors, all updated at once: {stall:.0f} ms")
    assert stall < 500


_WATCH_STALLS = """
window.longest = 0; let last = performance.now();
const tick = () => { const now = performance.now();
  window.longest = Math.max(window.longest, now - last); last = now; setTimeout(tick, 5); };
tick();
"""


def test_a_narrow_screen_scrolls_one_way_only(browser: Any, desk: Desk) -> None:
    narrow = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", narrow)
    wide = script(browser, "return document.documentElement.scrollWidth")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert wide <= 390


def picture(path: Path, *, dark: bool = False, size: tuple[int, int] = (1560, 1240)) -> None:
    desk, browser = Desk(story.board()), open_browser(dark=dark, size=size)
    browser.get(desk.url)
    within(40, lambda: found(browser, ".sector canvas"))
    time.sleep(1)
    browser.save_screenshot(str(path))
    browser.quit()
    desk.close()


if __name__ == "__main__":
    picture(Path(sys.argv[1]))
