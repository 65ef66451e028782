"""The console in real headless Chromium: what a shift lead sees."""

import datetime as dt
import time
from typing import Any

import pytest

from alerts.console.alert_history import DeliveredNotice
from alerts.lifecycle.alert import Severity
from alerts.notices.controls import Acknowledge
from tests import console_story as story
from tests.alerts.made import outage
from tests.alerts.one_sink import OneSink
from tests.integration.chromium import Console, choose, found, names, script, within

pytestmark = pytest.mark.browser
HOULTON = next(place for place in story.PLACES if place.sector == "houlton")


def test_a_new_alert_comes_onto_the_page_and_is_announced(browser: Any, console: Console) -> None:
    alert = story.raised(story.days_of(HOULTON)[-1], Severity.CRITICAL, 1)
    console.board.alert(alert)
    took = within(10, lambda: found(browser, f'[data-id="{alert.alert_id}"]'))
    print(f"alert on the page after {took:.2f} s")
    assert "Houlton" in script(browser, "return document.getElementById('news').textContent")
    assert "critical" in found(browser, f'[data-id="{alert.alert_id}"]')[0].text


def test_an_alert_shows_its_figures_since_when_and_how_sure(browser: Any, console: Console) -> None:
    text = found(browser, ".alert.critical")[0].text
    for part in ("Surge at RCMP Quebec", "expected", "since 2023-02-06", "by chance", "Haiti"):
        assert part in text


def test_what_stands_comes_first_gravest_and_largest_first_and_what_is_over_is_folded_away(
    browser: Any, console: Console
) -> None:
    assert names(browser, "#alert-list") == [
        "Surge at RCMP Quebec",
        "Slow rise at Swanton",
        "Surge at Miami",
        "Drop at Yuma",
        "Record high at Houlton",
    ]
    assert names(browser, "#pending-list") == ["Surge at Blaine"]
    assert names(browser, "#over-list") == []
    found(browser, "#over > summary")[0].click()
    assert names(browser, "#over-list") == ["Surge at Del Rio"]
    assert found(browser, "#tiles")[0].text.split() == ["1", "critical", "2", "warning", "2", "info"]


def test_a_source_that_stopped_for_many_sectors_is_one_item_that_opens_to_its_alerts(
    browser: Any, console: Console
) -> None:
    places = [place.sector for place in story.PLACES[:20]]
    desk = OneSink()
    alerts = [notice.alert for notice in desk.judge(*map(outage, places))]
    for alert in alerts:
        console.board.alert(alert)
    within(10, lambda: found(browser, ".feed"))
    (item,) = found(browser, ".feed")
    within(10, lambda: "No data from customs for 20 sectors" in item.text)
    assert "Houlton" in item.text
    assert [one for one in names(browser, "#alert-list") if "Silence" in one] == []
    script(browser, f"location.hash = '#alert-{alerts[7].alert_id}'")
    within(5, lambda: found(browser, ".marked")[0].is_displayed())


def test_alerts_are_sorted_grouped_and_searched(browser: Any, console: Console) -> None:
    choose(browser, "sort", "time")
    assert names(browser, "#alert-list")[0] == "Record high at Houlton"
    choose(browser, "group", "border")
    groups = [element.text for element in found(browser, "#alert-list .group")]
    assert sorted(groups) == ["coastal 1", "northern 3", "southwest 1"]
    choose(browser, "by-name", "miami")
    assert names(browser, "#alert-list") == ["Surge at Miami"]


def test_a_permalink_opens_marks_and_shows_its_alert_and_the_id_can_be_copied(
    browser: Any, console: Console
) -> None:
    over = next(alert for alert in story.alerts() if alert.sector == "del-rio")
    for number in range(100):
        place = story.Place(f"sector-{number}", "northern", 5)
        console.board.alert(story.raised(story.days_of(place)[-1], Severity.INFO, 1))
    browser.get("about:blank")
    browser.get(f"{console.url}#alert-{over.alert_id}")
    within(20, lambda: found(browser, ".marked"))
    (card,) = found(browser, ".marked")
    assert over.alert_id in card.text
    box = script(browser, "const b = arguments[0].getBoundingClientRect(); return [b.top, innerHeight]", card)
    assert 0 <= box[0] < box[1]
    assert script(browser, "return document.querySelector(':target') === arguments[0]", card)
    assert found(browser, f'[aria-label="Copy the id of {over.question.entry.title} at Del Rio"]')


def test_a_permalink_to_an_alert_that_is_gone_says_so(browser: Any, console: Console) -> None:
    script(browser, "location.hash = '#alert-0123456789abcdef'")
    within(5, lambda: "no alert 0123456789abcdef" in found(browser, "#missing")[0].text)


def test_a_permalink_to_an_alert_of_the_past_shows_what_was_sent_to_whom(
    browser: Any, console: Console
) -> None:
    alert = next(story.alerts()).model_copy(update={"alert_id": "0123456789abcdef01234567"})
    year_ago = story.NOW - dt.timedelta(days=365)
    console.taken = [DeliveredNotice(sink="pagerduty", at=year_ago, notice=story.notice_of(alert))]
    script(browser, f"location.hash = '#alert-{alert.alert_id}'")
    within(5, lambda: found(browser, "#missing .history"))
    text = found(browser, "#missing")[0].text
    for part in (story.notice_of(alert).headline, "2022-02-25 01:00 UTC, pagerduty"):
        assert part in text


def test_what_is_in_force_stands_beside_the_alerts_and_leaves_when_it_is_over(
    browser: Any, console: Console
) -> None:
    text = found(browser, "#control-list")[0].text
    assert "until 2023-02-25 07:00 UTC" in text
    assert "a new level from 2023-05-11 on in all sectors" in text
    assert "takes care" not in text  # an acknowledgement stands on its alert
    assert found(browser, "#control-list")[0].location["y"] < 400
    console.board.withdrawn("silence/yuma-all")
    within(5, lambda: "yuma" not in found(browser, "#control-list")[0].text)


def test_marks_show_who_has_an_alert_who_silenced_it_and_that_it_cools_down(
    browser: Any, console: Console
) -> None:
    marks = [element.text for element in found(browser, ".mark") if element.is_displayed()]
    assert sorted(marks) == [
        "Cooling down: 2 of 7 calm days",
        "Silenced by m.tremblay",
        "Taken by m.tremblay",
    ]


def test_a_sector_whose_data_are_behind_and_old_data_are_marked(browser: Any, console: Console) -> None:
    (behind,) = found(browser, ".sector.behind")
    assert "Ramey" in behind.text
    assert "no data" in behind.text
    assert "since 20 Feb" in behind.text
    assert "old" in found(browser, "#data")[0].text


def test_deliveries_show_headlines_and_each_sink_its_state(browser: Any, console: Console) -> None:
    assert "Surge at RCMP Quebec" in found(browser, "#delivery-list")[0].text
    sinks = found(browser, "#sink-list")[0].text
    for part in ("slack", "ok", "webhook-rcmp", "http_503"):
        assert part in sinks


def test_filters_leave_only_the_border_and_state_that_were_chosen(browser: Any, console: Console) -> None:
    choose(browser, "by-border", "coastal")
    shown = [e.text for e in found(browser, ".sector h3") if e.is_displayed()]
    assert sorted(shown) == ["Miami", "New Orleans", "Ramey"]
    assert names(browser, "#alert-list") == ["Surge at Miami"]


def test_what_comes_in_is_shown_as_text_and_never_run(browser: Any, console: Console) -> None:
    evil = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
    alert = next(story.alerts())
    console.board.control(Acknowledge(alert_id=alert.alert_id, by=evil[:64], at=story.NOW, reason=evil))
    within(5, lambda: evil[:64].strip() in found(browser, ".alert.critical")[0].text)
    assert found(browser, ".alert img") == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_contrast_and_every_control_a_name(
    browser: Any, console: Console, scheme: str
) -> None:
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


def test_no_state_is_shown_by_colour_alone(browser: Any, console: Console) -> None:
    for badge in found(browser, ".state"):
        assert script(browser, "return arguments[0].textContent", badge)
        icon = script(browser, "return arguments[0].querySelector('use').getAttribute('href')", badge)
        assert found(browser, icon)


def test_two_hundred_sectors_are_drawn_and_updated_without_a_stall(browser: Any, console: Console) -> None:
    places = [story.Place(f"sector-{n}", "northern", 5 + n) for n in range(200)]
    days = [story.days_of(place) for place in places]
    for line in days:
        for verdict in line[:-1]:
            console.board.observe(verdict)
    within(30, lambda: len(found(browser, ".sector")) == 200 + len(story.PLACES))
    time.sleep(1)
    script(browser, _WATCH_STALLS)
    for line in days:
        console.board.observe(line[-1])
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


def test_a_narrow_screen_scrolls_one_way_only(browser: Any, console: Console) -> None:
    narrow = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", narrow)
    wide = script(browser, "return document.documentElement.scrollWidth")
    within(5, lambda: not found(browser, "#filters")[0].is_displayed())
    found(browser, "#finder > summary")[0].click()
    assert script(browser, "return document.getElementById('filters').scrollWidth") <= 390
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert wide <= 390
    within(5, lambda: found(browser, "#filters")[0].is_displayed())
